from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from proxies import storing
from proxies.models import Proxy, SourceEntry
from proxies.parsing import Candidate, Refused, parse_text
from proxies.storing import Tally
from tests.project.rivals import rivals
from tests.proxies.factories import NOW, make_proxy, make_proxy_source

LATER = NOW + timedelta(hours=1)


def take(text, source=None, now=NOW):
    tally = Tally()
    for latest in storing.take(parse_text(text), source=source, now=now):
        tally = latest
    return tally


def counts(tally):
    return (tally.accepted, tally.new, tally.duplicates, tally.rejected)


@pytest.mark.django_db
def test_take_stores_new_proxies_and_counts_the_rest():
    tally = take("8.8.8.8:80\n8.8.8.8:80\nhttp://hans:geheim@8.8.4.4:81\n999.1.1.1:80\n")

    assert counts(tally) == (2, 2, 1, 1)
    assert dict(tally.reasons) == {"bad_address": 1}
    proxy = Proxy.objects.get(host="8.8.4.4")
    assert (proxy.username, proxy.password, proxy.state) == ("hans", "geheim", "unproven")
    assert (proxy.pool, proxy.score, proxy.check_due_at) == ("", None, NOW)


@pytest.mark.django_db
def test_the_same_address_by_another_protocol_or_login_is_another_proxy():
    tally = take(
        "http://8.8.8.8:80\nsocks5://8.8.8.8:80\nhttp://a:x@8.8.8.8:80\nhttp://a:y@8.8.8.8:80\n"
    )

    assert counts(tally) == (4, 4, 0, 0)
    assert len(set(Proxy.objects.values_list("exclusive_key", flat=True))) == 4


@pytest.mark.django_db
def test_take_of_a_known_proxy_keeps_what_is_known_of_it():
    known = make_proxy(host="8.8.8.8", port=80, score=77.0)

    tally = take("8.8.8.8:80", now=LATER)

    known.refresh_from_db()
    assert counts(tally) == (1, 0, 1, 0)
    assert (known.score, known.state, known.last_seen_at) == (77.0, "healthy", LATER)


@pytest.mark.django_db
def test_a_retired_proxy_that_is_named_again_is_checked_again():
    retired = make_proxy(
        host="8.8.8.8", port=80, state="retired", retired_at=NOW, failures_in_row=12, score=3.0
    )
    blocked = make_proxy(host="8.8.4.4", port=80, state="blocked")

    take("8.8.8.8:80\n8.8.4.4:80", now=LATER)

    retired.refresh_from_db()
    blocked.refresh_from_db()
    assert (retired.state, retired.check_due_at, retired.score) == ("failing", LATER, 3.0)
    assert blocked.state == "blocked"


@pytest.mark.django_db
def test_an_empty_list_takes_nothing_away():
    make_proxy()

    assert counts(take("")) == (0, 0, 0, 0)
    assert Proxy.objects.count() == 1


@pytest.mark.django_db
def test_take_remembers_which_source_named_what_and_when():
    source = make_proxy_source()
    take("8.8.8.8:80", source=source)

    take("8.8.8.8:80\n8.8.4.4:80", source=source, now=LATER)

    entries = SourceEntry.objects.order_by("proxy__host")
    found = entries.values_list("proxy__host", "first_seen_at", "last_seen_at")
    assert list(found) == [("8.8.4.4", LATER, LATER), ("8.8.8.8", NOW, LATER)]


@pytest.mark.django_db
def test_samples_are_few_however_many_lines_are_refused():
    tally = take("x\n" * 100)

    assert (tally.rejected, len(tally.samples)) == (100, storing.SAMPLES)
    assert tally.samples[0] == Refused(1, "x", "not_a_proxy")


@pytest.mark.django_db
def test_preview_tells_the_same_and_writes_nothing():
    make_proxy(host="8.8.8.8", port=80)
    text = "8.8.8.8:80\n8.8.4.4:80\n8.8.4.4:80\nx\n"

    tally = storing.preview(parse_text(text), keep=10)

    assert (tally.accepted, tally.duplicates, tally.rejected) == (1, 2, 1)
    assert Proxy.objects.count() == 1


@pytest.mark.django_db
def test_take_costs_the_same_queries_for_two_lines_and_for_twenty(django_assert_num_queries):
    source = make_proxy_source()

    with CaptureQueriesContext(connection) as few:
        take("8.8.8.8:80\n8.8.8.9:80", source=source)
    with django_assert_num_queries(len(few)):
        take("\n".join(f"8.8.4.{n}:80" for n in range(1, 21)), source=source)


@pytest.mark.django_db(transaction=True)
def test_rivals_that_take_one_list_store_each_proxy_once():
    source = make_proxy_source()
    entries = [Candidate("http", f"8.8.{n // 250}.{n % 250 + 1}", 80) for n in range(600)]

    rivals(
        4,
        lambda number: list(
            storing.take(entries[:: -1 if number % 2 else 1], source=source, now=NOW)
        ),
    )

    assert Proxy.objects.count() == SourceEntry.objects.count() == 600
