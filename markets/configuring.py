"""Collectors in the database: taken from files, given back as files, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import yaml
from django.db import transaction

from markets import collectorfiles, timeframes
from markets.adapters import venues
from markets.choices import Egress, Policy
from markets.collectorfiles import BadCollectorFileError, CollectorFile
from markets.detecting import USUAL, Limits
from markets.models import CollectorConfig, Exchange, Market, Series
from markets.rates import Rate
from project.core.errors import FieldProblem, InvalidInputError
from project.core.moments import stamp


class BadCollectorError(InvalidInputError):
    """The collector can't work as it is configured."""

    code = "bad_collector"
    title = "The collector can't work like this"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file: the collector, and whether it was new or changed."""

    collector: CollectorConfig
    created: bool
    changed: bool


#: Field of the row, by the path of the key in a file.
_PATHS: Final[dict[tuple[str, ...], str]] = {
    ("exchange", "urls", "rest"): "rest_url",
    ("exchange", "urls", "ws"): "ws_url",
    ("exchange", "timeout_s"): "timeout_s",
    ("symbols",): "symbols",
    ("mode", "type"): "mode",
    ("mode", "start"): "start_at",
    ("mode", "end"): "end_at",
    ("request", "limit"): "request_limit",
    ("request", "concurrency"): "concurrency",
    ("rate_limit", "requests"): "rate_requests",
    ("rate_limit", "per_s"): "rate_per_s",
    ("retry", "attempts"): "retry_attempts",
    ("retry", "base_s"): "retry_base_s",
    ("retry", "max_s"): "retry_max_s",
    ("validation", "policy"): "validation_policy",
    ("validation", "price_jump_mad"): "price_jump_mad",
    ("validation", "sparse"): "is_sparse",
    ("egress",): "egress",
}


#: Field of the row, by the key as people write it, e.g. ``retry.attempts``.
KEYS: Final = {".".join(path): field for path, field in _PATHS.items()}


def wanted_of(
    text: str, *, name: str, env: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], CollectorFile]:
    """Return the fields of the row that a file wants, and the file; nothing is written.

    Raises:
        BadCollectorFileError: names file, line, key and expectation.
    """
    file, document = collectorfiles.read(text, name=name, env=env)
    if not venues.is_known(file.exchange.id):
        known = FieldProblem("exchange.id", "unknown_exchange", "an exchange that ccxt knows")
        line = collectorfiles.line_of(text, ("exchange", "id"))
        raise BadCollectorFileError(
            f"{name}, line {line}, exchange.id: expected an exchange that ccxt knows, "
            f"not {file.exchange.id!r}",
            fields=(known,),
        )
    _require_urls(file, name, env, text)
    _require_timeframes(file, name, text)
    return {**_fields_of(file), "source": document}, file


def load(text: str, *, name: str, env: Mapping[str, str] | None = None) -> Loaded:
    """Take a collector file: make its collector, or bring it up to date; markets are enabled.

    Raises:
        BadCollectorFileError: names file, line, key and expectation; nothing was taken.
    """
    wanted, file = wanted_of(text, name=name, env=env)
    with transaction.atomic():
        exchange = exchange_of(file.exchange.id)
        wanted["exchange"] = exchange
        known_row = CollectorConfig.objects.filter(name=file.name).first()
        if known_row is None:
            row = CollectorConfig.objects.create(name=file.name, **wanted)
        else:
            row = known_row
            changed = [key for key, value in wanted.items() if getattr(row, key) != value]
            for key in changed:
                setattr(row, key, wanted[key])
            if not changed:
                return Loaded(row, created=False, changed=False)
            row.save(update_fields=changed)
        ensure_series(row)
    return Loaded(row, created=known_row is None, changed=True)


def _require_urls(
    file: CollectorFile, name: str, env: Mapping[str, str] | None, text: str = ""
) -> None:
    for key, value in (("rest", file.exchange.urls.rest), ("ws", file.exchange.urls.ws)):
        at = collectorfiles.line_of(text, ("exchange", "urls", key))
        where = f"{name}, line {at}, exchange.urls.{key}"
        schemes = ("http://", "https://") if key == "rest" else ("ws://", "wss://")
        try:
            url = collectorfiles.expand(value, env)
        except collectorfiles.UnsetVariableError as error:
            raise BadCollectorFileError(f"{where}: {error}") from error
        if url and not url.startswith(schemes):
            problem = FieldProblem(f"exchange.urls.{key}", "bad_url", f"a URL, {schemes[1]}…")
            raise BadCollectorFileError(
                f"{where}: expected a URL that starts with {schemes[0]} or {schemes[1]}",
                fields=(problem,),
            )


def _require_timeframes(file: CollectorFile, name: str, text: str = "") -> None:
    """Refuse timeframes that the exchange doesn't have: each cycle would fail."""
    has = venues.timeframes_of(file.exchange.id)
    for number, part in enumerate(file.symbols):
        lacks = [one for one in part.timeframes if has and one not in has]
        if lacks:
            at = collectorfiles.line_of(text, ("symbols", number, "timeframes"))
            known = ", ".join(one for one in timeframes.KNOWN if one in has)
            key = f"symbols.{number}.timeframes"
            raise BadCollectorFileError(
                f"{name}, line {at}, {key}: expected timeframes that {file.exchange.id} has "
                f"({known}), not {lacks[0]!r}",
                fields=(FieldProblem(key, "unknown_timeframe", f"of {known}"),),
            )


def exchange_of(name: str) -> Exchange:
    """Return the row of an exchange; made where it is new."""
    found = Exchange.objects.filter(name=name).first()
    if found is None:
        made = {"title": venues.title_of(name)}
        found, _ = Exchange.objects.get_or_create(name=name, defaults=made)
    return found


def ensure_series(collector: CollectorConfig) -> list[Series]:
    """Return the series that a collector names; markets that are new are enabled with it."""
    found: list[Series] = []
    for part in collector.symbols:
        base, _, quote = part["symbol"].partition("/")
        market, _ = Market.objects.get_or_create(
            exchange_id=collector.exchange_id,
            symbol=part["symbol"],
            defaults={"base": base, "quote": quote.partition(":")[0], "enabled": True},
        )
        found += [
            Series.objects.get_or_create(market=market, timeframe=timeframe)[0]
            for timeframe in part["timeframes"]
        ]
    return found


def _fields_of(file: CollectorFile) -> dict[str, Any]:
    """Return the row's fields; what the database compares is plain JSON."""
    found: dict[str, Any] = {}
    for path, field in _PATHS.items():
        value: Any = file
        for step in path:
            value = getattr(value, step)
        found[field] = value
    found["symbols"] = [part.model_dump() for part in file.symbols]
    return found


def validate(collector: CollectorConfig) -> None:
    """Check a collector that was edited by hand as strictly as a file.

    Raises:
        BadCollectorFileError: names the key and what was expected.
    """
    text = yaml.safe_dump(_plain_document(collector), sort_keys=False)
    file, _ = collectorfiles.read(text, name=collector.name)
    _require_urls(file, collector.name, None)
    _require_timeframes(file, collector.name)


class _Dumper(yaml.SafeDumper):
    """Writes moments without quotes, as people do."""


_Dumper.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def dump(collector: CollectorConfig) -> str:
    """Return the collector as a file: what was written stays as written where it still holds."""
    document = _plain_document(collector)
    source = collector.source if isinstance(collector.source, dict) else {}
    kept = _as_written(document, source, CollectorFile.model_validate(document))
    return yaml.dump(
        kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )


def _plain_document(collector: CollectorConfig) -> dict[str, Any]:
    document: dict[str, Any] = {"name": collector.name, "exchange": {"id": collector.exchange.name}}
    for path, field in _PATHS.items():
        value = getattr(collector, field)
        if isinstance(value, datetime):
            value = stamp(value).replace(".000Z", "Z")
        if value is None:
            continue
        inner = document
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
        inner[path[-1]] = value
    return document


def _as_written(document: dict[str, Any], source: dict[str, Any], now: CollectorFile) -> Any:
    """Return the document with each part as the source has it, where that still means the same."""
    kept: dict[str, Any] = {}
    for key in source:
        if key in CollectorFile.model_fields:
            kept[key] = _part_as_written(key, document, source, now)
    rest = (key for key in document if key not in source and not _is_usual(key, now))
    return kept | {key: document[key] for key in rest}


def _part_as_written(
    key: str, document: dict[str, Any], source: dict[str, Any], now: CollectorFile
) -> Any:
    """Return a part from the source if the file with it would mean the same, else as it is now."""
    candidate = {**document, key: source[key]}
    text = yaml.safe_dump(candidate, sort_keys=False)
    try:
        file, _ = collectorfiles.read(text, name="source")
    except BadCollectorFileError:
        return document[key]
    if getattr(file, key) == getattr(now, key):
        return source[key]
    return document[key]


def _is_usual(key: str, now: CollectorFile) -> bool:
    """Say whether a part that the source leaves out still has its defaults."""
    field = CollectorFile.model_fields[key]
    return not field.is_required() and getattr(now, key) == field.default


@dataclass(frozen=True, slots=True)
class Means:
    """How a collector's requests leave: plain values, for threads.

    Attributes:
        rest_url: expanded; empty: the exchange's own.
        exchange_rates: what one address may ask of the exchange, see ``rates_of``.
    """

    exchange: str
    rest_url: str
    timeout_s: float
    rate_requests: int
    rate_per_s: float
    retry_attempts: int
    retry_base_s: float
    retry_max_s: float
    egress: Egress
    policy: Policy
    request_limit: int
    limits: Limits = USUAL
    exchange_rates: tuple[Rate, ...] = ()

    @property
    def rates(self) -> tuple[Rate, ...]:
        """Return all rates that a request falls under: the collector's own first."""
        return (Rate(self.rate_requests, self.rate_per_s), *self.exchange_rates)


def means_of(collector: CollectorConfig) -> Means:
    """Return how the collector's requests leave.

    Raises:
        BadCollectorError: its URL names a variable that is not set.
    """
    try:
        rest_url = collectorfiles.expand(collector.rest_url)
    except collectorfiles.UnsetVariableError as error:
        raise BadCollectorError(f"{collector.name}: {error}") from error
    return Means(
        exchange=collector.exchange.name,
        rest_url=rest_url,
        timeout_s=collector.timeout_s,
        rate_requests=collector.rate_requests,
        rate_per_s=collector.rate_per_s,
        retry_attempts=collector.retry_attempts,
        retry_base_s=collector.retry_base_s,
        retry_max_s=collector.retry_max_s,
        egress=Egress(collector.egress),
        policy=Policy(collector.validation_policy),
        request_limit=collector.request_limit,
        limits=Limits(collector.price_jump_mad, collector.is_sparse),
        exchange_rates=rates_of(collector.exchange),
    )


def rates_of(exchange: Exchange) -> tuple[Rate, ...]:
    """Return what one address may ask of an exchange: as it told, else as ccxt knows."""
    told = tuple(Rate(**one) for one in exchange.rate_limits or ())
    return told or venues.usual_rates(exchange.name)


def collector_of(series: Series) -> CollectorConfig:
    """Return the collector that names a series; the first by name of several.

    Raises:
        BadCollectorError: none does, so nobody knows how to ask for its candles.
    """
    rows = CollectorConfig.objects.filter(exchange_id=series.market.exchange_id)
    for collector in rows.select_related("exchange").order_by("-enabled", "name"):
        for part in collector.symbols:
            if part["symbol"] == series.market.symbol and series.timeframe in part["timeframes"]:
                return collector
    raise BadCollectorError(f"no collector names {series}")
