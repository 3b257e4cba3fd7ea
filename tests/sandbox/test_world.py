"""The whole sandbox: in a thread, in a loop, and as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from project import sandbox
from project.sandbox import ProxyKind, ProxySpec, WorldPlan, mixed
from project.sandbox.__main__ import main
from project.sandbox.exchange.folder import UnreadableCandlesError

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "project.sandbox", "--port", "0", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SANDBOX_CANDLES": ""},
    )


def free_ports(count):
    """Return the first of ``count`` ports in a row that are free now."""
    for first in range(21000, 31000, count):
        try:
            for port in range(first, first + count):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def test_world_runs_beside_a_sync_test_and_stops_clean():
    before = threading.active_count()

    with sandbox.running(WorldPlan(proxies=[ProxySpec(exit_address="127.0.0.12")])) as world:
        proxy = {"http": world.proxies[0].url}
        through = requests.get(f"{world.exchange.url}/api/v3/ping", proxies=proxy, timeout=5)
        world.run(world.proxies[0].kill())
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(f"{world.exchange.url}/api/v3/ping", proxies=proxy, timeout=5)
        url, bundle = world.exchange.url, world.ca_bundle

    assert through.json() == {}
    assert world.exchange.log.clients() == {"127.0.0.12"}
    assert threading.active_count() == before
    assert not bundle.exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


async def test_world_runs_in_the_loop_of_an_async_test():
    async with sandbox.started(WorldPlan(proxies=3)) as world:
        endpoints = [each.endpoint for each in world.proxies]

    assert len(set(endpoints)) == 3
    assert not any(each.alive for each in world.proxies)


def test_two_worlds_do_not_meet():
    with sandbox.running() as one, sandbox.running() as other:
        requests.get(f"{one.exchange.url}/api/v3/ping", timeout=5)

        assert (len(one.exchange.log.entries()), len(other.exchange.log.entries())) == (1, 0)


def test_fixed_ports_count_from_the_base():
    base = free_ports(30)

    with sandbox.running(WorldPlan(port=base, proxies=2)) as world:
        found = [
            each.url
            for each in (
                world.exchange, world.lists, world.judge, world.videos, world.llm, world.nominatim,
            )
        ]  # fmt: skip
        shown = requests.get(f"{world.exchange.url}/_world", timeout=5).json()

        assert found == [f"http://127.0.0.1:{base + offset}" for offset in (0, 2, 4, 6, 8, 10)]
        assert [each.port for each in world.proxies] == [base + 20, base + 21]
        assert shown == json.loads(json.dumps(world.addresses()))


def test_taken_port_is_an_error_and_leaves_nothing_open():
    base = free_ports(30)

    with (
        socket.create_server(("127.0.0.1", base + 2)),
        pytest.raises(OSError, match="in use"),
        sandbox.running(WorldPlan(port=base)),
    ):
        pass

    with socket.create_server(("127.0.0.1", base)):
        pass


def test_mixed_proxies_are_of_all_kinds_with_an_exit_each():
    specs = mixed(300)

    assert len({each.exit_address for each in specs}) == 300
    assert set(Counter(each.kind for each in specs)) == set(ProxyKind)
    assert sum(each.works for each in specs) > 150


def test_two_hundred_proxies_answer_from_one_loop():
    with sandbox.running(WorldPlan(proxies=200)) as world:
        plain = [
            each
            for each in world.proxies.of_kind(ProxyKind.ELITE)
            if each.url.startswith("http://127")
        ]
        seen = [
            requests.get(world.judge.judge_url, proxies={"http": each.url}, timeout=5).json()
            for each in plain
        ]

    assert len(plain) > 50
    assert [each["remote"] for each in seen] == [each.spec.exit_address for each in plain]


def test_proxies_are_killed_and_changed_over_http():
    with sandbox.running(WorldPlan(proxies=[ProxySpec(), ProxySpec()])) as world:
        control = f"{world.exchange.url}/_control/proxies"

        killed = requests.post(f"{control}/0", json={"alive": False}, timeout=5).json()
        slowed = requests.post(f"{control}/1", json={"kind": "slow", "delay_s": 9}, timeout=5)
        wrong = [
            requests.post(f"{control}/{number}", json=body, timeout=5).status_code
            for number, body in ((1, {"kind": "x"}), (1, {"speed": 1}), (2, {"alive": True}))
        ]
        states = [each["alive"] for each in requests.get(control, timeout=5).json()["proxies"]]

        assert killed["alive"] is False
        assert (slowed.json()["kind"], slowed.json()["delay_s"]) == ("slow", 9)
        assert wrong == [400, 400, 404]
        assert states == [False, True]
        assert world.proxies[0].alive is False


def test_folder_trades_its_own_markets_and_those_asked_for(tmp_path):
    heading, row = "open_time_ms,open,high,low,close,volume", "60000,1,1,1,1,1"
    (tmp_path / "x_AAA_BBB-1m.csv").write_text(f"{heading}\n{row}\n")

    plans = [WorldPlan(candles=tmp_path), WorldPlan(candles=tmp_path, symbols=("ETH/USDT",))]
    traded = [list(sandbox.World(plan).exchange.candles.markets) for plan in plans]

    assert traded == [["AAA/BBB"], ["AAA/BBB", "ETH/USDT"]]


def test_clock_stands_where_the_folder_ends_if_asked(tmp_path):
    heading, row = "open_time_ms,open,high,low,close,volume", "60000,1,1,1,1,1"
    (tmp_path / "x_AAA_BBB-5m.csv").write_text(f"{heading}\n{row}\n")

    clock = sandbox.World(WorldPlan(candles=tmp_path, clock_at_end=True)).clock

    assert (clock.mode, clock.now_ms()) == ("frozen", 360_000)
    with pytest.raises(UnreadableCandlesError):
        sandbox.World(WorldPlan(clock_at_end=True))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_says_where_it_is_and_stops_at_a_signal(number):
    with start("--proxies", "24", "--symbols", "BTC/USDT") as process:
        world = json.loads(process.stdout.readline())
        shown = requests.get(f"{world['exchange']['http']}/_world", timeout=5).json()
        began_s = time.monotonic()
        process.send_signal(number)
        status = process.wait(timeout=5)

    assert shown == world
    assert (len(world["proxies"]), world["markets"]) == (24, ["BTC/USDT"])
    assert (status, time.monotonic() - began_s < 1) == (0, True)


def test_process_stops_with_stdin_where_asked_even_with_a_hanging_request():
    with start("--proxies", "0", "--stop-with-stdin") as process:
        world = json.loads(process.stdout.readline())
        requests.post(f"{world['control']}/faults", json={"kind": "hang"}, timeout=5)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{world['exchange']['http']}/api/v3/ping", timeout=0.1)
        began_s = time.monotonic()
        process.stdin.close()
        status = process.wait(timeout=5)

    assert (status, time.monotonic() - began_s < 1) == (0, True)


def test_process_names_a_folder_it_cannot_read(tmp_path, capsys):
    status = main(["--candles", str(tmp_path)])

    assert (status, "no file named" in capsys.readouterr().err) == (2, True)


def test_process_names_a_port_that_is_taken(capsys):
    base = free_ports(30)

    with socket.create_server(("127.0.0.1", base)):
        status = main(["--port", str(base), "--proxies", "0"])

    assert (status, "in use" in capsys.readouterr().err) == (1, True)


def test_sandbox_imports_neither_django_nor_an_app():
    sources = sorted((ROOT / "project" / "sandbox").rglob("*.py"))

    lines = re.compile(r"^\s*(?:from|import) ([\w.]+)", re.MULTILINE)
    imported = {name for each in sources for name in lines.findall(each.read_text())}

    foreign = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names)
    ours = {name for name in imported if name.startswith("project")}
    assert foreign == {"aiohttp", "cryptography", "project"}
    assert {name for name in ours if not name.startswith("project.sandbox")} <= {"project"}
