"""The compose file starts what the product consists of, and gives it what it needs."""

import re
from typing import Any, Final

import pytest
import yaml

from tests.deploy import tools

COMPOSE: Final = tools.DEPLOY / "compose.yaml"
OURS: Final = {"migrate", "web", "worker", "beat", "backup"}


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
    dockerfile = (COMPOSE.parent / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER millrace$", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK", dockerfile, re.MULTILINE)


def test_image_has_everything_of_the_product():
    dockerfile = (COMPOSE.parent / "Dockerfile").read_text(encoding="utf-8")
    tops = {"manage.py", "project", "accounts", "proxies", "markets", "analysis"}

    copied = set(re.findall(r"^COPY (?:--from=\w+ )?(\S+) ", dockerfile, re.MULTILINE))
    assert tops | {"templates", "static"} <= copied
    kept = (COMPOSE.parent / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert {f"!{top}" for top in tops | {"templates", "static"}} <= set(kept.splitlines())
