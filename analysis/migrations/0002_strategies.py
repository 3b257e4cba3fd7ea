"""The strategy that works without network and key: the default; staff's to change."""

import hashlib
import json

from django.db import migrations

INPUTS = {
    "model": "offline",
    "model_temp": 0.7,
    "compression_ratio": 0.4,
    "extraction_prompt_v": 2,
    "geocode_mode": "offline",
}


def seed(apps, schema_editor):
    strategies = apps.get_model("analysis", "Strategy")
    digest = hashlib.sha1(json.dumps(INPUTS, sort_keys=True).encode()).hexdigest()[:8]
    strategies.objects.get_or_create(
        name="offline",
        defaults={
            **INPUTS,
            "description": "Gazetteer and language heuristics: no network, no key",
            "strategy_hash": digest,
            "is_default": not strategies.objects.filter(is_default=True).exists(),
        },
    )


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_first")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
