"""The states of a backup, and how finely pool statistics are kept."""

from typing import Final

from django.db import models


class BackupState(models.TextChoices):
    """What is known of a backup's file."""

    GOOD = "good", "Good"
    BAD = "bad", "Bad"
    GONE = "gone", "Gone"


class DatabaseKind(models.TextChoices):
    """What a backup is a backup of; the words are those of Django's ``connection.vendor``."""

    SQLITE = "sqlite", "SQLite"
    POSTGRESQL = "postgresql", "PostgreSQL"


class Grain(models.IntegerChoices):
    """How many seconds one row of pool statistics stands for."""

    SECOND = 1, "1 s"
    TEN_SECONDS = 10, "10 s"
    MINUTE = 60, "1 min"


#: Rows of a grain become one of the next, and those of the last are dropped, when they are older
#: than this, in seconds.
KEPT_S: Final = {Grain.SECOND: 3_600, Grain.TEN_SECONDS: 86_400, Grain.MINUTE: 14 * 86_400}
