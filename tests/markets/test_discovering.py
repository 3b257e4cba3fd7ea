"""Which markets an exchange has."""

from datetime import timedelta

import pytest
from django.utils import timezone

from markets import asking, configuring, discovering
from markets.models import Market
from project.core.callers import SYSTEM
from tests.markets import doing
from tests.markets.factories import NOW, make_exchange, make_market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("exchange", ["binance", "okx"])
def test_markets_are_read_and_known_ones_brought_up_to_date(world, no_naps, exchange):
    collector = doing.make_local(world, exchange)
    known = make_market("BTC/USDT", exchange, base="?", enabled=True)
    gone = make_market("OLD/USDT", exchange, enabled=True)
    with asking.line_for(configuring.means_of(collector), holder="tests") as line:
        count = discovering.refresh(collector.exchange, line, now=NOW)

    known.refresh_from_db()
    gone.refresh_from_db()
    assert count == 3
    assert (known.base, known.enabled, known.is_listed) == ("BTC", True, True)
    assert known.exchange_symbol == ("BTCUSDT" if exchange == "binance" else "BTC-USDT")
    assert (gone.enabled, gone.is_listed) == (True, False)
    new = Market.objects.get(symbol="SOL/USDT", exchange__name=exchange)
    assert (new.enabled, new.quote) == (False, "USDT")
    assert (new.listed_ms == doing.LISTED_MS) is (exchange == "okx")


def test_the_list_is_due_after_a_day():
    exchange = make_exchange()

    assert discovering.is_due(exchange, now=NOW)
    exchange.refreshed_at = NOW
    assert not discovering.is_due(exchange, now=NOW + timedelta(hours=23))
    assert discovering.is_due(exchange, now=NOW + timedelta(hours=25))


def test_a_run_reads_the_list(world, no_naps):
    run = discovering.ask(doing.make_local(world), by=SYSTEM, now=timezone.now())

    doing.execute(run)

    assert (run.status, run.counts) == ("done", {"markets": 3})
