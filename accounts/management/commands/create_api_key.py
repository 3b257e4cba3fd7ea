"""``manage.py create_api_key EMAIL [--scope S]… [--name N]``: prints the key alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import keys
from project.core import auditing
from project.core.callers import SYSTEM
from project.core.choices import Channel


class Command(BaseCommand):
    """Make an API key; an unknown e-mail makes a plain user."""

    help = "Make an API key and print it; it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--scope", action="append", default=[], dest="scopes")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with auditing.through(Channel.COMMAND):
                made = keys.create_for_email(
                    options["email"],
                    name=options["name"],
                    scopes=options["scopes"],
                    by=SYSTEM,
                    now=timezone.now(),
                )
        except keys.BadKeyRequestError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(made.secret)
