"""Stored candles beside the exchange's: altered rows are found, repaired, kept; trades too."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from markets import auditing
from markets.auditing import DifferenceOutdatedError
from markets.models import AuditDifference, Candle, CandleRevision, Series
from project import sandbox
from project.core.callers import SYSTEM
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import MINUTE, NOW, make_audit_difference

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def series(world, no_naps):
    """A day of candles as the exchange has them, 1m and 1h."""
    collector = doing.make_local(
        world,
        symbols=[{"symbol": "BTC/USDT", "timeframes": ["1m", "1h"]}],
        start_at="2026-01-06T20:00:00Z",
    )
    assert doing.collect(collector).status == "done"
    return Series.objects.get(timeframe="1m")


def audit(**facts):
    """Look at everything: so many windows that each candle is in one."""
    return doing.execute(
        auditing.ask(None, by=SYSTEM, now=timezone.now(), **{"windows": 12, **facts})
    )


def alter(series, number, **values):
    row = series.candles.order_by("open_time")[number]
    Candle.objects.filter(series=series, open_time=row.open_time).update(**values)
    return row


def test_what_agrees_leaves_no_row(series):
    run = audit()

    assert (run.status, run.error_message) == ("done", "")
    assert run.counts["compared"] > 100
    assert run.counts["trades"] >= 2
    assert run.counts["differences"] == 0
    assert not AuditDifference.objects.exists()


def test_an_altered_row_is_found_shown_and_repaired(series, admin_client):
    row = alter(series, 60, close=1.0, low=0.5)
    made = alter(series, 61, volume=123456.0)

    run = audit(windows=40)

    assert run.counts["differences"] == 2
    difference = AuditDifference.objects.get(open_time=row.open_time)
    assert (difference.kind, difference.told["close"]) == ("differs", row.close)
    assert audit(windows=40).counts["differences"] == 0  # known already
    page = reverse("admin:markets_auditdifference_change", args=[difference.pk])
    assert f"<td>{row.close}</td>" in admin_client.get(page).content.decode()
    deed = reverse("admin:markets_auditdifference_repair", args=[difference.pk])
    admin_client.get(deed)
    assert Candle.objects.get(series=series, open_time=row.open_time).close == 1.0
    admin_client.post(deed, {"_form_submitted": "True"})
    after = Candle.objects.get(series=series, open_time=row.open_time)
    assert (after.close, after.low) == (row.close, row.low)
    difference.refresh_from_db()
    assert (difference.state, bool(difference.settled_by)) == ("repaired", True)
    revision = CandleRevision.objects.get(open_time=row.open_time)
    assert (revision.source, revision.old_close, revision.new_close) == ("audit", 1.0, row.close)
    other = AuditDifference.objects.get(open_time=made.open_time)
    auditing.keep(other, user="somebody", now=NOW)
    assert Candle.objects.get(series=series, open_time=made.open_time).volume == 123456.0


def test_a_candle_that_the_exchange_has_not_is_forgotten(series, world):
    row = series.candles.order_by("open_time")[60]
    world.exchange.candles.add_outage(
        sandbox.Outage(row.open_time, row.open_time + MINUTE, symbol="BTC/USDT")
    )

    audit(windows=40)

    difference = AuditDifference.objects.get(series=series)
    assert (difference.kind, difference.told) == ("not_there", {})
    auditing.repair(difference, user="somebody", now=NOW)
    assert not Candle.objects.filter(series=series, open_time=row.open_time).exists()


def test_a_difference_that_is_no_more_is_gone(series):
    row = alter(series, 60, volume=5.0)
    audit(windows=40)
    alter(series, 60, volume=row.volume)

    audit(windows=40)

    assert list(AuditDifference.objects.values_list("state", flat=True)) == ["gone"]


def test_trades_show_what_candles_hide(series, world):
    """The exchange's candles and ours agree; its trades say otherwise."""
    for row in series.candles.filter(final=True):
        changed = sandbox.Correction("BTC/USDT", "1h", row.open_time, volume="77777")
        world.exchange.candles.correct(changed)
    hours = Series.objects.get(timeframe="1h")
    Candle.objects.filter(series=hours).update(volume=77777.0)

    run = audit(timeframe="1h", windows=1)

    assert run.counts["differences"] == 1
    difference = AuditDifference.objects.get()
    assert (difference.kind, difference.stored["volume"]) == ("trades", 77777.0)
    assert difference.told["volume"] < 77777.0
    assert difference.told["close"] == difference.stored["close"]


def test_an_exchange_that_answers_nonsense_leaves_the_audit_partial(series, world):
    world.exchange.faults.add(Fault(FaultKind.HTML200, path="*/klines"))

    run = audit(windows=1)

    assert (run.status, AuditDifference.objects.count()) == ("partial", 0)
    assert "not compared" in run.error_message


def test_a_difference_out_of_date_changes_nothing(series):
    row = series.candles.order_by("open_time")[3]
    difference = make_audit_difference(series, open_time=row.open_time)

    with pytest.raises(DifferenceOutdatedError, match="changed since"):
        auditing.repair(difference, user="somebody", now=NOW)

    difference.refresh_from_db()
    assert difference.state == "open"
    auditing.keep(difference, user="somebody", now=NOW)
    for deed in (auditing.repair, auditing.keep):
        with pytest.raises(DifferenceOutdatedError, match="settled"):
            deed(difference, user="somebody", now=NOW)


def test_the_command_audits(series, capsys):
    alter(series, 60, volume=5.0)

    call_command("audit_candles", market="binance:BTC/USDT", timeframe="1m", windows=40)

    assert "1 differences" in capsys.readouterr().out
