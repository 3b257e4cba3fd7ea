import tracemalloc

import pytest

from proxies.identity import Seen, endpoint_key, exit_key, hash_password, target_of


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("api.binance.com", "binance.com"),
        ("API.Binance.com.", "binance.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("203.0.113.7", "203.0.113.7"),
        ("2606:4700::1", "2606:4700::1"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_target_of_is_the_registered_domain(host, target):
    assert target_of(host) == target


def test_hash_password_tells_passwords_apart_without_telling_them():
    assert hash_password("") == ""
    assert hash_password("geheim") == hash_password("geheim")
    assert hash_password("geheim") != hash_password("Geheim")
    assert "geheim" not in hash_password("geheim")


def test_hash_password_depends_on_the_installation(settings):
    before = hash_password("geheim")

    settings.SECRET_KEY = "another"

    assert hash_password("geheim") != before


def test_keys_of_slots_tell_proxies_apart():
    one = ("http", "8.8.8.8", 80, "", "")

    assert endpoint_key(one) != endpoint_key(("socks5", "8.8.8.8", 80, "", ""))
    assert endpoint_key(one) != endpoint_key(("http", "8.8.8.8", 80, "u", ""))
    assert exit_key("8.8.8.8") == "exit:8.8.8.8"


def test_seen_tells_repeats_apart_in_eight_bytes_each():
    def named(number):
        return ("http", f"8.{number >> 8}.{number & 255}.1", 80, "", "")

    tracemalloc.start()
    seen = Seen()
    new = sum(seen.is_new(named(number % 30_000)) for number in range(45_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert new == 30_000
    assert not seen.is_new(named(0))
    assert seen.is_new(("socks5", *named(0)[1:]))
    assert peak < 30_000 * 12 + 100_000
