"""Which kinds of run the app has."""

from typing import Final

from project.core import switches
from project.core.kinds import Kind, register

#: Attempts are many, since deaths of workers count, too; of transient failures each phase may
#: have three (``pipeline.TRIES``).
JOB: Final = register(Kind("analysis.job", "Analyse a video", limit_s=3600, max_attempts=20))
BATCH: Final = register(Kind("analysis.batch", "Analyse many videos", limit_s=120, max_attempts=20))

switches.register(
    switches.Switch(
        name="analysis",
        label="Analysis",
        text="No video is analysed; jobs are taken in, and wait.",
        kinds=(JOB.name, BATCH.name),
    )
)
