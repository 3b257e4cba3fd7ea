import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction

from proxies.models import Lease, LeaseSlot, PoolPolicy, Proxy
from tests.proxies.factories import (
    NOW,
    make_check,
    make_lease,
    make_lease_slot,
    make_proxy,
    make_proxy_source,
    make_source_entry,
    make_sticky_session,
    make_target_state,
)

pytestmark = pytest.mark.django_db


def refused(name):
    """Expect the constraint called ``name`` to refuse what happens in the block."""
    return pytest.raises(IntegrityError, match=name if connection.vendor != "sqlite" else None)


SAME = {"scheme": "http", "host": "8.8.8.8", "port": 80}


@pytest.mark.parametrize(
    ("name", "make", "fields"),
    [
        ("proxy_identity_once", make_proxy, SAME),
        ("proxy_port_exists", make_proxy, {"port": 0}),
        ("proxy_port_exists", make_proxy, {"port": 65536}),
        ("proxy_score_is_a_percentage", make_proxy, {"score": 100.5}),
        ("proxy_score_is_a_percentage", make_proxy, {"score": -1}),
        ("proxy_weights_are_sane", make_proxy, {"good_weight": 2, "total_weight": 1}),
        ("proxy_weights_are_sane", make_proxy, {"good_weight": -1, "total_weight": 1}),
        ("proxy_is_pooled_while_healthy", make_proxy, {"pool": ""}),
        ("proxy_is_pooled_while_healthy", make_proxy, {"state": "failing", "pool": "hot"}),
        ("source_has_what_its_kind_needs", make_proxy_source, {"url": ""}),
        ("source_has_what_its_kind_needs", make_proxy_source, {"kind": "text"}),
        ("source_interval_is_a_minute_at_least", make_proxy_source, {"interval_s": 59}),
        ("slot_is_held_whole_or_not_at_all", make_lease_slot, {"token": uuid.uuid4()}),
        ("slot_is_held_whole_or_not_at_all", make_lease_slot, {"held_until": NOW}),
        ("lease_ended_at_says_it_ended", make_lease, {"ended_at": NOW}),
        ("lease_ended_at_says_it_ended", make_lease, {"state": "released"}),
        ("lease_lasts", make_lease, {"expires_at": NOW}),
        ("lease_is_late_only_when_released", make_lease, {"is_late": True}),
        ("check_that_passed_has_a_latency", make_check, {"latency_ms": None}),
        ("target_block_has_a_reason", make_target_state, {"blocked_until": NOW}),
    ],
)
def test_the_database_refuses_what_must_not_be(name, make, fields):
    make_proxy(**SAME)

    with refused(name), transaction.atomic():
        make(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"enter_score": 40, "leave_score": 50},
        {"enter_score": 101},
        {"leave_score": -1},
        {"max_leases": 0},
        {"lease_ttl_s": 0},
        {"check_every_s": 0},
    ],
)
def test_a_policy_without_sense_is_refused(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        PoolPolicy.objects.filter(pool="warm").update(**fields)


def test_what_may_be_there_once_is_refused_twice():
    proxy, source = make_proxy(), make_proxy_source()
    twice = [
        lambda: make_source_entry(proxy=proxy, source=source),
        lambda: make_target_state(proxy=proxy),
        lambda: make_sticky_session(proxy=proxy, session="s"),
        lambda: make_lease_slot(exclusive_key="a"),
        lambda: make_lease(proxy=proxy),
    ]

    for make in twice:
        make()
        with pytest.raises(IntegrityError), transaction.atomic():
            make()


def test_one_active_lease_per_request_and_holder():
    make_lease(request_id="r")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_lease(request_id="r")
    make_lease(request_id="r", holder="another")
    make_lease(request_id="r", state="expired", ended_at=NOW)


def test_passwords_rest_encrypted():
    proxy = make_proxy(username="hans", password="geheim")

    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM proxies_proxy WHERE id = %s", [proxy.pk])
        stored = cursor.fetchone()[0]

    assert "geheim" not in stored
    assert Proxy.objects.get(pk=proxy.pk).password == "geheim"
    with pytest.raises(FieldError):
        Proxy.objects.filter(password="geheim").exists()


def test_nothing_tells_a_password_by_its_name():
    proxy = make_proxy(username="hans", password="geheim")
    lease = make_lease(proxy=proxy)
    told = [str(each) + repr(each) for each in (proxy, lease, make_check(proxy=proxy))]

    assert "hans" not in "".join(told)
    assert "geheim" not in "".join(told)
    assert str(proxy) == f"http://{proxy.host}:8080"
    assert make_proxy(host="2606:4700::1111").endpoint == "http://[2606:4700::1111]:8080"


def test_sets_of_leases_know_what_stands():
    standing = make_lease(expires_at=NOW + timedelta(seconds=1))
    over = make_lease(acquired_at=NOW - timedelta(1), expires_at=NOW)

    assert list(Lease.objects.standing(at=NOW)) == [standing]
    assert list(Lease.objects.run_out(at=NOW)) == [over]
    assert not LeaseSlot.objects.held(at=NOW).exists()
