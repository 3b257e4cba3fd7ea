"""How videos are analysed: what of it changes a result has a hash."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.choices import OFFLINE, GeocodeMode


class Strategy(models.Model):
    """One way to analyse; once it has results it can't be edited, only copied."""

    name = models.SlugField(max_length=60, unique=True, help_text="stable, for programs")
    description = models.CharField(max_length=200, blank=True)
    model = models.CharField(
        max_length=100,
        default=OFFLINE,
        help_text=f"a model of the LLM endpoint, or `{OFFLINE}`: gazetteer and heuristics, no network",
    )
    model_temp = models.FloatField(default=0.7, verbose_name="temperature", help_text="0 to 2")
    compression_ratio = models.FloatField(
        default=0.4, help_text="share of the speech that is kept, above 0 to 1"
    )
    extraction_prompt_v = models.PositiveIntegerField(
        default=2, verbose_name="extraction prompt version"
    )
    geocode_mode = models.CharField(
        max_length=30,
        choices=GeocodeMode,
        default=GeocodeMode.OFFLINE,
        verbose_name="geocoder",
    )
    language = models.CharField(
        max_length=20, blank=True, help_text="of the subtitles; empty: the video's own"
    )
    strategy_hash = models.CharField(max_length=8, editable=False, db_index=True)
    is_default = models.BooleanField(default=False, help_text="of jobs that name none")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    class Meta:
        """Rules kept by the database."""

        ordering = ("-is_default", "name")
        verbose_name_plural = "strategies"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="strategy_default_once"
            ),
            models.CheckConstraint(
                name="strategy_numbers_in_range",
                condition=Q(model_temp__gte=0, model_temp__lte=2)
                & Q(compression_ratio__gt=0, compression_ratio__lte=1),
            ),
            models.CheckConstraint(
                name="strategy_default_is_enabled",
                condition=Q(is_default=False) | Q(is_enabled=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.strategy_hash})"
