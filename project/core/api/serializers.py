"""Shapes of the floor's endpoints, and the strictness that all input shares."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from project.core.choices import RunStatus
from project.core.models import Run


class Input(serializers.Serializer[Any]):
    """The base of every request body: a field that isn't known is an error."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields, all at once, then read the rest."""
        if isinstance(data, dict) and (
            unknown := [name for name in data if name not in self.fields]
        ):
            problem = serializers.ErrorDetail("there is no such field", code="unknown_field")
            raise serializers.ValidationError({name: [problem] for name in unknown})
        return super().to_internal_value(data)


class LastErrorOut(serializers.Serializer[Any]):
    """Why a run failed, or was not whole."""

    type = serializers.CharField()
    message = serializers.CharField()


class RunOut(serializers.ModelSerializer[Run]):
    """A run as the API shows it."""

    requested_by = serializers.IntegerField(source="requested_by_id", allow_null=True)
    duration_seconds = serializers.FloatField(source="duration_s", allow_null=True)
    status = serializers.ChoiceField(choices=RunStatus.choices)
    last_error = serializers.SerializerMethodField()
    counts = serializers.DictField()

    class Meta:
        """The contract's names."""

        model = Run
        fields = (
            "id",
            "kind",
            "subject",
            "status",
            "phase",
            "progress",
            "counts",
            "attempt",
            "requested_by",
            "request_id",
            "created_at",
            "started_at",
            "ended_at",
            "duration_seconds",
            "heartbeat_at",
            "next_try_at",
            "retry_of",
            "last_error",
        )

    @extend_schema_field(LastErrorOut(allow_null=True))
    def get_last_error(self, run: Run) -> dict[str, str] | None:
        """Return the error as ``{type, message}``; null where there is none."""
        if not run.error_type:
            return None
        return {"type": run.error_type, "message": run.error_message}


class RunAcceptedOut(RunOut):
    """A run that was asked for or changed: the run, and its id under the usual name."""

    run_id = serializers.UUIDField(source="id")

    class Meta(RunOut.Meta):
        """The run's fields and ``run_id``."""

        fields = ("run_id", *RunOut.Meta.fields)  # type: ignore[assignment]  # a longer tuple


class RoleOut(serializers.Serializer[Any]):
    """The processes of one role."""

    alive = serializers.IntegerField()
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    heartbeat_age_seconds = serializers.FloatField(allow_null=True)
    restarts = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())


class ProcessesOut(serializers.Serializer[Any]):
    """The processes by role."""

    web = RoleOut()
    worker = RoleOut()
    beat = RoleOut()


class TaskErrorOut(LastErrorOut):
    """The last failure of a kind of run."""

    at = serializers.DateTimeField(allow_null=True)


class TaskOut(serializers.Serializer[Any]):
    """One periodic job."""

    name = serializers.CharField()
    task = serializers.CharField()
    enabled = serializers.BooleanField()
    schedule = serializers.CharField()
    last_run_id = serializers.UUIDField(allow_null=True)
    last_status = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)
    average_seconds = serializers.FloatField(allow_null=True)
    success_count = serializers.IntegerField()
    failure_count = serializers.IntegerField()
    restarts = serializers.IntegerField()
    last_error = TaskErrorOut(allow_null=True)
    next_due_at = serializers.DateTimeField(allow_null=True)
    is_late = serializers.BooleanField()


class SystemOut(serializers.Serializer[Any]):
    """Heartbeats and periodic jobs."""

    timestamp = serializers.DateTimeField()
    processes = ProcessesOut()
    tasks = TaskOut(many=True)


class IssueOut(serializers.Serializer[Any]):
    """Something that needs a person."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["red", "amber"])
    text = serializers.CharField()
    action = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)


class HealthOut(serializers.Serializer[Any]):
    """Whether the installation works."""

    status = serializers.ChoiceField(choices=["healthy", "degraded", "unhealthy"])
    timestamp = serializers.DateTimeField()
    version = serializers.CharField()
    commit = serializers.CharField()
    degraded = serializers.BooleanField()
    issues = IssueOut(many=True)
