"""What a model is asked: the version of the prompt that the strategy names.

A version is a file ``analysis/prompts/v<number>.txt`` that never changes once it was used: results
are kept under the number. A better prompt is the next number.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from analysis.contracts import Segment, VideoContext
from analysis.failures import Deterministic

FOLDER: Final = Path(__file__).resolve().parents[1] / "prompts"
_SYSTEM: Final = "--- system\n"
_USER: Final = "--- user\n"
_MOST_DESCRIPTION: Final = 1_500
_MOST_TAGS: Final = 30


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version: what the model is told to be, and the question with its gaps."""

    version: int
    system: str
    user: string.Template

    def messages(self, chunk: Sequence[Segment], video: VideoContext) -> list[dict[str, str]]:
        """Return the messages of a chat about a piece of a video's speech."""
        lines = (f"[{_clock(each.start_ms)}] {' '.join(each.text.split())}" for each in chunk)
        question = self.user.substitute(
            title=video.title,
            tags=", ".join(video.tags[:_MOST_TAGS]),
            language=video.language or "unknown",
            description=" ".join(video.description[:_MOST_DESCRIPTION].split()),
            transcript="\n".join(lines),
        )
        return [
            {"role": "system", "content": self.system},
            {"role": "user", "content": question},
        ]


@lru_cache
def load(version: int) -> Prompt:
    """Return a version of the prompt.

    Raises:
        Deterministic: ``unknown_prompt_version``.
    """
    try:
        text = (FOLDER / f"v{version}.txt").read_text(encoding="utf-8")
    except OSError as error:
        raise Deterministic(
            f"there is no version {version} of the prompt", code="unknown_prompt_version"
        ) from error
    system, _, user = text.removeprefix(_SYSTEM).partition(_USER)
    return Prompt(version, system.strip(), string.Template(user.strip()))


def versions() -> list[int]:
    """Return the versions that there are."""
    return sorted(int(path.stem[1:]) for path in FOLDER.glob("v*.txt"))


def _clock(at_ms: int) -> str:
    seconds = at_ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
