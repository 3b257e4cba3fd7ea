import pytest

from proxies import policies
from proxies.models import PoolPolicy
from tests.proxies.factories import make_pool_policy

pytestmark = pytest.mark.django_db
FIELDS = ("enter_score", "leave_score", "lease_ttl_s", "cool_down_s", "check_every_s")


def facts(policy):
    return {name: getattr(policy, name) for name in FIELDS}


def test_a_fresh_installation_has_the_usual_policies():
    found = {policy.pool: facts(policy) for policy in PoolPolicy.objects.all()}

    assert found == {str(pool): usual for pool, usual in policies.USUAL.items()}


def test_a_pool_without_a_row_has_the_usual_policy():
    PoolPolicy.objects.all().delete()

    assert facts(policies.of("hot")) == policies.USUAL["hot"]
    assert list(policies.every()) == ["hot", "warm", "cold"]


def test_what_staff_changed_counts():
    make_pool_policy(pool="warm", lease_ttl_s=7)

    assert policies.of("warm").lease_ttl_s == 7
    assert policies.every()["warm"].lease_ttl_s == 7


def test_chain_is_all_pools_best_first_or_the_named_one():
    assert [policy.pool for policy in policies.chain("")] == ["hot", "warm", "cold"]
    assert [policy.pool for policy in policies.chain("cold")] == ["cold"]
