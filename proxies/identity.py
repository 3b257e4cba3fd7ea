"""What makes two proxies the same, and two sites one target."""

import hashlib
import hmac
import ipaddress
import re
from array import array
from bisect import bisect_left
from functools import cache, lru_cache
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from publicsuffixlist import PublicSuffixList

_HASH_CHARACTERS = 32
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


def hash_password(password: str) -> str:
    """Return what tells passwords apart without telling them; empty for none.

    Keyed, so that whoever reads the database alone can't try out weak passwords.
    """
    if not password:
        return ""
    key = f"proxies.password:{settings.SECRET_KEY}".encode()
    return hmac.new(key, password.encode(), hashlib.sha256).hexdigest()[:_HASH_CHARACTERS]


Identity = tuple[str, str, int, str, str]


class Seen:
    """Identities that came by, at eight bytes each: a list of any length is told its repeats."""

    _BUCKETS: Final = 1024

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(self._BUCKETS)]

    def is_new(self, identity: Identity) -> bool:
        """Note an identity; say whether it came for the first time."""
        mark = hash(identity)
        bucket = self._buckets[mark % self._BUCKETS]
        at = bisect_left(bucket, mark)
        if bucket[at : at + 1] == array("q", [mark]):
            return False
        bucket.insert(at, mark)
        return True


def endpoint_key(identity: Identity) -> str:
    """Return the key under which a proxy's own leases exclude each other.

    Args:
        identity: scheme, host, port, user name, hash of the password.
    """
    text = "\n".join(map(str, identity))
    return f"endpoint:{hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]}"


def exit_key(exit_ip: str) -> str:
    """Return the key that all proxies share which leave from ``exit_ip``."""
    return f"exit:{exit_ip}"


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def target_of(host: str) -> str:
    """Return the registered domain of ``host``, e.g. ``binance.com`` of ``api.binance.com``.

    Addresses and names without a public suffix stand for themselves. A URL, or a name with a
    port, means its host. Empty for what is none.
    """
    name = _host_of(host)
    if not name or name.replace(".", "").isdigit() or ":" in name:
        return name
    return str(_suffixes().privatesuffix(name) or name)


def is_target(text: str) -> bool:
    """Say whether ``text`` names a host: a name, an address, or a URL."""
    return bool(_host_of(text))


def _host_of(text: str) -> str:
    """Return the host that a text means, in lower case and ASCII; empty where it means none."""
    name = text.strip()
    try:
        if "://" in name or name.startswith("[") or name.count(":") == 1:
            name = urlsplit(name if "://" in name else f"//{name}").hostname or ""
        name = name.rstrip(".").lower()
        if ":" in name:
            return str(ipaddress.IPv6Address(name))
        if not name.isascii():
            name = name.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        return ""
    return name if _HOST.fullmatch(name) else ""
