"""Does work of the app in the test's own thread, against a world that does as it is told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis import batches, compressing, extracting, geocoding, pipeline
from analysis.adapters import videos
from analysis.contracts import (
    Extraction,
    Located,
    Mention,
    Segment,
    StrategyInputs,
    Unlocated,
    VideoContext,
    Waiting,
)
from analysis.models import Job
from project.core import working
from project.core.models import Run
from tests.analysis import fakes

HANDLERS = {"analysis.job": pipeline.run, "analysis.batch": batches.run}
#: Words of the fake speech that name places, and where they are.
PLACES = {
    "taipei": (121.56, 25.03),
    "jiufen": (121.84, 25.11),
    "tainan": (120.2, 23.0),
    "hualien": (121.6, 23.98),
    "kenting": (120.79, 21.95),
}
SPEECH = [
    Segment(1_000, 4_000, "hello everybody today we begin in taipei and eat noodles"),
    Segment(5_000, 9_000, "then the train brings us up to jiufen above the sea"),
    Segment(70_000, 75_000, "the day after we see temples in tainan for hours"),
    Segment(80_000, 85_000, "on the other coast hualien has the gorge"),
    Segment(3_661_500, 3_665_000, "and we end on the beach of kenting, and atlantis"),
]
__all__ = ["HANDLERS", "PLACES", "SPEECH", "Outside", "execute", "finish"]


@dataclass
class Outside:
    """A site, an extractor and a geocoder; the lists count how often each was asked."""

    speech: list[Segment] = field(default_factory=lambda: list(SPEECH))
    places: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(PLACES))
    names: list[str] = field(default_factory=lambda: [*PLACES, "atlantis"])
    retryable: bool = True
    fetched: list[str] = field(default_factory=list)
    extracted: list[str] = field(default_factory=list)
    located: list[str] = field(default_factory=list)
    before_fetch: Callable[[], None] = lambda: None
    before_asking: Callable[[Waiting], None] = lambda _told: None
    before_extract: Callable[[], None] = lambda: None
    before_locate: Callable[[str], None] = lambda _name: None

    def install(self, put: Callable[..., Any]) -> None:
        """Take the place of the adapters beneath the phases."""
        put(videos, "fetch_video", self.fetch)
        put(compressing, "compress", self.compress)
        put(extracting, "extractor_for", lambda inputs: fakes.Finder(self, inputs))
        put(geocoding, "geocoder_for", lambda inputs: fakes.Locator(self, inputs))

    def fetch(
        self, url: str, *, languages: Sequence[str], egress: str, **_: Any
    ) -> tuple[VideoContext, list[Segment], dict[str, Any]]:
        self.fetched.append(url)
        self.before_fetch()
        context = VideoContext(videos.video_id_of(url), title="Round Taiwan", language="en")
        return context, list(self.speech), {"uploader": "somebody"}

    @staticmethod
    def compress(segments: Sequence[Segment], *, on_progress: Any, **_: Any) -> list[Segment]:
        for number in range(len(segments)):
            on_progress(number + 1, len(segments))
        return list(segments)

    def extract(self, chunk: Sequence[Segment], inputs: StrategyInputs) -> Extraction:
        self.extracted.append(chunk[0].text)
        self.before_extract()
        mentions = [
            Mention(name, one.start_ms, one.end_ms, quote=one.text, tags=("spoken",))
            for one in chunk
            for name in self.names
            if name in one.text
        ]
        return Extraction(tuple(mentions), tokens_in=100, tokens_out=10)

    def locate(self, mentions: Sequence[Mention]) -> Iterator[Located | Unlocated]:
        for mention in mentions:
            self.located.append(mention.raw)
            self.before_locate(mention.raw)
            spot = self.places.get(mention.raw)
            if spot is None:
                yield Unlocated(mention, "nobody knows it", retryable=self.retryable)
            else:
                yield Located(
                    mention, mention.raw.title(), *spot, "city", "city", ("city",), "TW", "fake"
                )


def execute(run: Run) -> Run:
    """Do a run's work here and now, as a worker would."""
    working.execute(str(run.pk), HANDLERS[run.kind], kind=run.kind)
    run.refresh_from_db()
    return run


def finish(job: Job) -> Job:
    """Do the work of a job here and now; return what became of it."""
    assert job.run is not None
    execute(job.run)
    job.refresh_from_db()
    job.analysis.refresh_from_db()
    return job
