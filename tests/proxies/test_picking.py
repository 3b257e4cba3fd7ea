import uuid
from datetime import timedelta
from itertools import product

import pytest
from django.db import connection

from project.core import statements
from proxies import claiming, picking, policies
from proxies.claiming import Draft
from proxies.picking import Wish
from tests.proxies.factories import NOW, make_pool_policy, make_proxy

UNTIL = NOW + timedelta(seconds=30)


@pytest.mark.django_db
@pytest.mark.parametrize("is_per_target", [True, False])
def test_every_pick_there_can_be_is_sql_that_finds_the_proxy(is_per_target):
    make_pool_policy(uses_per_window=9, is_per_target=is_per_target)
    proxy = make_proxy(scheme="https", country="DE", score=60)
    policy = policies.of("warm")
    draft = Draft(uuid.uuid4(), holder="tests", until=UNTIL, now=NOW)
    choices = product(("", "b.com"), ("", "https"), ("", "DE"), (None, 50), (None, proxy.pk))

    for target, protocol, country, score, pk in choices:
        wish = Wish(target, protocol, country, score, pk)
        claiming.make_slots([f"{proxy.exclusive_key}|b.com"], most=1)
        values = claiming.values_of(wish, policy, draft, window=16)
        row = statements.one(picking.statement(wish, policy), values)

        assert row is not None
        assert row[3] == proxy.pk


@pytest.mark.django_db
def test_the_pick_reads_a_pool_in_the_order_of_its_index():
    for _ in range(50):
        make_proxy()
    policy, wish = policies.of("warm"), Wish(target="x")
    draft = Draft(uuid.uuid4(), holder="tests", until=UNTIL, now=NOW)
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics: a small table is read whole")

    text = f"EXPLAIN QUERY PLAN {picking.statement(wish, policy)}"
    with connection.cursor() as cursor:
        cursor.execute(text, claiming.values_of(wish, policy, draft, window=16))
        plan = [row[-1] for row in cursor.fetchall()]

    assert any("proxy_rested" in step for step in plan), plan
