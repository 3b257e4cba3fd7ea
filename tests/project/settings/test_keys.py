import stat

from cryptography.fernet import Fernet

from project.settings import keys  # noqa: TID251 -- what is tested here
from tests.project.rivals import rivals


def test_keys_are_made_once_for_the_owner_alone(tmp_path, capsys):
    secret = keys.secret_key(tmp_path)
    field = keys.field_keys(tmp_path)

    assert keys.secret_key(tmp_path) == secret
    assert keys.field_keys(tmp_path) == field
    assert len(secret) >= 50
    Fernet(field)
    for name in ("secret_key", "field_keys"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "field_keys",
        "secret_key",
    ]
    assert "not part of backups" in capsys.readouterr().err


def test_keys_that_rivals_make_at_once_are_the_same(tmp_path):
    assert len(set(rivals(8, lambda _: keys.secret_key(tmp_path)))) == 1
