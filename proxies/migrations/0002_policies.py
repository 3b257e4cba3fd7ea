"""Gives each pool its policy."""

from django.db import migrations

POLICIES = {
    "hot": {
        "enter_score": 80,
        "leave_score": 70,
        "lease_ttl_s": 20,
        "cool_down_s": 15,
        "check_every_s": 300,
    },
    "warm": {
        "enter_score": 50,
        "leave_score": 40,
        "lease_ttl_s": 30,
        "cool_down_s": 30,
        "check_every_s": 600,
    },
    "cold": {
        "enter_score": 0,
        "leave_score": 0,
        "lease_ttl_s": 45,
        "cool_down_s": 60,
        "check_every_s": 1800,
    },
}


def seed(apps, schema_editor):
    policies = apps.get_model("proxies", "PoolPolicy")
    for pool, facts in POLICIES.items():
        policies.objects.get_or_create(pool=pool, defaults=facts)


class Migration(migrations.Migration):
    dependencies = [("proxies", "0001_first")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
