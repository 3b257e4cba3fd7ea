"""Videos and transcripts, and what each phase has made of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.choices import Phase, VideoKind


class Video(models.Model):
    """A video of some site, or a transcript that a user uploaded; an upload is its owner's alone."""

    video_id = models.CharField(max_length=200, help_text="as the API names it")
    kind = models.CharField(max_length=10, choices=VideoKind, default=VideoKind.URL)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    url = models.CharField(max_length=2000, blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    upload = models.BinaryField(null=True, blank=True, help_text="the transcript as it came")
    title = models.CharField(max_length=500, blank=True)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=20, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True, help_text="what else the site told")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["video_id"], condition=Q(owner=None), name="video_public_once"
            ),
            models.UniqueConstraint(
                fields=["video_id", "owner"], condition=~Q(owner=None), name="video_own_once"
            ),
            models.CheckConstraint(
                name="video_is_a_page_or_an_upload",
                condition=Q(kind=VideoKind.URL, upload__isnull=True, owner=None) & ~Q(url="")
                | Q(kind=VideoKind.UPLOAD, upload__isnull=False, owner__isnull=False, url=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.video_id


class Checkpoint(models.Model):
    """What one phase made of a video; its key says of which inputs, so that others use it again.

    ``part`` 0 is the whole phase; 1 and on are pieces of it, kept while it is at work.
    """

    video = models.ForeignKey(Video, models.CASCADE, related_name="checkpoints")
    phase = models.CharField(max_length=12, choices=Phase)
    key = models.CharField(max_length=16, help_text="hash of everything that the result depends on")
    part = models.PositiveIntegerField(default=0)
    data = models.JSONField()
    elapsed_ms = models.FloatField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("video", "phase", "part")
        constraints = [
            # also the index by which a phase is looked up
            models.UniqueConstraint(
                fields=["video", "phase", "key", "part"], name="checkpoint_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_phase_display()} {self.key[:8]}"
