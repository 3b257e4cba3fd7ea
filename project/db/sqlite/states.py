"""Decides what the pool of a SQLite file tells of itself."""

import time

from project.db import statistics
from project.db.sqlite.gating import Turn
from project.db.sqlite.pooling import Pool
from project.db.statistics import Holder, PoolState


def state_of(pool: Pool) -> PoolState:
    """Return the present state; connections idle too long are closed on the way."""
    pool.tidy()
    now_s = time.monotonic()
    holders = [
        Holder.of(
            member.place,
            thread=member.thread.name if member.thread else "unknown",
            held_s=now_s - member.lent_at_s,
        )
        for member in pool.lent()
    ]
    return PoolState(
        vendor="sqlite",
        min_size=pool.options.min_size,
        max_size=pool.options.max_size,
        size=pool.size,
        in_use=pool.in_use,
        idle=pool.idle,
        waiting=pool.waiting,
        recorder=pool.recorder,
        leak_after_s=pool.options.leak_after_s,
        holders=tuple(holders),
        writer=_writer(pool.gate.turn, now_s),
        writers_waiting=pool.gate.waiting,
        disk=statistics.disk_of(pool.path),
    )


def _writer(turn: Turn | None, now_s: float) -> Holder | None:
    if turn is None:
        return None
    return Holder.of(turn.place, thread=turn.thread.name, held_s=now_s - turn.entered_at_s)
