"""Shapes of the endpoints of analysis."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from analysis.choices import Change, Phase
from project.core.api.serializers import Input, LastErrorOut
from project.core.choices import RunStatus

_STATUS = RunStatus.choices


class AnalyzeIn(Input):
    """A video by its address."""

    url = serializers.CharField(max_length=2000)
    strategy = serializers.CharField(
        max_length=60, required=False, help_text="name, hash or number; the default if left out"
    )


class TranscriptIn(Input):
    """A transcript as a file: SRT, VTT, json3, ASS, TTML or plain text."""

    transcript = serializers.FileField(max_length=255)
    strategy = serializers.CharField(max_length=60, required=False)


class AcceptedOut(serializers.Serializer[Any]):
    """A job that was asked for."""

    job_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=_STATUS)
    cached = serializers.BooleanField(help_text="the result was there already")


class JobMetricsOut(serializers.Serializer[Any]):
    """What a job cost and found."""

    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    locations_found = serializers.IntegerField()
    strategy_hash = serializers.CharField()


class JobStatsOut(serializers.Serializer[Any]):
    """What a job went through."""

    segments = serializers.IntegerField()
    chunks = serializers.IntegerField()
    places_total = serializers.IntegerField()
    places_located = serializers.IntegerField()
    cache = serializers.ChoiceField(choices=["hit", "miss"])


class WaitingOut(serializers.Serializer[Any]):
    """What a job waits for."""

    what = serializers.CharField(help_text="e.g. `names: cities`, of the compiled gazetteer")
    percent = serializers.IntegerField(help_text="0 to 100")


class JobOut(serializers.Serializer[Any]):
    """A job."""

    job_id = serializers.UUIDField()
    video_id = serializers.CharField()
    status = serializers.ChoiceField(choices=_STATUS)
    phase = serializers.ChoiceField(choices=Phase.choices, allow_null=True)
    progress = serializers.FloatField(help_text="0 to 100")
    created_at = serializers.CharField(help_text="ISO 8601, UTC")
    updated_at = serializers.CharField(help_text="ISO 8601, UTC")
    strategy_version = serializers.CharField(help_text="name of the strategy")
    metrics = JobMetricsOut()
    stats = JobStatsOut()
    waiting = WaitingOut(
        allow_null=True, help_text="what has to be made first, once for the installation"
    )
    error = LastErrorOut(allow_null=True)
    title = serializers.CharField(allow_blank=True)
    retry_of = serializers.UUIDField(allow_null=True)
    batch_id = serializers.UUIDField(allow_null=True)
    shrunk_by = serializers.IntegerField(
        allow_null=True, help_text="of a retry: by how many the list of failures has shrunk"
    )


class BatchIn(Input):
    """Many videos by their addresses."""

    urls = serializers.ListField(child=serializers.CharField(max_length=2000), min_length=1)
    strategy = serializers.CharField(max_length=60, required=False)


class BatchFileIn(Input):
    """Many videos as a CSV file: one address a line, or a column `url`."""

    file = serializers.FileField(max_length=255)
    strategy = serializers.CharField(max_length=60, required=False)


class BatchJobOut(AcceptedOut):
    """A job of a batch."""

    video_id = serializers.CharField()


class BatchAcceptedOut(serializers.Serializer[Any]):
    """A batch that was asked for."""

    batch_id = serializers.UUIDField()
    jobs = BatchJobOut(many=True)


class BatchCountsOut(serializers.Serializer[Any]):
    """How many jobs of a batch are where."""

    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment]  # DRF's own is not used here
    failed = serializers.IntegerField()
    canceled = serializers.IntegerField()


class BatchOut(serializers.Serializer[Any]):
    """A batch and its jobs."""

    batch_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=_STATUS)
    progress = serializers.FloatField()
    counts = BatchCountsOut()
    created_at = serializers.CharField()
    updated_at = serializers.CharField()
    ended_at = serializers.CharField(allow_null=True)
    jobs = BatchJobOut(many=True)


class StrategyOut(serializers.Serializer[Any]):
    """A strategy that is in use."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    strategy_hash = serializers.CharField()
    model = serializers.CharField()
    model_temp = serializers.FloatField()
    compression_ratio = serializers.FloatField()
    extraction_prompt_v = serializers.IntegerField()
    geocode_mode = serializers.CharField()
    language = serializers.CharField(allow_blank=True)
    is_default = serializers.BooleanField()


class CorrectedOut(serializers.Serializer[Any]):
    """Who put a place right, and when."""

    by = serializers.CharField()
    at = serializers.CharField()
    changes = serializers.ListField(child=serializers.ChoiceField(choices=Change.choices))


class RouteOut(serializers.Serializer[Any]):
    """A place on the map, in the order in which the video speaks of them."""

    n = serializers.IntegerField(help_text="its number on the map; stays when others go")
    location = serializers.CharField()
    coordinates = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, help_text="longitude, latitude"
    )
    description = serializers.CharField(allow_blank=True)
    timecode = serializers.CharField(help_text="HH:MM:SS,mmm")
    tags = serializers.ListField(child=serializers.CharField())
    marker = serializers.CharField(allow_blank=True)
    raw = serializers.CharField(help_text="as it was spoken")
    authority = serializers.CharField(allow_blank=True, help_text="who knows where it is")
    correction = CorrectedOut(allow_null=True)


class LocationsOut(serializers.Serializer[Any]):
    """The places of a video."""

    video_id = serializers.CharField()
    routes = RouteOut(many=True)


class CorrectionIn(Input):
    """What to put right of a place: what is left out stays."""

    coordinates = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, required=False
    )
    location = serializers.CharField(max_length=300, required=False)
    merge_into = serializers.IntegerField(
        required=False, min_value=1, max_value=10**9, help_text="number of the same place"
    )
    dropped = serializers.BooleanField(
        required=False, help_text="true takes it off the map, false puts it back"
    )
    taken_back = serializers.BooleanField(
        required=False,
        help_text="alone: the last that you put right of it counts no more, and again the one before",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to take back and to change at once: what would be taken back?"""
        if attrs.get("taken_back") and len(attrs) > 1:
            raise serializers.ValidationError({"taken_back": "alone, without other changes"})
        return attrs


class CorrectionOut(serializers.Serializer[Any]):
    """The place as it is shown now; null when it is not on the map any more."""

    video_id = serializers.CharField()
    route = RouteOut(allow_null=True)


class FailedOut(serializers.Serializer[Any]):
    """A place that is not on the map."""

    raw = serializers.CharField()
    reason = serializers.CharField()


class FailuresOut(serializers.Serializer[Any]):
    """The places that are not on the map."""

    failed = FailedOut(many=True)
    retryable = serializers.BooleanField()
    last_updated = serializers.CharField(allow_null=True)


class RetryIn(Input):
    """Which places to try again; all if left out."""

    raw = serializers.ListField(
        child=serializers.CharField(max_length=300), required=False, max_length=1000
    )


class RetryOut(AcceptedOut):
    """A retry that was asked for: its job tells by how many the list has shrunk."""

    places = serializers.IntegerField(help_text="how many are tried again")
    retry_of = serializers.UUIDField(allow_null=True)
