"""``manage.py seed_demo``: fills an empty installation with what shows every part at work."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from project.runtime import exampling


class Command(BaseCommand):
    """Fill the demo; run by `make demo`, harmless when run again."""

    help = "Fills the demo installation with sources and collectors of the sandbox world."

    def handle(self, *_: Any, **__: Any) -> None:
        for line in exampling.fill(settings.DATA_DIR, now=timezone.now()):
            self.stdout.write(f"  demo: {line}")
