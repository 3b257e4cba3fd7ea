"""``python -m tests.benchmarks.markets_stream``: M-19's measurement.

A million candles out of a real web process, in every form, on whichever database ``DATABASE_URL``
names. CANDLES (1,000,000) says how many.
"""

import os
import sys

import pytest

if __name__ == "__main__":  # first: pytest sets up what the imports below need
    sys.exit(pytest.main([__file__, "-qs", "-p", "no:cacheprovider", *sys.argv[1:]]))

from django.db import connection

from markets import storing
from markets.choices import Source
from tests.benchmarks.markets_upsert import NOW, rows
from tests.factories import make_key, make_user
from tests.markets import streaming
from tests.markets.factories import START_MS, make_series
from tests.project.servers import Server

COUNT = int(os.environ.get("CANDLES", "1000000"))
FORMS = ("json", "csv", "parquet", "arrow")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_a_million_candles_in_flat_memory():
    series = make_series("BTC/USDT")
    storing.upsert_candles(series_id=series.pk, rows=rows(0, COUNT), source=Source.COLLECT, now=NOW)
    secret = make_key(make_user()).secret
    address = f"/api/markets/{series.market_id}/candles?start={START_MS}&format="
    server = Server("uvicorn")
    server.start()
    try:
        for form in FORMS:
            small = streaming.read(
                server.port, server.pid, f"{address}{form}&limit=100000", secret=secret
            )
            found = streaming.read(
                server.port, server.pid, f"{address}{form}&limit={COUNT}", secret=secret
            )
            grown = found.peak_mb - small.peak_mb
            print(
                f"{form}: {found.size_bytes / 1e6:.0f} MB in {found.whole_s:.1f} s, first byte after"
                f" {found.first_s * 1000:.0f} ms, peak {found.peak_mb:.0f} MB: {grown:+.1f} MB"
                f" over that of 100,000 ({connection.vendor})",
            )
            assert found.status == 200
            assert found.first_s < 0.2
            assert grown < 32
    finally:
        server.stop()
