"""Long answers of a real web process: they begin at once and leave its memory flat."""

import pytest

from markets import storing
from markets.choices import Source
from tests.factories import make_key, make_user
from tests.markets import streaming
from tests.markets.factories import MINUTE, NOW, START_MS, make_row, make_series
from tests.project.servers import Server

COUNT = 250_000
#: As Python objects the rows alone would take over 60 MB more.
MOST_MB = 32


@pytest.mark.django_db(transaction=True)
def test_memory_stays_flat():
    series = make_series("BTC/USDT")
    rows = (make_row(START_MS + number * MINUTE, 100.0 + number) for number in range(COUNT))
    storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.IMPORT, now=NOW)
    secret = make_key(make_user()).secret
    for form in ("json", "csv", "parquet", "arrow"):  # storing the rows once is the most of it
        address = f"/api/markets/{series.market_id}/candles?start={START_MS}&format={form}"
        server = Server("uvicorn")
        server.start()
        try:
            small = streaming.read(server.port, server.pid, f"{address}&limit=50000", secret=secret)
            found = streaming.read(
                server.port, server.pid, f"{address}&limit={COUNT}", secret=secret
            )
        finally:
            server.stop()

        assert (small.status, found.status) == (200, 200), form
        assert found.size_bytes > 4 * small.size_bytes, form
        assert found.peak_mb - small.peak_mb < MOST_MB, form
