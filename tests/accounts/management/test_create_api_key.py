import io
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, User
from project.core.models import AuditEntry
from tests.factories import make_staff
from tests.project.servers import database_url


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_api_key", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_command_prints_the_key_alone():
    text = printed("New@example.com", "--scope", "markets:read", "--scope", "markets:write",
                   "--name", "laptop")  # fmt: skip

    key = ApiKey.objects.get()
    assert text == text.strip() + "\n"
    found = keys.recognise(text.strip(), now=timezone.now())
    assert found is not None
    assert (key.name, key.scopes) == ("laptop", ["markets:read", "markets:write"])
    assert key.user == User.objects.get(email="new@example.com")


@pytest.mark.django_db
def test_command_is_in_the_trail_without_the_key():
    text = printed("new@example.com").strip()

    found = AuditEntry.objects.order_by("pk").values_list("model", "said", "user_name", "channel")
    assert list(found) == [
        ("accounts.user", "Made for a key.", "system", "command"),
        ("accounts.apikey", "Made a key of new@example.com.", "system", "command"),
    ]
    assert text not in str(list(AuditEntry.objects.values()))


@pytest.mark.django_db
def test_command_without_scope_gives_all_but_admin_and_staff_may_have_it():
    staff = make_staff()

    printed(staff.email)
    printed(staff.email, "--scope", "admin")

    scopes = [key.scopes for key in ApiKey.objects.order_by("pk")]
    assert ("admin" in scopes[0], scopes[1]) == (False, ["admin"])


@pytest.mark.parametrize(
    "arguments",
    [["nobody"], ["a@example.com", "--scope", "x"], ["a@example.com", "--scope", "admin"]],
)
@pytest.mark.django_db
def test_command_refuses_with_a_clear_word(arguments):
    with pytest.raises(CommandError):
        printed(*arguments)

    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_command_prints_nothing_else_on_its_way(settings, tmp_path):
    environment: dict[str, Any] = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    found = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "new@example.com"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (found.returncode, found.stdout.count("\n")) == (0, 1), found.stderr
    assert keys.recognise(found.stdout.strip(), now=timezone.now())
