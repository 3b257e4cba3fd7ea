"""A process of its own that asks for pages: ``python -m tests.markets.asker COLLECTOR_ID COUNT``.

It asks as fast as the budget lets it; the test that starts it names the database (``worker``).
"""

import os
import sys

import django


def main() -> None:
    """Ask for the first candles of BTC/USDT so many times, by the collector's means."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.markets.worker_settings")
    django.setup()
    from markets import asking, configuring
    from markets.adapters.wire import PageAsk
    from markets.models import CollectorConfig
    from tests.markets.doing import LISTED_MS
    from tests.markets.factories import MINUTE

    collector = CollectorConfig.objects.select_related("exchange").get(pk=sys.argv[1])
    end_ms = LISTED_MS + 5 * MINUTE
    wanted = PageAsk("BTC/USDT", "BTCUSDT", "1m", MINUTE, LISTED_MS, end_ms, 5, end_ms)
    with asking.line_for(configuring.means_of(collector), holder="tests") as line:
        for _ in range(int(sys.argv[2])):
            line.ask(lambda venue: venue.page(wanted))


if __name__ == "__main__":
    main()
