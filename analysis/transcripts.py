"""What is said in a video, as far as it is known."""

from typing import Any

from analysis.choices import Phase
from analysis.models import Analysis, Checkpoint


def of(analysis: Analysis) -> dict[str, Any]:
    """Return the speech that an analysis works on.

    Returns:
        ``cues``: ``[start_ms, end_ms, text]`` each, by their beginning; none while the speech is
        not there yet. ``language``, and ``remarks`` on what could not be read.
    """
    kept = (
        Checkpoint.objects.filter(video_id=analysis.video_id, phase=Phase.METADATA, part=0)
        .order_by("-created_at")
        .values_list("data", flat=True)
        .first()
    )
    if kept is None:
        return {"cues": [], "language": "", "remarks": []}
    return {
        "cues": kept["segments"],
        "language": kept["video"].get("language", ""),
        "remarks": kept["facts"].get("remarks", []),
    }
