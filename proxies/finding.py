"""Finding proxies: what the filters of lists mean."""

from dataclasses import dataclass
from datetime import datetime

from project.core.errors import NotFoundError
from proxies.identity import target_of
from proxies.models import Proxy
from proxies.querysets import LeaseQuerySet, ProxyQuerySet


class ProxyNotFoundError(NotFoundError):
    """There is no such proxy."""

    title = "No such proxy"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which proxies are wanted; what is left out doesn't matter."""

    protocol: str = ""
    country: str = ""
    anonymity: str = ""
    pool: str = ""
    state: str = ""
    min_score: float | None = None
    max_latency_ms: float | None = None
    target: str = ""


def narrow(proxies: ProxyQuerySet, wanted: Filter, *, now: datetime) -> ProxyQuerySet:
    """Return those of ``proxies`` that ``wanted`` names."""
    equal = {
        "country": wanted.country.upper(),
        "anonymity": wanted.anonymity,
        "pool": wanted.pool,
        "state": wanted.state,
    }
    found = proxies.filter(**{name: value for name, value in equal.items() if value})
    if wanted.protocol:
        found = found.speaking(wanted.protocol)
    if wanted.min_score is not None:
        found = found.filter(score__gte=wanted.min_score)
    if wanted.max_latency_ms is not None:
        found = found.filter(latency_ms__lte=wanted.max_latency_ms)
    if wanted.target:
        found = found.open_to(target_of(wanted.target), at=now)
    return found


def one(proxies: ProxyQuerySet, proxy_id: int) -> Proxy:
    """Return one of ``proxies``.

    Raises:
        ProxyNotFoundError: it isn't among them.
    """
    found = proxies.filter(pk=proxy_id).first()
    if found is None:
        raise ProxyNotFoundError(f"no proxy {proxy_id}")
    return found


def leases(found: LeaseQuerySet, *, stand: bool | None, now: datetime) -> LeaseQuerySet:
    """Return those of ``found`` that stand now, those that don't, or all."""
    if stand is None:
        return found
    standing = found.standing(at=now)
    return standing if stand else found.exclude(pk__in=standing.values("pk"))
