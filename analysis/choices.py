"""The phases of a job, the states of a result and what a correction does."""

from typing import Final

from django.db import models

#: The extractor and the geocoder that need no network and no key.
OFFLINE: Final = "offline"
#: The authority of places that people have put on the map.
PEOPLE: Final = "correction"
#: The marker of places of no known kind.
PIN: Final = "pin"


class GeocodeMode(models.TextChoices):
    """Who puts places on the map."""

    OFFLINE = "offline", "Gazetteer, no network"
    NOMINATIM = "nominatim", "Nominatim server"


class Phase(models.TextChoices):
    """What a job does, in this order."""

    METADATA = "metadata", "Metadata"
    COMPRESSION = "compression", "Compression"
    SUMMARY = "summary", "Summary"
    GEOCODE = "geocode", "Geocode"


#: Percent of the whole job.
WEIGHTS: Final[dict[str, float]] = {
    Phase.METADATA: 10.0,
    Phase.COMPRESSION: 25.0,
    Phase.SUMMARY: 35.0,
    Phase.GEOCODE: 30.0,
}


class Outcome(models.TextChoices):
    """Whether an analysis has a result."""

    NONE = "none", "None yet"
    PARTIAL = "partial", "Partial"
    DONE = "done", "Done"


class Change(models.TextChoices):
    """What a correction does to a place."""

    MOVE = "move", "Move"
    RENAME = "rename", "Rename"
    MERGE = "merge", "Merge"
    DROP = "drop", "Drop"


class VideoKind(models.TextChoices):
    """Where the speech comes from."""

    URL = "url", "Video"
    UPLOAD = "upload", "Transcript"
