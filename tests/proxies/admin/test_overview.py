import pytest
from django.urls import reverse

from tests.proxies.admin.pages import page
from tests.proxies.factories import (
    make_proxy,
)

pytestmark = pytest.mark.django_db


def test_the_overview_opens_and_feeds(admin_client):
    make_proxy(country="DE")
    answer = admin_client.get(page("poolsnapshot_changelist"))
    feed = admin_client.get(reverse("admin:proxies_poolsnapshot_feed"), {"minutes": "60"}).json()

    assert "millrace/pool.js" in answer.content.decode()
    assert sorted(feed) == ["countries", "history", "now", "sources", "targets"]
    assert feed["countries"][0]["name"] == "Germany"
