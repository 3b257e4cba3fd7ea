"""The result of a video under a strategy: places on the map, and those that failed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.choices import Outcome
from analysis.models.strategies import Strategy
from analysis.models.videos import Video
from analysis.querysets import AnalysisQuerySet
from project.core.models import Run


class Analysis(models.Model):
    """One piece of work, shared by all who ask for it: a video under a strategy."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="analyses")
    strategy = models.ForeignKey(Strategy, models.PROTECT, related_name="analyses")
    strategy_hash = models.CharField(max_length=8)
    inputs = models.JSONField(help_text="what of the strategy the result depends on")
    run = models.ForeignKey(
        Run,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="the last attempt; no other may write the result",
    )
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.NONE)
    segments = models.PositiveIntegerField(null=True, blank=True)
    chunks = models.PositiveIntegerField(null=True, blank=True)
    places_total = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    failures_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AnalysisQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        verbose_name_plural = "analyses"
        constraints = [
            # fifty who ask at once share this row
            models.UniqueConstraint(
                fields=["video", "strategy_hash"], name="analysis_once_per_strategy"
            ),
            models.CheckConstraint(
                name="analysis_with_a_result_is_finished",
                condition=Q(outcome=Outcome.NONE) | Q(finished_at__isnull=False),
            ),
        ]
        indexes = [
            # strategies.has_results
            models.Index(fields=["strategy_hash"], name="analysis_hash"),
            # the list for staff, newest first
            models.Index(fields=["-created_at"], name="analysis_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.video} [{self.strategy_hash}]"


class Place(models.Model):
    """A place that the video speaks of, on the map, as the geocoder found it."""

    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="places")
    n = models.PositiveIntegerField(help_text="its number on the map, from 1; never given again")
    raw = models.CharField(max_length=300, help_text="as it was spoken")
    name = models.CharField(max_length=300)
    longitude = models.FloatField()
    latitude = models.FloatField()
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list)
    kind = models.CharField(max_length=60, blank=True)
    marker = models.CharField(max_length=60, blank=True)
    country = models.CharField(max_length=60, blank=True)
    authority = models.CharField(max_length=100, blank=True, help_text="who knows where it is")
    quote = models.TextField(blank=True, help_text="the words that name it")
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    confidence = models.FloatField(default=1.0)

    class Meta:
        """Rules kept by the database."""

        ordering = ("analysis", "start_ms", "n")
        constraints = [
            models.UniqueConstraint(fields=["analysis", "n"], name="place_number_once"),
            models.CheckConstraint(
                name="place_is_on_the_globe",
                condition=Q(longitude__gte=-180, longitude__lte=180)
                & Q(latitude__gte=-90, latitude__lte=90),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Failure(models.Model):
    """A place that could not be put on the map, and why."""

    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="failures")
    n = models.PositiveIntegerField(help_text="the number that it has on the map once located")
    raw = models.CharField(max_length=300)
    reason = models.CharField(max_length=300)
    retryable = models.BooleanField(default=False)
    mention = models.JSONField(help_text="what is asked for again")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("analysis", "n")
        constraints = [
            models.UniqueConstraint(fields=["analysis", "n"], name="failure_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.raw}: {self.reason}"
