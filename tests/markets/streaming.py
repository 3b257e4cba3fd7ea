"""Reads a long answer of a real web process: how soon it begins, how much memory it takes there."""

import http.client
import re
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Streamed:
    """What one answer took.

    Attributes:
        first_s: from the request to the first byte of the body, seconds.
        peak_mb: the most memory that the process ever had, after the answer.
    """

    status: int
    size_bytes: int
    first_s: float
    whole_s: float
    peak_mb: float


def read(port: int, pid: int, path: str, *, secret: str) -> Streamed:
    """Ask for ``path`` and read all of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    began_s = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Api-Key {secret}"})
    answer = connection.getresponse()
    size = len(answer.read(1))
    first_s = time.perf_counter() - began_s
    while piece := answer.read(65_536):
        size += len(piece)
    whole_s = time.perf_counter() - began_s
    connection.close()
    return Streamed(answer.status, size, first_s, whole_s, peak_mb(pid))


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had."""
    told = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    assert found is not None
    return int(found[1]) / 1024
