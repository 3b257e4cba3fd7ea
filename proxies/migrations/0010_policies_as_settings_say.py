"""Empties the fields of policies that staff never changed: there settings and environment count."""

from django.db import migrations

SHIPPED = {
    "hot": {
        "enter_score": 80,
        "leave_score": 70,
        "lease_ttl_s": 20,
        "max_leases": 1,
        "cool_down_s": 15,
        "check_every_s": 300,
    },
    "warm": {
        "enter_score": 50,
        "leave_score": 40,
        "lease_ttl_s": 30,
        "max_leases": 1,
        "cool_down_s": 30,
        "check_every_s": 600,
    },
    "cold": {
        "enter_score": 0,
        "leave_score": 0,
        "lease_ttl_s": 45,
        "max_leases": 1,
        "cool_down_s": 60,
        "check_every_s": 1800,
    },
}


def empty(apps, schema_editor):
    policies = apps.get_model("proxies", "PoolPolicy").objects
    for pool, facts in SHIPPED.items():
        for field, value in facts.items():
            policies.filter(pool=pool, **{field: value}).update(**{field: None})


def fill(apps, schema_editor):
    policies = apps.get_model("proxies", "PoolPolicy").objects
    for pool, facts in SHIPPED.items():
        for field, value in facts.items():
            policies.filter(pool=pool, **{f"{field}__isnull": True}).update(**{field: value})


class Migration(migrations.Migration):
    dependencies = [("proxies", "0009_lending_anew")]
    operations = [migrations.RunPython(empty, fill)]
