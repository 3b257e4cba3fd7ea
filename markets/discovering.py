"""Which markets an exchange has: read from it, made known, never enabled by themselves."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from markets import asking, configuring, kinds
from markets.adapters.wire import MarketInfo
from markets.asking import Line, Tools
from markets.models import CollectorConfig, Exchange, Market
from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from project.core.working import Work

#: Lists of markets are read again when they are older than this.
REFRESH_AFTER: Final = timedelta(hours=24)
_BATCH: Final = 500


def ask(collector: CollectorConfig, *, by: Caller, now: datetime) -> Run:
    """Ask for the exchange's list of markets to be read, by the way of ``collector``.

    Raises:
        AlreadyRunningError: it is being read; ``run_id`` names the run.
    """
    return runs.submit(
        runs.Ask(
            kind=kinds.DISCOVER.name,
            subject=collector.exchange.name,
            about=("markets.exchange", collector.exchange_id),
            payload={"collector_id": collector.pk},
            exclusive_key=f"discover:{collector.exchange_id}",
        ),
        by=by,
        now=now,
    )


def run(work: Work) -> None:
    """Read the list of markets of the collector's exchange."""
    found = CollectorConfig.objects.select_related("exchange")
    collector = found.get(pk=work.payload["collector_id"])
    means = configuring.means_of(collector)
    with asking.line_for(means, holder="markets.discover", tools=Tools(check=work.check)) as line:
        made = refresh(collector.exchange, line, now=timezone.now())
    work.report(phase="reading", counts={"markets": made})


def is_due(exchange: Exchange, *, now: datetime) -> bool:
    """Say whether the exchange's markets are unknown, or read too long ago."""
    read_at = exchange.refreshed_at
    return read_at is None or now - read_at > REFRESH_AFTER


def refresh(exchange: Exchange, line: Line, *, now: datetime) -> int:
    """Read the list of markets; new ones are made, known ones brought up to date; return how many.

    What the exchange tells of its limits in the same answer is kept with it.

    Whether a market is enabled is the staff's affair and stays. A market that the exchange no
    longer lists stays too, marked as such.

    Raises:
        AppError: as ``Line.ask``.
    """
    told, rates = line.ask(lambda venue: (venue.markets(), venue.rates()))
    found = {info.symbol: info for info in told}
    rows = [_row(exchange, info) for info in found.values()]
    with transaction.atomic():
        Market.objects.bulk_create(
            rows,
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["exchange", "symbol"],
            update_fields=["base", "quote", "exchange_symbol", "is_listed", "listed_ms"],
        )
        gone = Market.objects.filter(exchange=exchange, is_listed=True)
        names = list(set(gone.values_list("symbol", flat=True)) - set(found))
        for start in range(0, len(names), _BATCH):
            gone.filter(symbol__in=names[start : start + _BATCH]).update(is_listed=False)
        exchange.refreshed_at = now
        exchange.rate_limits = [asdict(rate) for rate in rates]
        exchange.save(update_fields=["refreshed_at", "rate_limits"])
    return len(rows)


def _row(exchange: Exchange, info: MarketInfo) -> Market:
    return Market(
        exchange=exchange,
        symbol=info.symbol,
        base=info.base[:30],
        quote=info.quote[:30],
        exchange_symbol=info.exchange_symbol[:60],
        is_listed=info.is_listed,
        listed_ms=info.listed_ms,
    )
