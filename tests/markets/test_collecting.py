"""The collect cycle against the sandbox's exchanges."""

import pytest

from markets.models import Candle
from tests.markets import doing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("exchange", ["binance", "okx"])
def test_first_run_fetches_the_history_asked_for(world, no_naps, exchange):
    collector = doing.make_local(world, exchange, start_at="2026-01-05T00:00:00Z")

    run = doing.collect(collector)

    assert (run.status, run.error_message) == ("done", "")
    moments = list(Candle.objects.order_by("open_time").values_list("open_time", flat=True))
    assert moments == list(range(doing.LISTED_MS, doing.CLOCK_MS, 60_000))
    assert Candle.objects.filter(final=False).count() == 1
