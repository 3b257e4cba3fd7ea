import pytest

from project.core import limits
from project.core.limits import Rule, Verdict
from project.settings.limits import RATE_LIMITS  # noqa: TID251 -- the table itself

RULES = limits.read(RATE_LIMITS)


@pytest.mark.parametrize(
    ("method", "path", "again", "name"),
    [
        ("POST", "/api/auth/login", False, "sign_in"),
        ("GET", "/api/auth/login", False, "api"),
        ("POST", "/sign-in", False, "sign_in"),
        ("GET", "/sign-in", False, "all"),
        ("POST", "/admin/login/", False, "sign_in"),
        ("POST", "/api/auth/register", False, "register"),
        ("POST", "/api/auth/password/reset", False, "password_reset"),
        ("GET", "/api/runs", False, "api"),
        ("GET", "/api/runs/stream", False, "stream"),
        ("GET", "/api/runs/0e1/stream", False, "stream"),
        ("GET", "/api/runs/0e1/stream", True, "reconnect"),
        ("GET", "/api/batches/7/stream", False, "stream"),
        ("GET", "/api/streams", False, "api"),
        ("GET", "/ws/live/", False, "stream"),
        ("GET", "/ws/live/", True, "reconnect"),
        ("GET", "/", False, "all"),
        ("GET", "/admin/", False, "all"),
        ("GET", "/apis", False, "all"),
        ("GET", "/api/\nruns", False, "api"),
    ],
)
def test_closest_rule_alone_counts_a_request(method, path, again, name):
    found = limits.chosen(RULES, method=method, path=path, again=again)

    assert found is not None
    assert found.name == name


def test_nothing_is_chosen_where_nothing_fits():
    rule = Rule("one", ("/a",), 1, methods=frozenset({"POST"}))

    assert limits.chosen([rule], method="GET", path="/a") is None
    assert limits.chosen([rule], method="POST", path="/b") is None
    assert limits.chosen([], method="GET", path="/") is None


def test_method_breaks_the_tie_and_then_the_later_rule():
    general = Rule("general", ("/a",), 1)
    posts = Rule("posts", ("/a",), 1, methods=frozenset({"POST"}))
    later = Rule("later", ("/a",), 1)

    assert limits.chosen([posts, general, later], method="POST", path="/a") == posts
    assert limits.chosen([posts, general, later], method="GET", path="/a") == later


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*", "/a/", False),
        ("/a/**", "/a/", True),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/a", False),
        ("/a/**/z", "/a/z", True),
        ("/a/**/z", "/a/b/c/z", True),
        ("/a/**/z", "/a/bz", False),
        ("/a.b", "/axb", False),
        ("/**", "/", True),
    ],
)
def test_pattern_means_steps_of_a_path(pattern, path, is_match):
    assert limits.matches(pattern, path) == is_match


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "found"),
    [
        ("203.0.113.9", "", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", [], "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", ["10.0.0.0/8"], "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", ["10.0.0.0/8"], "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ["10.0.0.0/8"], "10.0.0.3"),
        ("10.0.0.1", "nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", ["10.0.0.0/8"], "2001:db8::1"),
        ("", "198.51.100.7", ["unix"], "198.51.100.7"),
        ("", "198.51.100.7", ["10.0.0.0/8"], ""),
        ("testclient", "", [], ""),
    ],
)
def test_forwarded_address_is_believed_from_trusted_proxies_alone(peer, forwarded, trusted, found):
    assert limits.client_address(peer, forwarded, trusted=trusted) == found


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", "unix"),
    ],
)
def test_network_of_ipv6_is_one_client(address, name):
    assert limits.counted_as(address) == name


def test_headers_say_whole_seconds_and_never_none():
    refused = Verdict(is_allowed=False, rule="api", limit=60, remaining=0, reset_s=0.2)
    allowed = Verdict(is_allowed=True, rule="api", limit=60, remaining=59, reset_s=59.1)

    assert refused.headers() == {
        "Retry-After": "1",
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1",
    }
    assert allowed.headers() == {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "59",
        "X-RateLimit-Reset": "60",
    }
    assert limits.RateLimitedError(refused).extra == {
        "rule": "api",
        "limit": 60,
        "reset_seconds": 1,
    }
