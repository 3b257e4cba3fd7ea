"""Asking a Nominatim server through geopy: one request, its candidates or what went wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from geopy.adapters import RequestsAdapter
from geopy.exc import (
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderParseError,
    GeocoderQueryError,
    GeocoderRateLimited,
    GeocoderServiceError,
)
from geopy.geocoders import Nominatim

from analysis.failures import Deterministic, Transient
from project.core import tracing

MOST_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True)
class Server:
    """Which server is asked, who we say we are, and how long an answer may take."""

    url: str
    user_agent: str
    timeout_s: float

    @property
    def host(self) -> str:
        """Its name and port: what a limit holds for."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that bears the name; ``kind`` is OpenStreetMap's ``class/type``."""

    name: str
    longitude: float
    latitude: float
    kind: str
    country: str
    importance: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


class TooHastyError(Transient):
    """The server wants fewer requests (429): nobody may ask it for a while."""


def search(server: Server, name: str, *, country: str = "", language: str = "") -> list[Candidate]:
    """Return what is called ``name``, the most important first; nothing is tried again here.

    Args:
        server: whom to ask.
        name: what to look for.
        country: ISO code of the only country to look in; empty: anywhere.
        language: of the names in the answer; empty: the places' own.

    Raises:
        TooHastyError: 429; ``retry_after`` where the server says so.
        Transient: time-out, broken connection, 5xx, an answer that can't be read.
        Deterministic: ``geocoder_refused``.
    """
    geocoder = _opened(server)
    try:
        with tracing.span("outside.geocoder", server__address=server.host.rpartition("@")[2]):
            found = geocoder.geocode(
                name,
                exactly_one=False,
                limit=MOST_CANDIDATES,
                addressdetails=True,
                language=language or False,
                country_codes=country.lower() or None,
            )
    except GeocoderRateLimited as error:
        raise TooHastyError(
            "the geocoder wants fewer requests", retry_after=error.retry_after
        ) from error
    except (
        GeocoderAuthenticationFailure,
        GeocoderInsufficientPrivileges,
        GeocoderQueryError,
    ) as error:
        raise Deterministic("the geocoder refuses the request", code="geocoder_refused") from error
    except (GeocoderParseError, GeocoderServiceError) as error:
        raise Transient(f"the geocoder is away: {type(error).__name__}") from error
    finally:
        geocoder.adapter.session.close()
    raw = (each.raw for each in found or ())
    return [one for one in map(_candidate, raw) if one is not None]


def _opened(server: Server) -> Any:
    parts = urlsplit(server.url)
    return Nominatim(
        user_agent=server.user_agent,
        domain=parts.netloc + parts.path.rstrip("/"),
        scheme=parts.scheme,
        timeout=server.timeout_s,
        # its own would ask thrice
        adapter_factory=lambda *, proxies, ssl_context: RequestsAdapter(
            proxies=proxies, ssl_context=ssl_context, max_retries=0
        ),
    )


def _candidate(raw: Mapping[str, Any]) -> Candidate | None:
    try:
        return Candidate(
            name=str(raw.get("name") or raw.get("display_name") or "").split(",")[0],
            longitude=float(raw["lon"]),
            latitude=float(raw["lat"]),
            kind=f"{raw.get('class') or raw.get('category') or ''}/{raw.get('type') or ''}",
            country=str((raw.get("address") or {}).get("country_code") or "").upper(),
            importance=float(raw.get("importance") or 0.0),
        )
    except (KeyError, TypeError, ValueError):
        return None
