"""Which sites proxies are to reach for the collectors: the proxies app asks whether they do."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from markets import configuring
from markets.adapters import venues
from markets.choices import Egress
from markets.models import CollectorConfig

#: What costs an exchange least, and answers everybody; the root of others.
_CHEAPEST: Final = {"binance": "/api/v3/ping", "okx": "/api/v5/public/time"}


def sites() -> Iterator[str]:
    """Yield the URL to ask for each enabled collector that may leave by proxies.

    A collector whose address needs a variable that isn't set is passed over: its own cycle says so.
    """
    rows = CollectorConfig.objects.filter(enabled=True).exclude(egress=Egress.DIRECT)
    for collector in rows.select_related("exchange"):
        try:
            means = configuring.means_of(collector)
        except configuring.BadCollectorError:
            continue
        own = urlsplit(means.rest_url)
        root = f"{own.scheme}://{own.netloc}" if own.netloc else _usual(means.exchange)
        if root:
            yield f"{root}{_CHEAPEST.get(means.exchange, '/')}"


def _usual(exchange: str) -> str:
    return f"https://{venues.host_of(exchange)}" if venues.is_known(exchange) else ""
