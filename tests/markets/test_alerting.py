"""When staff are told that a market can't be collected."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from markets import alerting
from markets.adapters.wire import AnswerTimeoutError, NetworkError
from markets.models import Alert
from project.core import announcing
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import NOW, make_alert, make_collector_config, make_market


@pytest.fixture
def heard():
    """Everything that is announced while the test runs."""
    found: list[announcing.Announcement] = []
    announcing.listen(found.append)
    yield found
    announcing.stop_listening(found.append)


def fail(collector, market, error=None):
    return alerting.failed(collector, market, error or NetworkError("cut"), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_an_alert_is_raised_after_so_many_failures_and_closed_by_the_next_success(heard):
    collector, market = make_collector_config(), make_market()

    assert fail(collector, market).raised_at is None
    assert fail(collector, market).raised_at is None
    assert fail(collector, market).raised_at == NOW
    later = alerting.failed(
        collector, market, AnswerTimeoutError("slow"), now=NOW + timedelta(minutes=1)
    )

    assert (later.failures, later.raised_at, later.error_class) == (4, NOW, "timeout")
    assert alerting.succeeded(collector, {market.pk}, now=NOW) == 1
    assert Alert.objects.get().closed_at == NOW
    assert [(one.name, one.data["failures"]) for one in heard] == [
        ("markets.alert_raised", 3),
        ("markets.alert_closed", 4),
    ]
    assert heard[0].data["market"] == str(market)


@pytest.mark.django_db(transaction=True)
def test_failures_that_never_became_an_alert_are_forgotten(heard):
    collector, market = make_collector_config(), make_market()

    fail(collector, market)
    fail(collector, market)

    assert alerting.succeeded(collector, {market.pk}, now=NOW) == 0
    assert not Alert.objects.exists()
    assert fail(collector, market).failures == 1
    assert heard == []


@pytest.mark.django_db
def test_another_collector_or_market_counts_by_itself():
    one, two, market, other = (
        make_collector_config(),
        make_collector_config(),
        make_market(),
        make_market(),
    )

    for collector, chosen in ((one, market), (two, market), (one, other)):
        fail(collector, chosen)

    assert list(Alert.objects.values_list("failures", flat=True)) == [1, 1, 1]
    alerting.succeeded(one, {market.pk}, now=NOW)
    assert Alert.objects.count() == 2


@pytest.mark.django_db
def test_how_many_failures_it_takes_is_a_setting(settings):
    settings.ALERT_AFTER_FAILURES = 1

    assert fail(make_collector_config(), make_market()).raised_at == NOW


@pytest.mark.django_db(transaction=True)
def test_rivals_count_every_failure_and_raise_one_alert(heard):
    collector, market = make_collector_config(), make_market()

    def tell(_number):
        try:
            fail(collector, market)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(24)))

    assert Alert.objects.get().failures == 24
    assert [one.name for one in heard] == ["markets.alert_raised"]


@pytest.mark.django_db
def test_one_member_of_staff_takes_care():
    alert = make_alert()

    assert alerting.take_care(alert, user="ann", now=NOW)
    assert not alerting.take_care(alert, user="bob", now=NOW)
    alert.refresh_from_db()
    assert alert.seen_by == "ann"


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"failures": 0}, {"raised_at": None, "closed_at": NOW}])
def test_the_database_refuses_alerts_that_make_no_sense(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_alert(**fields)


@pytest.mark.django_db
def test_one_open_alert_of_a_collector_and_a_market():
    alert = make_alert()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_alert(collector=alert.collector, market=alert.market)
    Alert.objects.update(closed_at=NOW)
    make_alert(collector=alert.collector, market=alert.market)


@pytest.mark.django_db(transaction=True)
def test_cycles_that_fail_raise_an_alert_keep_the_log_and_a_success_ends_it(world, no_naps, heard):
    pairs = [{"symbol": name, "timeframes": ["1m"]} for name in ("BTC/USDT", "ETH/USDT")]
    collector = doing.make_local(world, symbols=pairs, retry_attempts=2)
    doing.collect(collector)
    fault = Fault(FaultKind.HTML200, path="*/klines", symbol="BTC/USDT")
    number = world.exchange.faults.add(fault)

    runs = [doing.collect(collector) for _ in range(3)]

    assert {run.status for run in runs} == {"partial"}
    alert = Alert.objects.get()
    assert (str(alert.market), alert.failures, alert.error_class) == (
        "binance:BTC/USDT",
        3,
        "bad_response",
    )
    assert alert.raised_at is not None
    from markets.models import ApiErrorLog

    rows = ApiErrorLog.objects.order_by("id")
    assert {(row.market, row.error_class, row.collector) for row in rows} == {
        ("BTC/USDT", "bad_response", collector.name)
    }
    assert [row.attempt for row in rows] == [1, 2] * 3
    assert {row.run_id for row in rows} == {run.pk for run in runs}

    world.exchange.faults.remove(number)
    doing.collect(collector)

    alert.refresh_from_db()
    assert alert.closed_at is not None
    assert alert.closed_at <= timezone.now()
    assert [one.name for one in heard] == ["markets.alert_raised", "markets.alert_closed"]


@pytest.mark.django_db(transaction=True)
def test_an_exchange_that_is_gone_counts_for_all_its_markets(world, no_naps):
    pairs = [{"symbol": name, "timeframes": ["1m"]} for name in ("BTC/USDT", "ETH/USDT")]
    collector = doing.make_local(world, symbols=pairs, retry_attempts=1)
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=500))

    run = doing.collect(collector)

    assert run.error_type == "exchange_unavailable"
    assert sorted(str(one.market) for one in Alert.objects.all()) == [
        "binance:BTC/USDT",
        "binance:ETH/USDT",
    ]
