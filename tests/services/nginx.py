"""Runs nginx with the configuration of ``deploy/``, in front of web processes on the loopback.

Only what names a place is put in place of the file's own words: ports, certificate, folder of static
files, addresses of the web processes. What the deployment relies upon is what runs.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from project.sandbox.certificates import TestAuthority
from tests.services import guarded

CONFIG: Final = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "millrace.conf"
#: The first version that has ``http2`` as a directive of its own.
HTTP2_DIRECTIVE: Final = (1, 25, 1)
AROUND: Final = """
{user}
daemon off;
pid {folder}/pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


@dataclass(frozen=True)
class Front:
    """Where nginx listens: its ports for plain HTTP and for TLS; and the authority to trust."""

    plain_port: int
    tls_port: int
    ca_file: Path


def program() -> str | None:
    """Return where nginx is; None where the machine has none."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def _version(program: str) -> tuple[int, ...]:
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else (0, 0, 0)


def written(folder: Path, front: Front, *, webs: Sequence[int], static: Path, program: str) -> str:
    """Return the deployment's configuration for this machine's ports and folders."""
    text = CONFIG.read_text(encoding="utf-8")
    servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=0;" for port in webs)
    changes = [
        (r"^ *server web:8000 .*;$", servers),
        (r"listen 80;", f"listen 127.0.0.1:{front.plain_port};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{front.tls_port} ssl;"),
        (r"/etc/nginx/tls/", f"{folder}/"),
        (r"/var/lib/millrace/static/", f"{static}/"),
    ]
    if _version(program) < HTTP2_DIRECTIVE:
        changes.append((r"^ *http2 on;\n", ""))
    for pattern, instead in changes:
        text, count = re.subn(pattern, instead, text, flags=re.MULTILINE)
        if not count:
            raise AssertionError(f"{CONFIG.name} has no {pattern!r} any more: adapt this file")
    # as root it would become somebody who may not enter our folders
    user = "user root;" if os.geteuid() == 0 else ""
    return AROUND.format(folder=folder, server=text, user=user)


@contextmanager
def running(program: str, *, webs: Sequence[int], static: Path) -> Iterator[Front]:
    """Run nginx before the web processes at the ports ``webs`` while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="millrace-nginx-"))
    authority = TestAuthority(["localhost", "127.0.0.1"])
    authority.open()
    for name in ("fullchain.pem", "privkey.pem"):
        (folder / name).write_bytes(authority.server_pem)
    front = Front(guarded.free_port(), guarded.free_port(), authority.ca_bundle)
    config = folder / "nginx.conf"
    config.write_text(
        written(folder, front, webs=webs, static=static, program=program), encoding="utf-8"
    )
    command = guarded.Command([program, "-p", str(folder), "-c", str(config)], folder)
    try:
        with guarded.running(command, is_ready=lambda: guarded.answers(front.tls_port)):
            yield front
    finally:
        authority.close()
