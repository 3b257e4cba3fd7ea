import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

WANTED = (
    "PUBLIC_URL",
    "SECRET_KEY",
    "FIELD_KEYS",
    "DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
)
WHOLE = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://millrace.example/",
    "SECRET_KEY": "s" * 60,
    "FIELD_KEYS": "f",
    "DATABASE_URL": "postgresql://u:p@db/millrace",
    "REDIS_URL": "redis://redis:6379/0",
    "CELERY_BROKER_URL": "redis://redis:6379/1",
}
SHOW = (
    "import json, sys; from project import settings as s;"
    "print(json.dumps({n: getattr(s, n) for n in sys.argv[1:]}, default=str))"
)


def read(folder, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Read settings in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", SHOW, *names],
        env={**kept, "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("missing", WANTED)
def test_production_without_a_required_variable_does_not_start_and_names_it(missing, tmp_path):
    given = {name: value for name, value in WHOLE.items() if name != missing}

    found = read(tmp_path, **given)

    assert found.returncode != 0
    assert f"{missing} is not set" in found.stderr
    assert not (tmp_path / "keys").exists()


def test_production_trusts_its_public_address_alone(tmp_path):
    names = ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"]
    names += ["SECURE_HSTS_SECONDS", "DEBUG", "PUBLIC_URL", "SESSION_COOKIE_HTTPONLY"]

    found = json.loads(read(tmp_path, *names, **WHOLE).stdout)

    assert found == {
        "ALLOWED_HOSTS": ["millrace.example", "127.0.0.1", "localhost", "[::1]"],
        "CSRF_TRUSTED_ORIGINS": ["https://millrace.example"],
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "DEBUG": False,
        "PUBLIC_URL": "https://millrace.example",
        "SESSION_COOKIE_HTTPONLY": True,
    }


def test_embedded_needs_nothing_and_keeps_everything_in_its_folder(tmp_path):
    names = ["DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL", "SESSION_COOKIE_SECURE", "DEBUG"]

    found = read(tmp_path, *names)

    told = json.loads(found.stdout)
    assert str(tmp_path) in told["DATABASE_URL"]
    assert str(tmp_path) in told["CELERY_BROKER_URL"]
    assert (told["REDIS_URL"], told["SESSION_COOKIE_SECURE"], told["DEBUG"]) == ("", False, False)
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "field_keys",
        "secret_key",
    ]
