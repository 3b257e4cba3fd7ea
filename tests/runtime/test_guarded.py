"""Servers of the tests end with whoever started them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from project.core import pids
from tests.services import guarded

pytestmark = pytest.mark.once

STARTER = """
import os, sys, time
from pathlib import Path
from tests.services import guarded
folder = Path(sys.argv[1])
command = guarded.Command([sys.executable, "-c", sys.argv[2], str(folder)], folder)
with guarded.running(command, is_ready=(folder / "ready").exists):
    print((folder / "ready").read_text(), flush=True)
    time.sleep(60)
"""
SERVER = """
import os, sys, time
from pathlib import Path
draft = Path(sys.argv[1]) / "draft"
draft.write_text(str(os.getpid()))
draft.rename(Path(sys.argv[1]) / "ready")
time.sleep(60)
"""


def test_server_and_folder_are_gone_after_its_starter_is_killed(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), SERVER], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    assert pids.incarnation(server)

    starter.kill()
    starter.communicate()

    until = time.monotonic() + 10
    while (pids.incarnation(server) or folder.exists()) and time.monotonic() < until:
        time.sleep(0.02)
    assert (pids.incarnation(server), folder.exists()) == ("", False)


def test_server_that_fails_says_why(tmp_path: Path):
    folder = tmp_path / "server"
    folder.mkdir()
    broken = guarded.Command([sys.executable, "-c", "raise SystemExit('no such luck')"], folder)

    with (
        pytest.raises(RuntimeError, match="the server did not start: no such luck"),
        guarded.running(broken, is_ready=lambda: False),
    ):
        pass
