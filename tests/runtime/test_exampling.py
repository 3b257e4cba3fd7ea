"""What a fresh demo holds."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys, plans
from accounts.models import ApiKey, Plan, User
from analysis.models import Job, Strategy
from markets.models import CollectorConfig
from project import sandbox
from project.core.models import Run
from project.runtime import exampling
from project.runtime.demonstrating import ADDRESSES_FILE
from proxies.models import ProxySource
from tests.factories import make_user

NOW = timezone.now().replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def world():
    plan = sandbox.WorldPlan(proxies=2)
    with sandbox.running(plan) as found:
        yield found


@pytest.fixture
def data_dir(tmp_path, world, monkeypatch, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    monkeypatch.setattr(exampling, "_PATIENCE_S", 1)  # no worker is there to fetch the lists
    addresses = world.addresses()
    monkeypatch.setenv("BINANCE_REST", addresses["exchange"]["http"])
    monkeypatch.setenv("OKX_REST", addresses["exchange"]["http"])
    (tmp_path / ADDRESSES_FILE).write_text(json.dumps(addresses))
    Plan.objects.get_or_create(name=exampling.CUSTOMER_PLAN, defaults={"title": "Pro"})
    Strategy.objects.get_or_create(
        name="offline", defaults={"model": "offline", "is_default": True}
    )
    return tmp_path


@pytest.mark.django_db(transaction=True)
def test_a_demo_has_something_of_every_part_and_is_filled_once(data_dir):
    staff = make_user(is_staff=True, is_superuser=True)

    told = exampling.fill(data_dir, now=NOW)

    assert {each.exchange.name for each in CollectorConfig.objects.all()} == {"binance", "okx"}
    assert ProxySource.objects.filter(name__startswith="Sandbox").count() == 2
    assert Run.objects.filter(kind="proxies.fetch").exists()
    customer = User.objects.get(email=exampling.CUSTOMER)
    assert Counter(job.owner for job in Job.objects.all()) == {customer: 3, staff: 2}
    assert any("outage" in line for line in told)

    assert exampling.fill(data_dir, now=NOW + timedelta(hours=1)) == ["filled before"]
    assert Job.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_the_customers_key_works_and_only_the_owner_of_the_folder_reads_it(data_dir):
    exampling.fill(data_dir, now=NOW)

    file = data_dir / exampling.CUSTOMER_FILE
    key = ApiKey.objects.get()
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.digest(file.read_text().strip()) == key.digest
    plan = plans.effective(key.user, at=NOW)
    assert plan is not None
    assert plan.name == exampling.CUSTOMER_PLAN
