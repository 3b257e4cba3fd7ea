"""Many threads that want the same thing at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def rivals(count: int, deed: Callable[[int], T]) -> list[T]:
    """Let ``count`` threads do ``deed(number)`` at once; return what each came to."""
    start = threading.Barrier(count)

    def one(number: int) -> T:
        start.wait(30)
        try:
            return deed(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(one, range(count)))
