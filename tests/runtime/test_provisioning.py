"""What a data directory gets before the installation starts."""

import stat

import pytest
from django.contrib.auth import authenticate, get_user_model

from project.runtime import provisioning, publishing

pytestmark = pytest.mark.django_db


def test_create_first_user_makes_one_superuser_with_the_kept_password(tmp_path):
    done, password = provisioning.create_first_user(tmp_path)

    file = tmp_path / "admin-password"
    assert done == "admin@localhost created"
    assert password is not None
    assert file.read_text() == f"{password}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    user = authenticate(email="admin@localhost", password=password)
    assert user is not None
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_create_first_user_does_nothing_where_a_superuser_is(tmp_path):
    get_user_model().objects.create_superuser(email="boss@example.com", password="x")

    assert provisioning.create_first_user(tmp_path) == ("is there", None)
    assert list(tmp_path.iterdir()) == []
    assert get_user_model().objects.count() == 1


def test_create_first_user_leaves_a_plain_user_of_that_name_alone(tmp_path):
    get_user_model().objects.create_user(email="admin@localhost", password="x")

    done, password = provisioning.create_first_user(tmp_path)

    assert (done, password) == ("admin@localhost is there, but is no superuser", None)
    assert get_user_model().objects.filter(is_superuser=True).count() == 0


def test_create_first_user_replaces_the_password_of_an_interrupted_start(tmp_path):
    (tmp_path / "admin-password").write_text("of a start that was killed\n")

    _, password = provisioning.create_first_user(tmp_path)

    assert (tmp_path / "admin-password").read_text() == f"{password}\n"


def test_migrate_does_nothing_where_all_are_applied(monkeypatch):
    called = []
    monkeypatch.setattr(provisioning, "call_command", lambda *words, **_: called.append(words))

    assert provisioning.migrate().endswith(", up to date")
    assert called == []


def test_empty_metrics_removes_counters_alone(tmp_path):
    for name in ("counter_1.db", "gauge_all_2.db", "note.txt"):
        (tmp_path / name).write_text("x")

    provisioning.empty_metrics(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.fixture
def static(tmp_path, settings):
    """A folder of static files, the only one."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "root"
    return source


def test_publish_collects_once_and_again_after_a_change(static, tmp_path):
    root, mark = tmp_path / "root", tmp_path / "mark"

    first = publishing.publish(root=root, mark=mark)
    second = publishing.publish(root=root, mark=mark)
    (static / "b.css").write_text("b")
    (static / "a.css").unlink()
    third = publishing.publish(root=root, mark=mark)

    assert (first, second, third) == (1, 0, 1)
    assert [path.name for path in root.iterdir()] == ["b.css"]


def test_publish_collects_again_where_the_root_is_gone(static, tmp_path):
    root, mark = tmp_path / "root", tmp_path / "mark"
    publishing.publish(root=root, mark=mark)
    (root / "a.css").unlink()
    root.rmdir()

    assert publishing.publish(root=root, mark=mark) == 1
