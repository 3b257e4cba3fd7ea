from datetime import timedelta

import pytest
from django.utils import timezone

from project import sandbox
from project.core import addresses, runs
from project.core.callers import SYSTEM
from project.core.models import Run, RunEvent
from project.sandbox import Fault, FaultKind, ProxySpec
from proxies import fetching, kinds, metrics
from proxies.adapters.lists import Limits
from proxies.fetching import UnknownSourceError
from proxies.models import Proxy, ProxySource
from tests.proxies.factories import NOW, make_proxy, make_proxy_source

pytestmark = pytest.mark.django_db(transaction=True)
SPECS = [
    ProxySpec(),
    ProxySpec(sandbox.Protocol.SOCKS5, username="hans", password="ge@heim:1"),
    ProxySpec(sandbox.Protocol.SOCKS4),
]


@pytest.fixture(scope="module")
def world():
    with sandbox.running(sandbox.WorldPlan(proxies=SPECS, symbols=())) as found:
        yield found


@pytest.fixture
def lists(world, private_networks):
    world.lists.faults.clear()
    world.lists.log.clear()
    return world.lists


def fetch(do, *sources):
    ids = [source.pk for source in sources]
    return do(fetching.submit(ids, by=SYSTEM, now=timezone.now()), fetching.run)


def counted(source, outcome):
    return metrics.FETCHES.labels(source.name, outcome)._value.get()


@pytest.mark.parametrize(
    "shape",
    ["urls.txt", "strings.json", "proxies.json", "proxies.jsonl", "proxies.csv"],
)
def test_a_source_of_each_format_gives_the_same_proxies(lists, do, shape):
    source = make_proxy_source(url=lists.list_url(shape))

    run = fetch(do, source)

    source.refresh_from_db()
    found = set(Proxy.objects.values_list("scheme", "username"))
    assert (run.status, run.counts["new"]) == ("done", 3)
    assert found == {("http", ""), ("socks5", "hans"), ("socks4", "")}
    assert Proxy.objects.get(scheme="socks5").password == "ge@heim:1"
    assert (source.last_outcome, source.last_accepted, source.failures_in_row) == ("success", 3, 0)
    assert source.entries.count() == 3


@pytest.mark.parametrize("shape", ["plain.txt", "table.html", "spys.txt"])
def test_a_source_without_protocols_takes_those_that_it_is_said_to_have(lists, do, shape):
    source = make_proxy_source(
        url=f"{lists.list_url(shape)}?protocol=socks4", default_protocol="socks4"
    )

    fetch(do, source)

    assert set(Proxy.objects.values_list("scheme", flat=True)) == {"socks4"}


def test_pasted_text_is_a_source(do):
    source = make_proxy_source(kind="text", url="", text="socks5://8.8.8.8:1080\n10.0.0.1:80\n")

    fetch(do, source)

    source.refresh_from_db()
    assert Proxy.objects.get().endpoint == "socks5://8.8.8.8:1080"
    assert source.last_samples == [{"line": 2, "text": "10.0.0.1:80", "reason": "private_address"}]


@pytest.mark.parametrize(
    ("fault", "outcome", "error_type"),
    [
        (Fault(FaultKind.STATUS, status=500), "error", "network"),
        (Fault(FaultKind.DISCONNECT), "error", "network"),
        (Fault(FaultKind.HANG), "error", "timeout"),
        (Fault(FaultKind.EMPTY200), "empty", ""),
        (Fault(FaultKind.REDIRECT, location="/lists/none"), "error", "network"),
    ],
    ids=lambda value: getattr(getattr(value, "kind", value), "value", value),
)
def test_a_failure_is_written_down_and_never_shrinks_the_pool(
    lists, do, monkeypatch, fault, outcome, error_type
):
    monkeypatch.setattr(fetching, "limits", lambda: Limits(total_s=0.5, connect_s=0.5))
    make_proxy()
    source = make_proxy_source(url=lists.list_url())
    lists.faults.add(fault)
    before = counted(source, outcome)

    fetch(do, source)

    source.refresh_from_db()
    assert (source.last_outcome, source.last_error_type) == (outcome, error_type)
    assert (source.failures_in_row, counted(source, outcome)) == (1, before + 1)
    assert Proxy.objects.count() == 1


def test_broken_json_is_a_parse_error(lists, do):
    source = make_proxy_source(url=lists.list_url("proxies.json"))
    lists.faults.add(Fault(FaultKind.CUT_BODY))

    run = fetch(do, source)

    source.refresh_from_db()
    assert source.last_outcome == "error"
    assert (run.status, run.error_type) == ("failed", "nothing_fetched")


def test_one_failure_among_several_leaves_the_run_partial(lists, do):
    good = make_proxy_source(url=lists.list_url())
    bad = make_proxy_source(url="http://127.0.0.1:1/none", name="the bad one")

    run = fetch(do, good, bad)

    assert (run.status, run.counts["failed"]) == ("partial", 1)
    assert "the bad one" in run.error_message


def test_a_list_inside_a_private_network_is_not_fetched(world, do):
    source = make_proxy_source(url=world.lists.list_url())
    world.lists.log.clear()

    run = fetch(do, source)

    source.refresh_from_db()
    assert (run.status, source.last_error) == ("failed", "leads into a private network")
    assert not list(world.lists.log.entries())


def test_a_redirect_into_a_private_network_is_refused(world, do, settings, monkeypatch):
    real = addresses.is_allowed
    monkeypatch.setattr(
        addresses,
        "is_allowed",
        lambda address: str(address) == "127.0.0.1" or real(address),
    )
    world.lists.faults.clear()
    world.lists.faults.add(
        Fault(FaultKind.REDIRECT, location="http://169.254.169.254/latest/meta-data")
    )
    source = make_proxy_source(url=world.lists.list_url())

    fetch(do, source)

    source.refresh_from_db()
    assert source.last_error == "leads into a private network"


def test_a_name_that_leads_inside_is_refused(world, do):
    port = world.lists.url.rsplit(":", 1)[1]
    source = make_proxy_source(url=f"http://localhost:{port}/lists/urls.txt")
    world.lists.log.clear()

    fetch(do, source)

    source.refresh_from_db()
    assert (source.last_outcome, source.last_error_type) == ("error", "network")
    assert not list(world.lists.log.entries())


def test_a_list_that_is_too_large_is_left(lists, do, settings):
    settings.PROXY_LIST_MAX_BYTES = 20
    source = make_proxy_source(url=lists.list_url())

    fetch(do, source)

    source.refresh_from_db()
    assert (source.last_error, Proxy.objects.count()) == ("larger than 20 bytes", 0)


def test_headers_of_a_source_are_sent_and_told_nobody(lists, do):
    source = make_proxy_source(url=lists.list_url(), headers="X-Token: geheim\nnonsense\n")

    run = fetch(do, source)

    assert fetching.headers_of(source) == {"X-Token": "geheim"}
    told = [run.payload, run.counts, run.error_message]
    told += list(RunEvent.objects.values_list("data", flat=True))
    assert "heim" not in str(told)


def test_from_beat_only_sources_that_are_due_are_fetched(lists, do):
    now = timezone.now()
    due = make_proxy_source(url=lists.list_url())
    fresh = make_proxy_source(url=lists.list_url(), next_fetch_at=now + timedelta(hours=1))
    off = make_proxy_source(url=lists.list_url(), is_enabled=False)

    run = do(runs.submit(runs.Ask(kinds.FETCH.name), by=SYSTEM, now=now), fetching.run)

    fetched = ProxySource.objects.exclude(last_fetch_at=None)
    assert (run.status, list(fetched)) == ("done", [due])
    assert {fresh, off}.isdisjoint(fetched)


def test_who_goes_on_with_a_fetch_leaves_out_what_is_done(lists, do):
    first, second = make_proxy_source(url=lists.list_url()), make_proxy_source(url=lists.list_url())
    run = fetching.submit([first.pk, second.pk], by=SYSTEM, now=timezone.now())
    Run.objects.filter(pk=run.pk).update(checkpoint={"done": [first.pk]})

    do(run, fetching.run)

    assert list(ProxySource.objects.exclude(last_fetch_at=None)) == [second]


def test_submit_refuses_unknown_sources():
    with pytest.raises(UnknownSourceError):
        fetching.submit([987654], by=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 30), (1, 30), (2, 30), (3, 60), (4, 120), (50, 24 * 60)]
)
def test_a_source_that_fails_time_after_time_is_asked_less_often(failures, minutes):
    found = fetching.next_interval(1800, failures_in_row=failures)

    assert found == timedelta(minutes=minutes)
