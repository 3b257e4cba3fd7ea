"""Asks a running Prometheus every query of the dashboards, and names the panels that have nothing to show.

    python -m tests.benchmarks.panels --prometheus http://127.0.0.1:9090

Queries are asked as Grafana does, over the last 15 minutes, every choice open. Prints a line for each
empty panel; exit status 1 when Prometheus refuses a query.
"""

import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"


def ask(server: str, query: str) -> list[dict[str, Any]]:
    """Return the series that answer ``query`` over the last 15 minutes.

    Raises:
        urllib.error.HTTPError: Prometheus refuses the query.
    """
    now = time.time()
    words = {"query": query, "start": now - 900, "end": now, "step": 15}
    address = f"{server}/api/v1/query_range?{urllib.parse.urlencode(words)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def has_values(series: list[dict[str, Any]]) -> bool:
    """Say whether any value is a number: 0 / 0 is none."""
    return any(value != "NaN" for one in series for _, value in one["values"])


def main() -> int:
    """Ask everything; the exit status is 1 when a query is refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    server = parser.parse_args().prometheus
    counts = {"shown": 0, "empty": 0, "refused": 0}
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            queries = [re.sub(r"\$\w+", ".*", target["expr"]) for target in panel["targets"]]
            try:
                found = "shown" if any(has_values(ask(server, one)) for one in queries) else "empty"
            except urllib.error.HTTPError as error:
                found = f"refused: {error.read().decode()}"
            counts[found.partition(":")[0]] += 1
            if found != "shown":
                print(f"{file.stem}: {panel['title']}: {found}")
    print(json.dumps(counts))
    return 1 if counts["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
