"""What makes two proxies the same, and two sites one target."""

import hashlib
import hmac
from functools import cache

from django.conf import settings
from publicsuffixlist import PublicSuffixList

_HASH_CHARACTERS = 32


def hash_password(password: str) -> str:
    """Return what tells passwords apart without telling them; empty for none.

    Keyed, so that whoever reads the database alone can't try out weak passwords.
    """
    if not password:
        return ""
    key = f"proxies.password:{settings.SECRET_KEY}".encode()
    return hmac.new(key, password.encode(), hashlib.sha256).hexdigest()[:_HASH_CHARACTERS]


Identity = tuple[str, str, int, str, str]


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


def target_of(host: str) -> str:
    """Return the registered domain of ``host``, e.g. ``binance.com`` of ``api.binance.com``.

    Addresses and names without a public suffix stand for themselves.
    """
    name = host.strip().rstrip(".").lower()
    if not name or name.replace(".", "").isdigit() or ":" in name:
        return name
    return str(_suffixes().privatesuffix(name) or name)
