"""Keeps the garbage collector from stopping a web process while it serves streams.

A whole collection looks at every object of the process: 330 ms with 1,000 subscribers, in
which nobody is served. What lives as long as the process is taken out of its sight, and the
rest is looked at as a whole less often; a request's own cycles die young as before.
"""

import gc
from typing import Final

#: Allocations before the young are looked at, and how many of those looks before older ones are.
THRESHOLDS: Final = (2_000, 20, 50)


def settle() -> None:
    """Take all that is loaded by now for permanent; to be called when a process has loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
