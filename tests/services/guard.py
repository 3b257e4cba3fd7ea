"""Runs one server for as long as somebody holds this process's standard input open.

``python guard.py SIGNAL USER FOLDER COMMAND…``: when the input ends, for whatever reason, the server
is sent SIGNAL, then killed, and FOLDER is removed. USER, ``uid:gid`` or empty, is who the server
runs as. The standard library alone, so that it starts fast.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

PATIENCE_S = 5.0


def start(user: str, folder: str, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``folder`` as ``user``."""
    if not user:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder)
    uid, gid = map(int, user.split(":"))
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, cwd=folder, user=uid, group=gid, extra_groups=[]
    )


def main(stop_signal: str, user: str, folder: str, *command: str) -> int:
    """Run ``command`` until it ends or the standard input does."""
    server = start(user, folder, command)

    def stop() -> None:
        server.send_signal(signal.Signals[stop_signal])
        try:
            server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            server.kill()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()

    threading.Thread(target=watch, daemon=True).start()
    try:
        return server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
