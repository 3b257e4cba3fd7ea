"""Strict readers for environment variables: a wrong value stops the start."""

import math
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PRODUCTION = "production"
EMBEDDED = "embedded"


def text(name: str, default: str | None = None) -> str:
    """Read ``name``; without a default it must be set. An empty value counts as not set."""
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set")
    return value


def environment() -> str:
    """Read ``ENVIRONMENT``: ``embedded`` (the default) or ``production``."""
    value = text("ENVIRONMENT", EMBEDDED)
    if value not in {EMBEDDED, PRODUCTION}:
        raise ImproperlyConfigured(f"ENVIRONMENT={value}: write 'embedded' or 'production'")
    return value


def scaled(name: str, default: str) -> str:
    """Read ``name``, which has a default in the embedded mode but must be set in production."""
    return text(name) if environment() == PRODUCTION else text(name, default)


def made(name: str, make: Callable[[], str]) -> str:
    """Read ``name``; where the embedded mode lacks it, ``make`` it. Production must set it."""
    return os.environ.get(name) or (text(name) if environment() == PRODUCTION else make())


def flag(name: str, *, default: bool) -> bool:
    """Read ``name`` as a boolean spelled ``true`` or ``false``."""
    value = text(name, str(default)).lower()
    if value not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name}={value}: write 'true' or 'false'")
    return value == "true"


def one_of(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    """Read ``name`` as one of ``choices``."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value}: write one of {', '.join(choices)}")
    return value


def number(name: str, default: float, *, at_least: float = 0) -> float:
    """Read ``name`` as a number of at least ``at_least``."""
    value = text(name, str(default))
    try:
        found = float(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value}: write a number") from error
    if not found >= at_least or math.isinf(found):
        raise ImproperlyConfigured(f"{name}={value}: at least {at_least}")
    return found


def whole(name: str, default: int, *, at_least: int = 0) -> int:
    """Read ``name`` as a whole number of at least ``at_least``."""
    found = number(name, default, at_least=at_least)
    if found != int(found):
        raise ImproperlyConfigured(f"{name}={found}: write a whole number")
    return int(found)


def numbers(name: str, default: str, *, count: int, at_least: float = 0) -> list[float]:
    """Read ``name`` as ``count`` numbers separated by commas; a single one stands for all."""
    found = text(name, default).split(",")
    if len(found) not in {1, count}:
        raise ImproperlyConfigured(f"{name}: write one number, or {count} separated by commas")
    try:
        read = [float(one) for one in found]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text(name, default)}: write numbers") from error
    if not all(at_least <= one < math.inf for one in read):
        raise ImproperlyConfigured(f"{name}: at least {at_least}")
    return read if len(read) == count else read * count


def words(name: str, default: str = "") -> list[str]:
    """Read ``name`` as a list separated by commas; blanks around the items are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """Read ``name`` as a URL of one of ``schemes``; an empty default allows none at all."""
    value = text(name, default)
    if value and (urlsplit(value).scheme not in schemes):
        raise ImproperlyConfigured(f"{name}: write a URL that starts with {' or '.join(schemes)}")
    return value
