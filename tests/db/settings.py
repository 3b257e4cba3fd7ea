"""Settings of the processes that the engine's tests start: one database, none of the product."""

import os
from pathlib import Path

from tests.db import files

DATABASES = {
    "default": {
        **files.sqlite_settings(Path(os.environ["ENGINE_TEST_FILE"])),
        "TEST": {"NAME": os.environ["ENGINE_TEST_FILE"] + ".test"},
    }
}
INSTALLED_APPS = ["project.db", "tests.db.small"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SECRET_KEY = "not a secret"
