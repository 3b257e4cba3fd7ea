"""One attempt at an analysis: what it may still write, its progress, its log lines."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from analysis import progressing
from analysis.aside import Aside
from analysis.choices import Phase
from analysis.contracts import Extractor, Geocoder, StrategyInputs
from analysis.models import Analysis, Video
from analysis.strategies import as_contract
from project.core.models import Run
from project.core.working import StopWorkError, Work

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """A worker at an analysis."""

    work: Work
    analysis: Analysis
    aside: Aside
    began_s: float = field(default_factory=time.monotonic)

    @property
    def video(self) -> Video:
        """What is analysed."""
        return self.analysis.video

    @property
    def inputs(self) -> dict[str, Any]:
        """What of the strategy the result depends on."""
        return dict(self.analysis.inputs)

    @property
    def strategy(self) -> StrategyInputs:
        """The same, as extractors and geocoders take it."""
        return as_contract(self.inputs)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Give a transaction in which the analysis is this attempt's alone to write.

        Locks the analysis, then the run: in this order everywhere.

        Raises:
            StopWorkError: another worker, or another attempt, has it by now.
        """
        with transaction.atomic():
            mine = Analysis.objects.select_for_update(no_key=True).filter(
                pk=self.analysis.pk, run_id=self.work.run.pk
            )
            still = Run.objects.filter(pk=self.work.run.pk, **self.work.fence)
            if not (mine.values("pk").first() and still.update(heartbeat_at=timezone.now())):
                raise StopWorkError("lost")
            yield

    def report(self, phase: Phase, done: int, total: int, **counts: Any) -> None:
        """Tell how many pieces of a phase are done; also a safe point."""
        progress = progressing.overall(phase, done, total)
        self.work.report(phase=phase, progress=progress, counts=counts or None)

    def catch_up(self, phase: Phase) -> None:
        """Tell that a phase was finished before, unless the run has told so already."""
        if progressing.overall(phase, 1, 1) > self.work.run.progress:
            self.report(phase, 1, 1)
        else:
            self.work.check()

    def wait_for(self, tool: Extractor | Geocoder) -> None:
        """Wait until ``tool`` can be asked; meanwhile tell how far that is, at safe points."""
        before = self.work.run.counts
        waiting: dict[str, Any] = {}

        def told(what: str, ratio: float) -> None:
            nonlocal waiting
            self.work.check()
            news = progressing.counts_while_waiting(what, ratio)
            if news != waiting:
                waiting = news
                self.work.report(counts=news)

        tool.prepare(told)
        self.work.run.counts = before

    def log(self, event_type: str, phase: str, **extra: Any) -> None:
        """Write the log line of an event; run and request id are bound to it."""
        told = {
            "job_id": str(self.work.run.pk),
            "phase": phase,
            "event_type": event_type,
            "elapsed_ms": round((time.monotonic() - self.began_s) * 1000, 1),
            "video_id": self.video.video_id,
            "strategy_hash": self.analysis.strategy_hash,
        }
        logger.info("job event", extra={**told, **extra})
