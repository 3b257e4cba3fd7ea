"""Decides what `make demo` runs besides: the sandbox world, and the seeding that points at it."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Final

from django.core.management import call_command, get_commands

from project import sandbox
from project.runtime import listening
from project.runtime.children import Ready, Role

PROXIES: Final = 24
FIRST_PORT: Final = 8790
ADDRESSES_FILE: Final = "sandbox.json"
#: The authority that signed the sandbox's certificates; `make demo` lets checks trust it.
AUTHORITY_FILE: Final = "sandbox-ca.pem"
_HOST: Final = "127.0.0.1"


def first_port() -> int:
    """Return the sandbox's first port; the others follow it (project/sandbox/README.md)."""
    return int(os.environ.get("SANDBOX_PORT", FIRST_PORT))


def check_port() -> None:
    """Say before anything starts that the sandbox's place is taken.

    Raises:
        AddressError: somebody listens on its first port.
    """
    port = first_port()
    try:
        listening.listen(_HOST, port).close()
    except listening.AddressError as error:
        hint = f"the sandbox needs port {port}: choose others, e.g. SANDBOX_PORT={port + 200}"
        raise listening.AddressError(f"{hint} make demo") from error


def companions(data_dir: Path) -> list[Role]:
    """Return the sandbox, and what fills an empty installation with examples."""
    return [
        Role("sandbox", lambda ready: asyncio.run(_world(data_dir, ready)), is_companion=True),
        Role("seed", _seed, is_once=True),
    ]


async def _world(data_dir: Path, ready: Ready) -> int:
    """Run the outside world on loopback; its addresses are in ``DATA_DIR/sandbox.json``."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    candles = os.environ.get("SANDBOX_CANDLES")
    plan = sandbox.WorldPlan(
        candles=Path(candles) if candles else None,
        proxies=PROXIES,
        port=first_port(),
    )
    async with sandbox.started(plan) as world:
        authority = await asyncio.to_thread(world.ca_bundle.read_bytes)
        await asyncio.to_thread((data_dir / AUTHORITY_FILE).write_bytes, authority)
        draft = data_dir / f".{ADDRESSES_FILE}"
        await asyncio.to_thread(draft.write_text, json.dumps(world.addresses(), indent=1))
        draft.replace(data_dir / ADDRESSES_FILE)
        ready()
        await stop.wait()
    return 0


def _seed(ready: Ready) -> int:
    """Fill the installation, once it runs, with what shows every part at work."""
    if "seed_demo" in get_commands():
        call_command("seed_demo")
    ready()
    return 0
