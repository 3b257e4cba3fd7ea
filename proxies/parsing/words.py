"""What the words of lists mean that are neither host nor port, user nor password."""

import re
from functools import cache
from typing import Final

import iso3166

from proxies.parsing.found import PROTOCOLS

_CODE: Final = re.compile(r"[A-Z]{2}")
#: spys.me: country, anonymity, TLS; ``!`` says that the exit is another address.
_FLAGS: Final = re.compile(r"(?P<country>[A-Z]{2})-[NAH](?:-S)?!?")
_NUMBER: Final = re.compile(
    r"[+-]?[\d.,:/]*\d[\d.,:/]*\s*(?:ms|s|sec|min|h|%|mb|kb)?", re.IGNORECASE
)
_SAID: Final = frozenset(
    [
        "elite",
        "anonymous",
        "transparent",
        "anonymity",
        "high",
        "medium",
        "low",
        "none",
        "unknown",
        "noa",
        "anm",
        "hia",
        "distorting",
        "elite-proxy",
        "yes",
        "no",
        "true",
        "false",
        "ok",
        "up",
        "down",
        "alive",
        "dead",
        "ssl",
        "google",
        "+",
        "-",
        "!",
        "working",
        "free",
        "n/a",
    ]
)
#: What lists call countries besides their names in the standard.
_ALSO: Final = {
    "usa": "US",
    "united states": "US",
    "uk": "GB",
    "united kingdom": "GB",
    "great britain": "GB",
    "russia": "RU",
    "vietnam": "VN",
    "south korea": "KR",
    "korea": "KR",
    "iran": "IR",
    "taiwan": "TW",
    "hong kong": "HK",
    "czech republic": "CZ",
    "turkey": "TR",
    "netherlands": "NL",
    "bolivia": "BO",
    "venezuela": "VE",
    "tanzania": "TZ",
    "moldova": "MD",
    "macedonia": "MK",
    "laos": "LA",
    "syria": "SY",
    "palestine": "PS",
}


@cache
def _names() -> dict[str, str]:
    found = {country.name.lower(): country.alpha2 for country in iso3166.countries}
    found |= {country.apolitical_name.lower(): country.alpha2 for country in iso3166.countries}
    return found | _ALSO


def country_of(text: str) -> str:
    """Return the ISO code that a code, flags or a name say; empty where they are none."""
    if _CODE.fullmatch(text):
        return text
    if flags := _FLAGS.fullmatch(text):
        return flags["country"]
    return _names().get(text.strip().lower(), "")


def is_about(text: str) -> bool:
    """Say whether a word names a protocol, a country or a quality: no user name, no password."""
    word = text.strip("()[]\"'").lower()
    return not word or word in PROTOCOLS or word in _SAID or bool(country_of(text))


def is_figure(text: str) -> bool:
    """Say whether a word is a number as tables have it: a latency, a share, a date."""
    return bool(_NUMBER.fullmatch(text))
