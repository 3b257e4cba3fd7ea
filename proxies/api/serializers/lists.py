"""Shapes of lists that are handed in, and of what would become of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from project.core.api.serializers import Input
from proxies.choices import ListFormat, Scheme


class ImportOptions(serializers.Serializer[Any]):
    """How a list that is handed in is to be read."""

    dry_run = serializers.BooleanField(default=False)
    format = serializers.ChoiceField(choices=ListFormat.choices, default=ListFormat.AUTO)
    protocol = serializers.ChoiceField(choices=Scheme.choices, default=Scheme.HTTP)


class ImportRequest(Input):
    """A list as JSON: entries, or text; a bare array of entries will do as well."""

    proxies = serializers.ListField(child=serializers.JSONField(), required=False)
    text = serializers.CharField(required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one of both."""
        if ("proxies" in attrs) == ("text" in attrs):
            raise serializers.ValidationError("give either proxies or text", code="required")
        return attrs


class UploadRequest(serializers.Serializer[Any]):
    """A list as a file."""

    file = serializers.FileField(allow_empty_file=True)  # the verb says what is missing


class RefusedOut(serializers.Serializer[Any]):
    """An entry that would not be taken."""

    line = serializers.IntegerField()
    text = serializers.CharField(help_text="without what may be a password")
    reason = serializers.CharField()


class PreviewOut(serializers.Serializer[Any]):
    """What an import would do."""

    accepted = serializers.IntegerField(help_text="proxies that would be new")
    duplicates = serializers.IntegerField(help_text="repeated, or known already")
    rejected = RefusedOut(many=True, help_text="the first thousand")
