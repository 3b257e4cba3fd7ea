"""How the phases' values are kept as JSON, and read again."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from analysis.contracts import Mention, Segment, VideoContext


def clean(text: str) -> str:
    """Return ``text`` without what no database keeps: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def facts(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a site told of a video, fit to be kept."""
    found: dict[str, Any] = _cleaned(value)
    return found


def of_segments(segments: Iterable[Segment]) -> list[list[Any]]:
    """Return segments as ``[start_ms, end_ms, text]``."""
    return [[one.start_ms, one.end_ms, clean(one.text)] for one in segments]


def segments(kept: Sequence[Sequence[Any]]) -> list[Segment]:
    """Return what ``of_segments`` has kept."""
    return [Segment(start, end, text) for start, end, text in kept]


def of_video(video: VideoContext) -> dict[str, Any]:
    """Return a video's context as plain JSON."""
    return facts(asdict(video))


def video(kept: dict[str, Any]) -> VideoContext:
    """Return what ``of_video`` has kept."""
    return VideoContext(**{**kept, "tags": tuple(kept.get("tags", ()))})


def of_mention(mention: Mention) -> dict[str, Any]:
    """Return a mention as plain JSON."""
    return facts(asdict(mention))


def mention(kept: dict[str, Any]) -> Mention:
    """Return what ``of_mention`` has kept."""
    return Mention(**{**kept, "tags": tuple(kept.get("tags", ()))})
