"""How long each page of a running console takes to be answered, and with how many bytes.

    python -m tests.benchmarks.console_pages http://127.0.0.1:8000 --password-file var/demo/admin-password

Asks every page of the side bar, and of the first row of each list, ``--rounds`` times one after the
other; says the median and the slowest, and which pages take longer than ``--limit-ms``.
"""

import statistics
import sys
import time

from tests.browser import touring


def main() -> int:
    parser = touring.arguments(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit-ms", type=float, default=300)
    asked = parser.parse_args()
    with touring.browsing(asked) as (browser, state):
        context = browser.new_context(base_url=asked.url, storage_state=state)
        medians = {}
        for address in touring.addresses(context):
            took = []
            for _ in range(asked.rounds + 1):  # the first one reads templates
                began = time.perf_counter()
                answer = context.request.get(address)
                took.append((time.perf_counter() - began) * 1000)
                assert answer.ok, (address, answer.status)
            medians[address] = statistics.median(took[1:])
    slow = {address: each for address, each in medians.items() if each > asked.limit_ms}
    ranked = sorted(medians.items(), key=lambda pair: -pair[1])
    print(f"{len(medians)} pages, median {statistics.median(medians.values()):.0f} ms")
    for address, each in ranked[:10]:
        print(f"{each:7.0f} ms  {address}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
