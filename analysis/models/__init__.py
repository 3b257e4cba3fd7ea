"""What the app remembers: strategies, videos, their analyses, jobs, and corrections by people."""

from analysis.models.corrections import Correction
from analysis.models.jobs import Batch, Job
from analysis.models.lookups import GeocoderHost, Lookup
from analysis.models.results import Analysis, Failure, Place
from analysis.models.strategies import Strategy
from analysis.models.videos import Checkpoint, Video

__all__ = [
    "Analysis",
    "Batch",
    "Checkpoint",
    "Correction",
    "Failure",
    "GeocoderHost",
    "Job",
    "Lookup",
    "Place",
    "Strategy",
    "Video",
]
