"""Kinds of run that exist in tests alone."""

from typing import Final

from project.core.kinds import Kind, register

JOB: Final = register(Kind("tests.job", "Test job", limit_s=60, max_attempts=3, loop="test-loop"))
ALONE: Final = register(Kind("tests.alone", "Lonely test job", limit_s=60, alone=True))
OTHER: Final = register(Kind("tests.other", "Other test job", limit_s=60, loop="test-loop"))
