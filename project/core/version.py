"""Which version and commit of the product this is."""

import os
import subprocess
from functools import cache
from typing import Final

from django.conf import settings

NUMBER: Final = "0.1.0"


@cache
def commit() -> str:
    """Return the commit: ``GIT_COMMIT`` of the environment, else what git says, else ``unknown``."""
    if given := os.environ.get("GIT_COMMIT"):
        return given
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 -- wherever git is
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip() or "unknown"


def label() -> str:
    """Return version and commit in one word, e.g. ``0.1.0+1a2b3c``."""
    return f"{NUMBER}+{commit()}"
