"""The plans that an installation begins with, and the switch of all limits; staff's to change."""

from django.db import migrations

PLANS = (
    {
        "name": "free",
        "title": "Free",
        "description": "To try it out",
        "is_default": True,
        "requests_per_minute": 100,
        "api_per_minute": 60,
        "streams_per_minute": 5,
        "leases_at_once": 10,
        "jobs_at_once": 3,
        "jobs_per_day": 50,
    },
    {
        "name": "pro",
        "title": "Pro",
        "description": "For daily work",
        "requests_per_minute": 1_200,
        "api_per_minute": 600,
        "streams_per_minute": 60,
        "leases_at_once": 100,
        "jobs_at_once": 20,
        "jobs_per_day": 1_000,
    },
    {
        "name": "service",
        "title": "Service",
        "description": "For our own services and load tests: no limit",
        "is_unlimited": True,
        "is_public": False,
    },
)


def seed(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan")
    for plan in PLANS:
        plans.objects.get_or_create(name=plan["name"], defaults=plan)
    apps.get_model("accounts", "RateLimitSwitch").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_plans_and_limits")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
