"""The compose file starts what the product consists of, and gives it what it needs."""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from project.core import pids
from project.core.choices import RunStatus
from tests.deploy import tools
from tests.factories import make_key, make_run, make_user
from tests.project import servers
from tests.services import guarded

COMPOSE: Final = tools.DEPLOY / "compose.yaml"
OURS: Final = {"migrate", "web", "worker", "beat", "backup"}


def dockerfile() -> str:
    return COMPOSE.with_name("Dockerfile").read_text(encoding="utf-8")


def command() -> list[str]:
    """Return the words that the image runs unless told otherwise."""
    words: list[str] = json.loads(dockerfile().partition("\nCMD ")[2].replace("\\\n", ""))
    return words


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return found


def test_all_services_are_there(compose):
    others = {"nginx", "db", "redis", "prometheus", "grafana", "node-exporter", "jaeger"}

    assert set(compose["services"]) == OURS | others


def test_everything_of_ours_waits_for_the_migrations(compose):
    for name in OURS - {"migrate"}:
        waits = compose["services"][name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}, name
        assert waits["db"] == waits["redis"] == {"condition": "service_healthy"}, name
    assert compose["services"]["nginx"]["depends_on"] == {"web": {"condition": "service_healthy"}}


def test_files_and_volumes_that_are_mounted_exist(compose):
    volumes = set(compose["volumes"])
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            if source.startswith("./") and not source.endswith("/tls"):
                assert (COMPOSE.parent / source).exists(), (name, mount)
            elif not source.startswith(("/", "./")):
                assert source in volumes, (name, mount)


def test_scaled_variables_are_set_or_asked_for(compose):
    """The three addresses are the compose file's own; .env has the rest that must be set."""
    example = (COMPOSE.parent / ".env.example").read_text(encoding="utf-8")
    needed = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    given = set(compose["services"]["web"]["environment"])

    assert needed - given == {
        "PUBLIC_URL", "SECRET_KEY", "FIELD_KEYS", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD",
    }  # fmt: skip
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE.read_text(encoding="utf-8")))
    assert asked == {"POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}


def test_ours_are_neither_root_nor_able_to_write_the_image(compose):
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 10001:10001$", dockerfile(), re.MULTILINE)
    assert re.search(r"^HEALTHCHECK", dockerfile(), re.MULTILINE)


def test_ours_may_write_where_the_product_keeps_its_files(compose):
    """The rest is read-only: whatever starts makes folders there, `migrate` too."""
    for name in OURS:
        assert "/var/lib/millrace" in compose["services"][name]["volumes"], name


def test_files_that_one_process_leaves_for_another_are_shared(compose):
    """An upload comes to a web process and is read by a worker; staff see a worker's backups."""
    mounts = [
        {mount for mount in compose["services"][name]["volumes"] if ":" in mount}
        for name in ("web", "worker")
    ]

    assert mounts[0] & mounts[1] == {
        f"{folder}:/var/lib/millrace/{folder}" for folder in ("backups", "gazetteer", "imports")
    }
    made = re.findall(r"/var/lib/millrace/(\w+)", dockerfile())
    assert set(made) >= {"backups", "gazetteer", "imports", "static"}


def test_backups_are_made_by_programs_no_older_than_the_server(compose):
    server = re.match(r"postgres:(\d+)", compose["services"]["db"]["image"])
    client = re.search(r"postgresql-client-(\d+)", dockerfile())

    assert server
    assert client
    assert int(client[1]) >= int(server[1])


def test_web_ends_before_it_is_killed(compose):
    options = command()
    patience_s = int(options[options.index("--timeout-graceful-shutdown") + 1])

    assert patience_s < int(compose["services"]["web"]["stop_grace_period"].removesuffix("s"))


@pytest.mark.django_db(transaction=True)
def test_web_ends_though_a_stream_is_open():
    """A stream never ends by itself: without a limit the process would wait for it until killed."""
    user = make_user()
    run = make_run(requested_by=user, status=RunStatus.RUNNING)
    who = {"Authorization": f"Api-Key {make_key(user).secret}"}
    port, options = guarded.free_port(), command()
    options[options.index("--timeout-graceful-shutdown") + 1] = "1"
    options = options[options.index("--no-proxy-headers") :]

    with (
        servers.serving("uvicorn", port, *options) as pid,
        servers.Stream(port, f"/api/runs/{run.pk}/stream", **who) as stream,
    ):
        stream.take(1)
        birth = pids.incarnation(pid)
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + 60
        while pids.incarnation(pid) == birth and time.monotonic() < until:
            time.sleep(0.05)

        assert pids.incarnation(pid) != birth


def test_dockerfile_has_no_fault_that_its_linter_knows():
    program = Path(sys.executable).with_name("hadolint")

    told = tools.run([str(program), "--no-color", str(COMPOSE.with_name("Dockerfile"))])

    assert (told.returncode, told.stdout) == (0, "")


def test_image_has_everything_of_the_product():
    tops = {"manage.py", "project", "accounts", "proxies", "markets", "analysis"}

    copied = set(re.findall(r"^COPY (?:--from=\w+ )?(\S+) ", dockerfile(), re.MULTILINE))
    assert tops | {"templates", "static"} <= copied
    kept = (COMPOSE.parent / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert {f"!{top}" for top in tops | {"templates", "static"}} <= set(kept.splitlines())
