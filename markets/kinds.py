"""Which kinds of run the app has."""

from typing import Final

from project.core import announcing, switches
from project.core.kinds import Kind, register

COLLECT: Final = register(
    Kind("markets.collect", "Collect candles", limit_s=3600, max_attempts=20, loop="collect")
)
QUALITY: Final = register(
    Kind("markets.quality", "Check quality", limit_s=1800, max_attempts=5, loop="quality")
)
BACKFILL: Final = register(
    Kind("markets.backfill", "Backfill", limit_s=1800, max_attempts=5, loop="backfill")
)
DISCOVER: Final = register(
    Kind("markets.discover", "Refresh the list of markets", limit_s=300, max_attempts=5)
)
PARTITION: Final = register(
    Kind("markets.partition", "Make partitions ahead", limit_s=300, max_attempts=5, alone=True)
)
IMPORT: Final = register(Kind("markets.import", "Import candles", limit_s=3600, max_attempts=5))
RETRY_FAILED: Final = register(
    Kind(
        "markets.retry_failed_tasks",
        "Try failed backfills again",
        limit_s=300,
        max_attempts=5,
        alone=True,
    )
)
CLEAN_UP: Final = register(
    Kind(
        "markets.clean_up",
        "Drop what is old of markets",
        limit_s=1800,
        max_attempts=5,
        alone=True,
    )
)
AUDIT: Final = register(
    Kind("markets.audit", "Audit stored candles", limit_s=1800, max_attempts=5, loop="audit")
)

GAP_REPAIRED: Final = announcing.register("gap.repaired", "A hole in a candle history was filled")

switches.register(
    switches.Switch(
        name="collecting",
        label="Collecting",
        text="No candles are collected and no markets listed; what is stored can be read.",
        kinds=(COLLECT.name, DISCOVER.name),
    )
)
switches.register(
    switches.Switch(
        name="repairing",
        label="Repairing",
        text="No hole is filled; gaps are still found.",
        kinds=(BACKFILL.name, RETRY_FAILED.name),
    )
)
switches.register(
    switches.Switch(
        name="quality",
        label="Quality checks",
        text="No candles are checked or audited: no new gaps and findings.",
        kinds=(QUALITY.name, AUDIT.name),
    )
)
