"""Import and export of a large pool: rates, and the memory that they take.

    python -m tests.benchmarks.proxies_lists --sizes 20000 100000

Starts an installation in a temporary folder for each size. The list is handed in and taken over
by a process of its own, as a worker does it; then a uvicorn process exports the pool in each form,
while a client reads the stream and keeps nothing. ``peak_mb`` is what the process had in memory at
most; ``grew_mb`` is by how much that peak rose while it worked: both must grow by the same few MB
whatever the size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.benchmarks.proxies_leases import prepare, serving, tell
from tests.benchmarks.streams import ROOT

IMPORT = """
import io, json, resource, sys, time, django
django.setup()
from django.utils import timezone
from project.core import working
from project.core.callers import SYSTEM
from proxies import importing, kinds
from proxies.models import Proxy
from proxies.parsing import ListOptions

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def take(file):
    with importing.read(file) as kept:
        run = importing.submit(kept, ListOptions(), by=SYSTEM, now=timezone.now())
    working.execute(str(run.pk), importing.run, kind=kinds.IMPORT.name)
    run.refresh_from_db()
    if run.status != "done":
        raise RuntimeError(f"{run.status}: {run.error_message}")

take(io.BytesIO(b"45.31.0.1:8080\\n"))  # what is loaded once
before_mb, began_s, cpu_s = peak_mb(), time.perf_counter(), time.process_time()
take(sys.stdin.buffer)
count = Proxy.objects.count()
print(json.dumps({
    "rows_per_s": round(count / (time.perf_counter() - began_s)),
    "cpu_us_per_row": round(1e6 * (time.process_time() - cpu_s) / count, 1),
    "peak_mb": round(peak_mb()), "grew_mb": round(peak_mb() - before_mb, 1), "pool": count,
}))
"""


def lines(count: int) -> str:
    """Return a list of so many proxies, every tenth with a login."""
    found = []
    for number in range(count):
        host = f"45.{32 + number // 65536}.{number // 256 % 256}.{number % 256}"
        login = f"user{number}:secret{number}@" if number % 10 == 0 else ""
        found.append(f"http://{login}{host}:8080\n")
    return "".join(found)


def import_of(count: int, env: dict[str, str]) -> None:
    """Measure the import of a list."""
    command = [sys.executable, "-c", IMPORT]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        input=lines(count),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    tell(what="import", size=count, **json.loads(done.stdout.splitlines()[-1]))


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2]
    return int(status.split()[0]) / 1024


def read(port: int, key: str, form: str, *, more: str = "") -> tuple[int, int]:
    """Read an export and keep nothing; return its bytes and lines."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/proxies/export?format={form}{more}",
        headers={"Authorization": f"Api-Key {key}"},
    )
    size = count = 0
    with urllib.request.urlopen(request) as answer:
        while chunk := answer.read(65536):
            size, count = size + len(chunk), count + chunk.count(b"\n")
    return size, count


def export_of(count: int, env: dict[str, str], key: str) -> None:
    """Measure the export of the pool in each form."""
    with serving("uvicorn", env) as (port, pid):
        for form in ("txt", "json", "csv"):
            read(port, key, form, more="&pool=hot")  # what is loaded once
        for form in ("txt", "json", "csv"):
            before_mb, began_s = peak_mb(pid), time.perf_counter()
            size, rows = read(port, key, form)
            took_s = time.perf_counter() - began_s
            if rows < count:
                raise RuntimeError(f"{rows} lines of {count}")
            tell(
                what=f"export {form}", size=count, rows_per_s=round(count / took_s),
                mb=round(size / 2**20, 1), peak_mb=round(peak_mb(pid)),
                grew_mb=round(peak_mb(pid) - before_mb, 1),
            )  # fmt: skip


def main() -> None:
    """Measure, and print one line of JSON for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=[20_000, 100_000])
    parser.add_argument("--database", default="", help="URL; none: SQLite in a temporary folder")
    args = parser.parse_args()
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "project.settings"}
            env["RATE_LIMIT_ENABLED"] = "false"
            if args.database:
                env["DATABASE_URL"] = args.database
            key = prepare(env)
            import_of(size, env)
            export_of(size, env, key)


if __name__ == "__main__":
    main()
