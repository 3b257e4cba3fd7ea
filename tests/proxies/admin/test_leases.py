from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.proxies.admin.pages import page
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_proxy,
)

pytestmark = pytest.mark.django_db


def told_lease(proxy, **fields):
    usual = {
        "target": "binance.com",
        "outcome": "captcha",
        "state": "released",
        "ended_at": NOW,
        "released_at": NOW,
        "request_id": "order-66",
        "renewals": 2,
        "rested_since": NOW - timedelta(seconds=40),
        "score": 61.0,
    }
    return make_lease(proxy=proxy, **{**usual, **fields})


def test_a_row_of_the_leases_opens_on_its_story_and_its_neighbours(
    admin_client, django_assert_max_num_queries
):
    proxy = make_proxy()
    told_lease(proxy, holder="the-neighbour")
    told_lease(proxy)
    address = page("lease_changelist")
    admin_client.get(address)

    with CaptureQueriesContext(connection) as two:
        text = admin_client.get(address).content.decode()
    for _ in range(4):
        told_lease(make_proxy())
    with django_assert_max_num_queries(len(two)):
        admin_client.get(address)

    for words in ("Why this proxy", "last lent 40 s before", "order-66", "2 times", "Captcha"):
        assert words in text
    assert text.count("the-neighbour") >= 3  # its own row and story, and its neighbour's table


def test_the_page_of_a_proxy_has_its_leases_to_be_opened(admin_client):
    proxy, idle = make_proxy(), make_proxy()
    told_lease(proxy)

    text = admin_client.get(page("proxy_change", proxy.pk)).content.decode()
    none = admin_client.get(page("proxy_change", idle.pk)).content.decode()

    assert '<details class="mr-lease">' in text
    assert "last lent 40 s before" in text
    assert "Never lent." in none
