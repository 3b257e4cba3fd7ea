"""The kinds of run that the app has."""

from typing import Final

from project.core import announcing, switches
from project.core.kinds import Kind, register

FETCH: Final = register(Kind("proxies.fetch", "Fetch proxy lists", limit_s=600, loop="fetch"))
VALIDATE: Final = register(
    Kind(
        "proxies.validate",
        "Validate proxies",
        limit_s=900,
        max_attempts=10,
        loop="validate",
        alone=True,
    )
)
IMPORT: Final = register(Kind("proxies.import", "Import proxies", limit_s=600))
SWEEP: Final = register(Kind("proxies.sweep", "End leases that ran out", limit_s=60, alone=True))
#: Its name is the contract's. Three tries, then the delivery waits in the outbox.
ETL_SYNC: Final = register(
    Kind(
        "core.etl_sync",
        "Send a snapshot of the pools (ETL)",
        limit_s=300,
        max_attempts=3,
        loop="etl-sync",
        alone=True,
    )
)
SNAPSHOT: Final = register(
    Kind("proxies.snapshot", "Remember how the pools look", limit_s=120, alone=True)
)

#: Told once each time that the pool falls below what staff set.
POOL_LOW: Final = announcing.register("pool.low", "The pool has too few healthy proxies")

switches.register(
    switches.Switch(
        name="proxy-lists",
        label="Fetching proxy lists",
        text="No list is fetched or imported; the pool stays as it is.",
        kinds=(FETCH.name, IMPORT.name),
    )
)
switches.register(
    switches.Switch(
        name="proxy-checks",
        label="Proxy checks",
        text="No proxy is checked; lending goes on by what is known of them.",
        kinds=(VALIDATE.name,),
    )
)
switches.register(
    switches.Switch(
        name="proxy-sync",
        label="ETL snapshots",
        text="No snapshot of the pools is sent.",
        kinds=(ETL_SYNC.name,),
    )
)
