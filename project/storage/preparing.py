"""Making the tables in the database that a move fills: by migrations, in a process of its own.

Data migrations use the default database, which in this process is the one that is read.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from project.storage.errors import MoveFailedError

_WITHIN_S: Final = 600
_PROGRAM: Final = "from project.storage import preparing; preparing.main()"


def prepare(url: str, *, calls: Mapping[str, Sequence[tuple[int, int]]]) -> None:
    """Migrate the database at ``url``, then call functions there.

    Args:
        url: of the target.
        calls: dotted names of functions of two arguments, and those arguments, e.g.
            ``{"markets.partitions.ensure": [(0, 1)]}``.

    Raises:
        MoveFailedError: it did not work; the text has its last words.
    """
    done = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "DATABASE_URL": url},
        cwd=settings.BASE_DIR,
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if done.returncode:
        raise MoveFailedError(f"the tables could not be made: {done.stderr.strip()[-1000:]}")


def main() -> None:
    """Be that process: ``DATABASE_URL`` names the database, the input the calls."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django  # noqa: PLC0415 -- needs the environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 -- needs the apps

    call_command("migrate", interactive=False, verbosity=0)
    calls: dict[str, Any] = json.load(sys.stdin)
    for name, arguments in calls.items():
        function = import_string(name)
        for pair in arguments:
            function(*pair)
