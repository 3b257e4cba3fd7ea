"""Staff pages of policies."""

import pytest
from django.urls import reverse

from proxies import policies
from proxies.models import PoolPolicy

pytestmark = pytest.mark.django_db
EMPTY = {
    "enter_score": "",
    "leave_score": "",
    "check_every_s": "",
    "lease_ttl_s": "",
    "max_leases": "",
    "uses_per_window": "",
    "window_s": "",
    "exclusive_by": "endpoint",
    "cool_down_s": "",
}


def save(admin_client, **fields):
    pk = PoolPolicy.objects.get(pool="warm").pk
    page = reverse("admin:proxies_poolpolicy_change", args=[pk])
    return admin_client.post(page, {**EMPTY, **fields})


def test_what_staff_say_holds_and_what_they_leave_empty_is_as_settings_say(admin_client):
    answer = save(admin_client, lease_ttl_s="7", uses_per_window="3", window_s="60")

    found = policies.of("warm")
    assert answer.status_code == 302
    assert (found.lease_ttl_s, found.uses_per_window, found.window_s) == (7, 3, 60)
    assert (found.enter_score, found.max_leases) == (50, 1)


@pytest.mark.parametrize(
    "fields", [{"leave_score": "60"}, {"window_s": "86401"}, {"max_leases": "0"}]
)
def test_what_makes_no_sense_is_refused(admin_client, fields):
    answer = save(admin_client, **fields)

    assert answer.status_code == 200
    assert policies.of("warm") == policies.usual("warm")


def test_the_list_says_what_holds(admin_client):
    text = admin_client.get(reverse("admin:proxies_poolpolicy_changelist")).content.decode()

    assert "20 s" in text
    assert "any number" in text
