"""The settings of a worker that a test starts: the test's own database, named in TEST_NAME."""

import os

from project.settings import *  # noqa: F403, TID251 -- as the product's, but for the database

DATABASES["default"]["NAME"] = os.environ["TEST_NAME"]  # noqa: F405
