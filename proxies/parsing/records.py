"""Reading one record of a list: a JSON object, or a row under a heading."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from proxies.parsing import hosts
from proxies.parsing.found import PROTOCOLS, Candidate, Piece, RefusedError
from proxies.parsing.lines import parse_line
from proxies.parsing.words import country_of

HOST: Final = ("ip", "host", "ipaddress", "address", "addr", "server", "hostname", "proxyaddress")
PORT: Final = ("port", "proxyport", "serverport")
WHOLE: Final = ("proxy", "url", "ipport", "endpoint", "proxyurl", "hostport")
_PROTOCOL: Final = ("protocol", "protocols", "type", "scheme", "proxytype", "types", "kind")
_USER: Final = ("username", "user", "login")
_PASSWORD: Final = ("password", "pass", "pwd")
_LOGINS: Final = ("auth", "authentication", "credentials")
_COUNTRY: Final = ("countrycode", "isocode", "code", "cc", "country", "countryiso")
_MAX_FIELD: Final = 255


def plain_key(name: object) -> str:
    """Return a name as it is compared: ``IP Address`` is ``ipaddress``."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def is_record(value: Mapping[str, Any]) -> bool:
    """Say whether an object names a proxy, rather than holding lists of them."""
    names = {plain_key(name) for name, inner in value.items() if isinstance(inner, str)}
    return bool(names & {*HOST, *WHOLE})


def parse_record(value: Mapping[str, Any], *, default_scheme: str) -> list[Candidate]:
    """Return the proxies that a record names: one for each protocol it says.

    Raises:
        RefusedError: it names none that may be used.
    """
    fields = {plain_key(name): inner for name, inner in value.items()}
    host = _text(fields, HOST)
    if not host or ":" in host.strip("[]"):
        return _from_whole(fields, host, default_scheme)
    username, password = _login(fields)
    base = Candidate(
        scheme=str(default_scheme),
        host=hosts.host_of(f"[{host}]" if ":" in host else host),
        port=1,
        username=username,
        password=password,
        country=_country(fields),
    )
    found = [
        replace(base, scheme=scheme, port=hosts.port_of(port))
        for scheme, port in _spoken(fields, default_scheme)
    ]
    if not found:
        raise RefusedError("unknown_scheme")
    return found


def _from_whole(fields: dict[str, Any], host: str, default_scheme: str) -> list[Candidate]:
    text = host or _text(fields, WHOLE)
    if not text:
        raise RefusedError("not_a_proxy")
    schemes = [scheme for scheme, _ in _spoken(fields, default_scheme)]
    read = parse_line(text, default_scheme=schemes[0] if schemes else default_scheme)
    found = [each for each in read if isinstance(each, Candidate)]
    if len(found) < len(read) or not found:
        reasons = [each.reason for each in read if isinstance(each, Piece)]
        raise RefusedError(reasons[0] if reasons else "not_a_proxy")
    username, password = _login(fields)
    return [
        replace(
            each,
            country=each.country or _country(fields),
            username=each.username or username,
            password=each.password or ("" if each.username else password),
        )
        for each in found
    ]


def _login(fields: dict[str, Any]) -> tuple[str, str]:
    """Return user name and password, which may stand in an object of their own."""
    for name in _LOGINS:
        if isinstance(fields.get(name), dict):
            inner = {plain_key(key): value for key, value in fields[name].items()}
            return _login({key: inner[key] for key in inner if key not in _LOGINS})
    username, password = _text(fields, _USER), _text(fields, _PASSWORD)
    if max(len(username), len(password)) > _MAX_FIELD:
        raise RefusedError("too_long")
    if "\x00" in username + password:
        raise RefusedError("not_a_proxy")
    return username, password


def _spoken(fields: dict[str, Any], default_scheme: str) -> Iterator[tuple[str, str]]:
    """Yield each protocol with its port: they may differ within one record."""
    port = _text(fields, PORT)
    named = next((fields[name] for name in _PROTOCOL if fields.get(name)), None)
    ports = fields.get("ports", fields.get("port"))
    if isinstance(ports, dict):
        named = ports
    if isinstance(named, dict):
        yield from _pairs(named)
    elif isinstance(named, list):
        for each in named:
            yield from _one_of_several(each, port)
    elif isinstance(named, str):
        for word in re.split(r"[\s,;/|]+", named.strip().lower()):
            if word in PROTOCOLS:
                yield str(PROTOCOLS[word]), port
    else:
        yield str(default_scheme), port


def _pairs(named: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, port in named.items():
        if known := PROTOCOLS.get(str(name).lower()):
            yield str(known), str(port)


def _one_of_several(each: Any, port: str) -> Iterator[tuple[str, str]]:
    if isinstance(each, dict):
        fields = {plain_key(name): inner for name, inner in each.items()}
        name = _text(fields, ("protocol", "type", "name", "scheme"))
        own = _text(fields, PORT) or port
    else:
        name, own = str(each), port
    if known := PROTOCOLS.get(name.lower()):
        yield str(known), own


def _text(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _country(fields: dict[str, Any]) -> str:
    """Return the ISO code of a country wherever the record has it; empty where it has none."""
    found = _text(fields, _COUNTRY)
    if re.fullmatch(r"[A-Za-z]{2}", found):
        return found.upper()
    if code := country_of(found):
        return code
    for name in ("geolocation", "country", "location", "geo", "ipdata"):
        inner = fields.get(name)
        if isinstance(inner, dict):
            inner_fields = {plain_key(key): value for key, value in inner.items()}
            if found := _country(inner_fields):
                return found
    return ""
