"""Compiles the gazetteer in a process of its own, whose memory ends with it.

It gives way to others: what people ask for goes on meanwhile.

``python -m analysis.gazetteer FILE VERSION`` writes a line ``<share> <step>`` for each step.
"""

import os
import sys
import threading
from pathlib import Path

from analysis.gazetteer import compiling

#: Niceness: less than a web process or a worker has, enough for whoever waits for it.
_GIVES_WAY = 5


def _tell(step: str, ratio: float) -> None:
    sys.stdout.write(f"{ratio:.2f} {step}\n")
    sys.stdout.flush()


def _end_with_the_parent() -> None:
    """End this process when whoever wants the gazetteer is gone: another one compiles it then."""
    while os.read(0, 64):  # not sys.stdin, whose lock would hold up this process's own end
        pass
    os._exit(1)


if __name__ == "__main__":
    os.nice(_GIVES_WAY)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    compiling.compile_into(Path(sys.argv[1]), version=sys.argv[2], tell=_tell)
