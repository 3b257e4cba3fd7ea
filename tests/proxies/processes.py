"""Rivals in processes of their own: each borrows proxies until none is left."""

import json
import os
import sys


def main() -> None:
    """Wait for a line on the standard input, borrow with four threads, print what was lent."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    settings.DATABASES["default"]["NAME"] = os.environ["RIVALS_DATABASE"]
    connections["default"].settings_dict["NAME"] = os.environ["RIVALS_DATABASE"]
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection
    from django.utils import timezone

    from project.core.callers import SYSTEM
    from proxies import lending

    def borrow(number: int) -> list[int]:
        found = []
        ask = lending.Ask(holder=f"rival-{os.getpid()}-{number}", ttl_s=600)
        try:
            while True:
                found.append(lending.acquire(ask, by=SYSTEM, now=timezone.now()).proxy_id)
        except lending.NoProxyAvailableError:
            return found
        finally:
            connection.close()

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(max_workers=16) as pool:
        lent = [pk for found in pool.map(borrow, range(16)) for pk in found]
    sys.stdout.write(json.dumps(lent) + "\n")


if __name__ == "__main__":
    main()
