"""A process of its own that does one run: ``python -m tests.markets.worker RUN_ID``; to be killed.

The test database and the data folder are those of the test that starts it (see ``killing``).
"""

import os
import sys

import django


def main() -> None:
    """Do the run named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.markets.worker_settings")
    django.setup()
    from project.core import working
    from project.core.models import Run
    from tests.markets.doing import HANDLERS

    run = Run.objects.get(pk=sys.argv[1])
    working.execute(str(run.pk), HANDLERS[run.kind], kind=run.kind)


if __name__ == "__main__":
    main()
