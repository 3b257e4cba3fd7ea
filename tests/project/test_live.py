import asyncio
import json
from typing import Any

import pytest
from django.db import DatabaseError

from project.core import live
from project.core.choices import RunStatus
from project.core.hub import in_thread
from tests.factories import make_run


def test_changes_are_what_turns_one_state_into_the_other():
    before = {"runs": {"a": {"n": 1}, "b": {"n": 1}}, "issues": [], "figures": [1]}
    after = {"runs": {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}}, "issues": [2], "figures": [1]}

    found = live.changes(before, after, sections=("issues", "figures"))

    assert found == [("run", {"n": 2}), ("run", {"n": 3}), ("issues", [2])]


@pytest.mark.django_db
def test_recent_runs_are_those_that_work_then_those_that_ended_last(monkeypatch, now):
    monkeypatch.setattr(live, "MOST_UNENDED", 2)
    monkeypatch.setattr(live, "MOST_ENDED", 1)
    for _ in range(2):
        make_run(status=RunStatus.DONE)
    ended = make_run(status=RunStatus.FAILED, error_message="x" * 400)
    queued, running = make_run(), make_run(status=RunStatus.RUNNING)

    found = live.recent_runs()

    assert found == [running, queued, ended]
    assert live.run_row(ended)["error"] == "x" * 300
    assert live.run_row(queued)["error"] is None


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.01)


async def messages(board: Any, wanted: str) -> Any:
    """Return the data of the next message called ``wanted``."""
    async with asyncio.timeout(10):
        async for message in board:
            told = json.loads(message)
            if told["event"] == wanted:
                return told["data"]
    raise AssertionError("the board ended")


async def at_rest(boards: live.Boards) -> None:
    assert boards._watcher is not None
    await asyncio.wait_for(boards._watcher, 10)
    assert boards._state == {}


@pytest.mark.django_db(transaction=True)
async def test_boards_share_one_look_and_show_the_same(quick):
    boards = live.Boards()

    async with boards.follow() as first, boards.follow() as second:
        assert await messages(first, "snapshot") == await messages(second, "snapshot")
        run = await in_thread(make_run)
        assert (await messages(first, "run"))["id"] == str(run.pk)
        assert (await messages(second, "run"))["id"] == str(run.pk)

    await at_rest(boards)


@pytest.mark.parametrize("error", [DatabaseError("away"), RuntimeError("an app's figure failed")])
@pytest.mark.django_db(transaction=True)
async def test_boards_go_on_when_a_look_fails(error, quick, monkeypatch):
    boards, rows = live.Boards(), live._rows
    failed: list[int] = []

    def flaky() -> Any:
        if len(failed) < 3:
            failed.append(1)
            raise error
        return rows()

    async with boards.follow() as board:
        await messages(board, "snapshot")
        monkeypatch.setattr(live, "_rows", flaky)
        run = await in_thread(make_run)
        assert (await messages(board, "run"))["id"] == str(run.pk)

    assert len(failed) == 3
    await at_rest(boards)


@pytest.mark.django_db(transaction=True)
async def test_board_that_reads_too_slowly_starts_over(quick, monkeypatch):
    monkeypatch.setattr(live, "BACKLOG", 3)
    boards = live.Boards()

    async with boards.follow() as board:
        for number in range(3):
            boards._spread(json.dumps({"event": "run", "data": number}))
        assert json.loads(await anext(board))["event"] == "snapshot"
        await in_thread(make_run)  # changes come again, and none of those that were dropped
        assert (await messages(board, "run"))["kind"] == "tests.job"

    await at_rest(boards)


async def test_boards_belong_to_their_loop():
    assert live.here() is live.here()
