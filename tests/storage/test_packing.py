"""How backups are packed."""

import hashlib
import os

import pytest

from project.storage import packing
from project.storage.errors import BackupDamagedError, NoRoomError, room_told

CONTENT = [os.urandom(1000) + b"a" * 100_000 for _ in range(5)]


@pytest.mark.parametrize("ending", [".zst", ".gz"])
def test_pack_gives_back_what_was_packed(tmp_path, ending):
    file = tmp_path / f"x{ending}"

    packed = packing.pack(CONTENT, file)

    assert b"".join(packing.unpack(file)) == b"".join(CONTENT)
    assert packed == packing.Packed(
        sum(map(len, CONTENT)),
        file.stat().st_size,
        hashlib.sha256(file.read_bytes()).hexdigest(),
    )
    assert packing.digest(file) == packed.sha256
    assert packed.size_bytes < packed.content_bytes / 10
    assert file.stat().st_mode & 0o777 == 0o600


def test_pack_uses_gzip_without_zstandard(monkeypatch):
    monkeypatch.setattr(packing, "HAS_ZSTD", False)

    assert packing.ending() == ".gz"


@pytest.mark.parametrize("ending", [".zst", ".gz"])
def test_unpack_refuses_altered_bytes(tmp_path, ending):
    file = tmp_path / f"x{ending}"
    packing.pack([os.urandom(10_000)], file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    with pytest.raises(BackupDamagedError):
        list(packing.unpack(file))


def test_pack_tells_of_a_full_disk(tmp_path):
    full = tmp_path / "x.zst"
    full.symlink_to("/dev/full")  # gives the real ENOSPC

    with pytest.raises(NoRoomError, match="No space left"), room_told(tmp_path):
        packing.pack([os.urandom(100_000)], full)
