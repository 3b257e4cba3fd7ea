"""One table, for the test runner to migrate, clone and destroy."""

from typing import ClassVar

from django.db import models


class Note(models.Model):
    """A line of text."""

    text = models.CharField(max_length=50)

    objects: ClassVar["models.Manager[Note]"] = models.Manager()

    class Meta:
        """Of the tests alone."""

        app_label = "small"

    def __str__(self) -> str:
        return self.text
