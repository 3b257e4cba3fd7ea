import pytest

from proxies import policies
from proxies.models import PoolPolicy
from tests.proxies.factories import make_pool_policy, make_proxy

pytestmark = pytest.mark.django_db


def test_a_fresh_installation_has_what_settings_say():
    found = policies.every()

    assert list(found) == ["hot", "warm", "cold"]
    assert [policy.lease_ttl_s for policy in found.values()] == [20, 30, 45]
    assert [policy.enter_score for policy in found.values()] == [80, 50, 0]
    assert {policy.max_leases for policy in found.values()} == {1}
    assert {policy.uses_per_window for policy in found.values()} == {0}
    assert PoolPolicy.objects.filter(lease_ttl_s__isnull=True).count() == 3


def test_a_pool_without_a_row_has_what_settings_say():
    before = policies.of("hot")
    PoolPolicy.objects.all().delete()

    assert policies.of("hot") == policies.usual("hot") == before
    assert list(policies.every()) == ["hot", "warm", "cold"]


def test_settings_count_where_staff_left_a_field_empty(settings):
    usual = {**settings.PROXY_POLICIES["warm"], "lease_ttl_s": 99, "max_leases": 3}
    settings.PROXY_POLICIES = {**settings.PROXY_POLICIES, "warm": usual}
    make_pool_policy(pool="warm", max_leases=2)

    found = policies.of("warm")

    assert (found.lease_ttl_s, found.max_leases) == (99, 2)


def test_what_staff_changed_counts():
    make_pool_policy(pool="warm", lease_ttl_s=7)

    assert policies.of("warm").lease_ttl_s == 7
    assert policies.every()["warm"].lease_ttl_s == 7


def test_chain_is_the_pools_with_healthy_proxies_best_first_or_the_named_one():
    for pool in ("cold", "hot"):
        make_proxy(pool=pool)

    assert [policy.pool for policy in policies.chain("")] == ["hot", "cold"]
    assert [policy.pool for policy in policies.chain("cold")] == ["cold"]
    assert policies.chain("warm") == []
