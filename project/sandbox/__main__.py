"""How the sandbox runs as a process: ``python -m project.sandbox``."""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

from project.sandbox.exchange.folder import UnreadableCandlesError
from project.sandbox.exchange.generating import LISTED_MS
from project.sandbox.world import World, WorldPlan


def main(words: list[str] | None = None) -> int:
    """Run a world until a signal, or the end of stdin where asked; return the exit status."""
    asked = _parser().parse_args(words)
    try:
        world = World(_plan(asked))
    except UnreadableCandlesError as wrong:
        print(f"sandbox: {wrong}", file=sys.stderr)
        return 2
    return asyncio.run(_run(world, stop_with_stdin=asked.stop_with_stdin))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m project.sandbox", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=8790, help="first port; 0 takes any free ones")
    add(
        "--candles",
        type=Path,
        default=os.environ.get("SANDBOX_CANDLES") or None,
        help="folder of *_BASE_QUOTE-TIMEFRAME.csv (SANDBOX_CANDLES)",
    )
    add("--symbols", help="generated markets, such as BTC/USDT,ETH/USDT")
    add("--seed", type=int, default=1, help="of the generated markets")
    add("--listed-ms", type=int, default=LISTED_MS, help="when the generated markets begin")
    add("--proxies", type=int, default=24, help="how many proxies, of all kinds")
    add("--list-files", type=Path, help="folder of published lists to serve under /files")
    add("--clock-ms", type=int, help="freeze the markets' clock there")
    add("--clock-at-end", action="store_true", help="freeze it where the folder's candles end")
    add("--stop-with-stdin", action="store_true", help="stop when stdin is closed")
    return parser


def _plan(asked: argparse.Namespace) -> WorldPlan:
    return WorldPlan(
        candles=Path(asked.candles) if asked.candles else None,
        symbols=tuple(asked.symbols.split(",")) if asked.symbols else None,
        seed=asked.seed,
        listed_ms=asked.listed_ms,
        proxies=asked.proxies,
        list_files=asked.list_files,
        port=asked.port,
        clock_ms=asked.clock_ms,
        clock_at_end=asked.clock_at_end,
    )


async def _run(world: World, *, stop_with_stdin: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    try:
        await world.start()
    except OSError as failed:
        print(f"sandbox: {failed}", file=sys.stderr)
        return 1
    if stop_with_stdin:
        _watch_stdin(loop, stop)
    print(json.dumps(world.addresses()), flush=True)
    await stop.wait()
    await world.stop()
    return 0


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set ``stop`` when stdin ends; in a daemon thread, for a read can't be interrupted."""

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
