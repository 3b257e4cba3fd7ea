"""What is taken out of a text before a log, a report of a bug or a run's error shows it.

Secrets are found by what stands before them (``password=``, ``Authorization:``, ``scheme://…@``), by
the look of our own, and those of the settings by what they are, wherever they stand.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

HIDDEN: Final = "***"
#: Settings whose value is a secret, or a list of them; and those that are URLs with one inside.
SECRET_SETTINGS: Final = (
    "SECRET_KEY",
    "FIELD_KEYS",
    "BILLING_WEBHOOK_SECRETS",
    "EMAIL_HOST_PASSWORD",
    "ETL_API_KEY",
    "LLM_API_KEY",
    "S3_SECRET_KEY",
)
SECRET_URLS: Final = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
#: A shorter one would hide words that only look like it.
_LEAST_LETTERS: Final = 8
#: Credentials in URLs, between ``://`` and ``@``, whatever the scheme.
_CREDENTIALS: Final = re.compile(r"(?P<kept>://)[^\s/?#]+(?=@)")
_SCHEME: Final = re.compile(
    r"(?P<kept>\b(?:(?:Api-Key|Bearer)\s+|(?:Basic|Token)\s+(?=\S*(?-i:[A-Z0-9=]))))\S+",
    re.IGNORECASE,
)
#: Our own keys and secrets, wherever they stand.
_OURS: Final = re.compile(r"\b(?P<kept>mr_|whsec_)[A-Za-z0-9_-]{6,}")
#: ``Cookie: …`` and ``Authorization: …`` to the end of the line.
_HEADERS: Final = re.compile(
    r"(?P<kept>\b(?:(?:set-)?cookie|(?:proxy-)?authorization)\b\\?['\"]?\s*[:=]\s*)[^\r\n]+",
    re.IGNORECASE,
)
#: ``password=…``, ``"token": "…"``, ``sessionid=…``, ``SECRET_KEY='…'``.
_PAIRS: Final = re.compile(
    r"(?P<kept>(?:api[-_]?key|passw(?:or)?d|passphrase|pwd|secret(?:[-_]\w{1,30})?|field_keys?|token"
    r"|session(?:[-_]?(?:id|key))?|csrf\w{0,20}|signature|credential)\\?['\"]?\s*[=:]\s*b?)"
    r"(?:\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'|\\?['\"]?[^\s'\"&;,\\]+)",
    re.IGNORECASE,
)
_ALL: Final = (_HEADERS, _SCHEME, _PAIRS, _CREDENTIALS, _OURS)
#: What is named so is told to nobody, whatever it is.
_NAMED: Final = re.compile(
    r"passw|pwd|secret|token|authorization|cookie|(?:api|access|private)[-_ ]?key|signature"
    r"|session_?(?:id|key)|csrf"
    r"|dsn|credential|field_keys",
    re.IGNORECASE,
)


def text(found: str) -> str:
    """Return ``found`` without credentials, keys, cookies and other secrets."""
    if (own := _own()) is not None:
        found = own.sub(HIDDEN, found)
    for pattern in _ALL:
        found = pattern.sub(rf"\g<kept>{HIDDEN}", found)
    return found


def value(found: Any, write: Callable[[object], str] = repr) -> Any:
    """Return ``found`` with all texts in it scrubbed; what is no plain JSON as text of ``write``."""
    if found is None or isinstance(found, bool | int | float):
        return found
    if isinstance(found, dict):
        return {text(str(name)): named(str(name), inner, write) for name, inner in found.items()}
    if isinstance(found, list | tuple | set | frozenset):
        return [value(inner, write) for inner in found]
    return text(found if isinstance(found, str) else write(found))


def named(name: str, found: Any, write: Callable[[object], str] = repr) -> Any:
    """Return the value of a name: nothing of one that names a secret, but for counts of them."""
    is_hidden = is_secret(name) and not isinstance(found, bool | int | float)
    return HIDDEN if is_hidden else value(found, write)


def is_secret(name: str) -> bool:
    """Say whether what is called ``name`` is a secret, whatever it is."""
    return _NAMED.search(name) is not None


def forget() -> None:
    """Read the secrets of the settings anew: for tests."""
    _own.cache_clear()


@cache
def _own() -> re.Pattern[str] | None:
    """Return what finds the secrets of the settings; None where there are none."""
    known = {secret for secret in _secrets() if len(secret) >= _LEAST_LETTERS}
    if not known:
        return None
    # a longer one first: another may be its beginning
    return re.compile("|".join(re.escape(one) for one in sorted(known, key=len, reverse=True)))


def _secrets() -> list[str]:
    found: list[str] = []
    for name in SECRET_SETTINGS:
        one = getattr(settings, name, "")
        found += one.split(",") if isinstance(one, str) else [str(each) for each in one]
    for name in SECRET_URLS:
        password = urlsplit(str(getattr(settings, name, ""))).password or ""
        found += [password, unquote(password)]
    return found
