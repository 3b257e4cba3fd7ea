"""What of a value staff may see: nothing of a secret."""

import re
from typing import Any, Final

from project.core import scrubbing

HIDDEN: Final = "••••••"
_SECRET_NAME: Final = re.compile(r"pass|secret|token|key|credential|cookie|authorization", re.I)


def is_secret(name: str) -> bool:
    """Say whether what is called ``name`` is likely to be a secret."""
    return bool(_SECRET_NAME.search(name))


def text(value: str) -> str:
    """Return ``value`` without credentials of addresses, keys and other secrets in it."""
    return scrubbing.text(value).replace(scrubbing.HIDDEN, HIDDEN)


def without_secrets(value: Any, name: str = "") -> Any:
    """Return ``value`` (plain JSON) with whatever looks like a secret made unreadable."""
    if isinstance(value, dict):
        return {key: without_secrets(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner, name) for inner in value]
    if isinstance(value, str):
        return HIDDEN if is_secret(name) else text(value)
    return value
