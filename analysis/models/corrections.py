"""What people put right on the map; the first authority for every later job."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.choices import Change
from analysis.models.videos import Video


class Correction(models.Model):
    """One change of a place, by its owner for their own jobs, by staff for everybody's.

    A later one of the same kind, name and audience takes its place; all stay as history.
    """

    video = models.ForeignKey(Video, models.CASCADE, related_name="corrections")
    raw = models.CharField(max_length=300, help_text="the name as it was spoken, folded")
    change = models.CharField(max_length=8, choices=Change)
    for_everybody = models.BooleanField(default=False, help_text="made by staff")
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    name = models.CharField(max_length=300, blank=True)
    merge_into = models.CharField(
        max_length=300, blank=True, help_text="folded spoken name of the place that stays"
    )
    was_name = models.CharField(max_length=300, help_text="what the geocoder said")
    was_longitude = models.FloatField()
    was_latitude = models.FloatField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)
    is_taken_back = models.BooleanField(default=False)

    class Meta:
        """Rules kept by the database."""

        ordering = ("made_at", "pk")
        constraints = [
            models.CheckConstraint(
                name="correction_says_what_it_changes",
                condition=Q(change=Change.MOVE, longitude__isnull=False, latitude__isnull=False)
                | (Q(change=Change.RENAME) & ~Q(name=""))
                | (Q(change=Change.MERGE) & ~Q(merge_into=""))
                | Q(change=Change.DROP),
            ),
            models.CheckConstraint(
                name="correction_is_on_the_globe",
                condition=Q(longitude__isnull=True)
                | Q(longitude__gte=-180, longitude__lte=180, latitude__gte=-90, latitude__lte=90),
            ),
        ]
        indexes = [
            # correcting.known: those of a video, and those of the same names elsewhere
            models.Index(fields=["raw", "made_at"], name="correction_name"),
        ]

    def __str__(self) -> str:
        return f"{self.change} {self.was_name}"
