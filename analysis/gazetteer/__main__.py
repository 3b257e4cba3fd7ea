"""Compiles the gazetteer in a process of its own, whose memory ends with it.

``python -m analysis.gazetteer FILE VERSION`` writes a line ``<share> <step>`` for each step.
"""

import sys
from pathlib import Path

from analysis.gazetteer import compiling


def _tell(step: str, ratio: float) -> None:
    sys.stdout.write(f"{ratio:.2f} {step}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    compiling.compile_into(Path(sys.argv[1]), version=sys.argv[2], tell=_tell)
