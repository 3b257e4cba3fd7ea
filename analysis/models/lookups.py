"""What Nominatim answered, and when it may be asked again: shared by all processes."""

from django.db import models
from django.utils import timezone


class GeocoderHost(models.Model):
    """One Nominatim server: its next free moment is claimed by compare-and-set."""

    host = models.CharField(max_length=255, unique=True)
    next_slot_us = models.BigIntegerField(
        default=0, help_text="microseconds since 1970 at which the next request may leave"
    )
    blocked_until = models.DateTimeField(null=True, blank=True)
    block_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        """Order."""

        ordering = ("host",)

    def __str__(self) -> str:
        return self.host


class Lookup(models.Model):
    """One question to a server and its answer, so that nothing is asked twice; misses, too."""

    host = models.CharField(max_length=255)
    question = models.CharField(max_length=64, help_text="hash of name, country and language")
    name = models.CharField(max_length=300)
    answer = models.JSONField(help_text="candidates; none: nothing is called so")
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("-asked_at",)
        constraints = [
            # also the index by which an answer is found again
            models.UniqueConstraint(fields=["host", "question"], name="lookup_once"),
        ]

    def __str__(self) -> str:
        return self.name
