"""Where an address is: its country and network, from data on this machine alone."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import iptocc
import maxminddb
from django.conf import settings

logger = logging.getLogger(__name__)
#: Length of ``Proxy.network``.
LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of an address; empty where nothing is.

    Attributes:
        country: ISO 3166, two capital letters.
        network: number and name of the network, e.g. ``AS15169 Google LLC``.
    """

    country: str = ""
    network: str = ""


def of(address: str) -> Place:
    """Return where ``address`` is; the user's own file, where there is one, knows best."""
    if not address:
        return Place()
    record = _record(address)
    country = _country(record) or iptocc.country_code(address) or ""
    return Place(country=country, network=_network(record))


def problem() -> str:
    """Return why the file of ``MAXMIND_DB`` can't be used; empty where it can, or none is named."""
    if not settings.MAXMIND_DB:
        return ""
    try:
        _opened(*_version())
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _version() -> tuple[str, float]:
    """Return path and time of the file: a newer one is opened anew."""
    return settings.MAXMIND_DB, Path(settings.MAXMIND_DB).stat().st_mtime


@lru_cache(maxsize=1)
def _opened(path: str, _: float) -> maxminddb.Reader:
    return maxminddb.open_database(path)


def _record(address: str) -> dict[str, Any]:
    if not settings.MAXMIND_DB:
        return {}
    try:
        found = _opened(*_version()).get(address)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        # a system check says so at the start; a file that breaks later stops no validation
        logger.warning("no place of an address", extra={"why": type(error).__name__})
        return {}
    return found if isinstance(found, dict) else {}


def _country(record: dict[str, Any]) -> str:
    inner = record.get("country")
    code = inner.get("iso_code") if isinstance(inner, dict) else record.get("country_code")
    return str(code).upper()[:2] if isinstance(code, str) else ""


def _network(record: dict[str, Any]) -> str:
    """Return the network as ASN, ISP and city files of MaxMind's format have it."""
    number = record.get("autonomous_system_number") or record.get("asn")
    name = record.get("autonomous_system_organization") or record.get("as_name") or ""
    found = f"AS{str(number).removeprefix('AS')} {name}" if number else str(name)
    return found.strip()[:LONGEST]
