"""The checker against real proxies on loopback, of every kind that the sandbox has."""

import time
from urllib.parse import unquote, urlsplit

import pytest

from project import sandbox
from project.core.errors import PermanentError
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies.adapters import checker, loops, probe
from proxies.adapters.probe import Limits, Subject
from proxies.choices import Verdict

LIMITS = Limits(connect_s=1.0, total_s=3.0)
VERDICTS = {
    ProxyKind.ELITE: Verdict.OK,
    ProxyKind.ANONYMOUS: Verdict.OK,
    ProxyKind.TRANSPARENT: Verdict.OK,
    ProxyKind.SLOW: Verdict.OK,
    ProxyKind.BANNED: Verdict.OK,
    ProxyKind.REFUSED: Verdict.REFUSED,
    ProxyKind.BLACK_HOLE: Verdict.TIMEOUT,
    ProxyKind.LYING: Verdict.MISMATCH,
    ProxyKind.BAD_GATEWAY: Verdict.BAD_ANSWER,
    ProxyKind.TLS_INTERCEPTING: Verdict.INTERCEPTED,
}
SPECS = [
    *[
        ProxySpec(kind=kind, exit_address=f"127.0.0.{11 + number}", delay_s=0.2 * (kind == "slow"))
        for number, kind in enumerate(VERDICTS)
    ],
    ProxySpec(sandbox.Protocol.SOCKS4, exit_address="127.0.0.41"),
    ProxySpec(sandbox.Protocol.SOCKS5, exit_address="127.0.0.42"),
    ProxySpec(sandbox.Protocol.SOCKS5, exit_address="127.0.0.43", username="u", password="p@:"),
    ProxySpec(exit_address="127.0.0.44", username="u", password="p@:"),
]


@pytest.fixture(scope="module")
def world():
    with sandbox.running(sandbox.WorldPlan(proxies=SPECS, symbols=())) as found:
        yield found


@pytest.fixture(autouse=True)
def _reachable(world, private_networks, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.ca_bundle))
    world.judge.faults.clear()


def judges(world):
    urls = (world.judge.judge_url, world.judge.judge_tls_url)
    return [probe.judge_of(url) for url in urls]


def subject(number, proxy, **changes):
    url = urlsplit(proxy.url)
    facts = {
        "key": number,
        "scheme": url.scheme,
        "host": url.hostname,
        "port": url.port,
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
    }
    return Subject(**{**facts, **changes})


def check(subjects, known, limits=LIMITS):
    batches = list(loops.iterate(lambda: checker.check_all(subjects, known, limits=limits)))
    return {each.key: each for batch in batches for each in batch.findings}, batches


def test_every_verdict_is_right_within_one_time_out_and_a_second(world):
    subjects = [subject(number, proxy) for number, proxy in enumerate(world.proxies)]
    began_s = time.monotonic()

    found, batches = check(subjects, judges(world))

    assert time.monotonic() - began_s < LIMITS.total_s + 1
    assert {world.proxies[key].spec.kind: each.verdict for key, each in found.items()} == VERDICTS
    assert len(found) == len(subjects)
    assert all(batch.has_judges for batch in batches)
    for key, each in found.items():
        if each.verdict == Verdict.OK:
            assert each.exit_ip == world.proxies[key].spec.exit_address
            assert each.tls_ok is True
            assert each.latency_ms > 0
    told = {world.proxies[key].spec.kind: each.anonymity for key, each in found.items()}
    assert told[ProxyKind.ANONYMOUS] == "anonymous"
    assert told[ProxyKind.TRANSPARENT] == "transparent"
    assert told[ProxyKind.ELITE] == "elite"


def test_an_https_proxy_is_checked_by_connect_and_verified_tls(world):
    good = subject(0, world.proxies.of_kind(ProxyKind.ELITE)[0], scheme="https")
    bad = subject(1, world.proxies.of_kind(ProxyKind.TLS_INTERCEPTING)[0], scheme="https")

    found, _ = check([good, bad], judges(world))

    assert (found[0].verdict, found[0].tls_ok) == (Verdict.OK, True)
    assert found[1].verdict == Verdict.INTERCEPTED


@pytest.mark.parametrize("number", [12, 13])
def test_a_wrong_password_is_told_as_such(world, number):
    found, _ = check([subject(0, world.proxies[number], password="wrong")], judges(world))

    assert found[0].verdict == Verdict.UNAUTHORIZED


def test_the_protocol_must_be_right(world):
    socks = subject(0, world.proxies[11], scheme="http")
    http = subject(1, world.proxies[0], scheme="socks5")

    found, _ = check([socks, http], judges(world))

    assert {each.verdict for each in found.values()} <= {
        Verdict.BAD_ANSWER,
        Verdict.REFUSED,
        Verdict.TIMEOUT,
    }


def test_no_proxy_is_blamed_while_the_judges_are_down(world):
    world.judge.faults.add(Fault(FaultKind.STATUS, status=500))

    found, batches = check([subject(0, world.proxies[0])], judges(world))

    assert (found, [batch.has_judges for batch in batches]) == ({}, [False])


def test_judges_that_die_in_mid_round_end_it_and_blame_nobody(world):
    world.judge.faults.add(Fault(FaultKind.DISCONNECT, after=2))

    found, batches = check(
        [subject(number, world.proxies[0]) for number in range(5)], judges(world)
    )

    assert (found, batches[-1].has_judges) == ({}, False)


def test_a_minority_of_dead_judges_does_not_matter(world):
    dead = probe.judge_of("http://127.0.0.1:1/judge")

    found, batches = check([subject(0, world.proxies[0])], [*judges(world), dead])

    assert found[0].verdict == Verdict.OK
    assert all(batch.has_judges for batch in batches)


def test_a_judge_that_is_no_judge_is_none(world):
    page = probe.judge_of(f"{world.lists.url}/lists/urls.txt")

    _, batches = check([subject(0, world.proxies[0])], [page])

    assert [batch.has_judges for batch in batches] == [False]


def test_without_a_tls_judge_tls_stays_unknown(world):
    found, _ = check([subject(0, world.proxies[0])], judges(world)[:1])

    assert (found[0].verdict, found[0].tls_ok) == (Verdict.OK, None)


def test_a_proxy_inside_a_private_network_is_not_connected_to(world, settings):
    known = judges(world)
    settings.ALLOW_PRIVATE_NETWORKS = False
    uses = world.proxies[0].uses.connections

    setting = probe.Setting(LIMITS, plain=known[0])
    verdicts = list(loops.iterate(lambda: _one_by_one([subject(0, world.proxies[0])], setting)))

    assert [each.verdict for each in verdicts] == [Verdict.FORBIDDEN]
    assert world.proxies[0].uses.connections == uses


async def _one_by_one(subjects, setting):
    for each in subjects:
        yield await probe.check(each, setting)


def test_a_host_name_that_leads_inside_is_not_connected_to(world, settings):
    settings.ALLOW_PRIVATE_NETWORKS = False
    named = subject(0, world.proxies[0], host="localhost")
    setting = probe.Setting(LIMITS, plain=judges(world)[0])

    verdicts = list(loops.iterate(lambda: _one_by_one([named], setting)))

    assert [each.verdict for each in verdicts] == [Verdict.FORBIDDEN]


@pytest.mark.parametrize(
    ("headers", "anonymity"),
    [
        ({"Host": "198.51.100.7", "Accept": "*/*"}, "elite"),
        ({"Via": "1.1 squid"}, "anonymous"),
        ({"X-Proxy-Id": "7"}, "anonymous"),
        ({"X-Forwarded-For": "203.0.113.5"}, "anonymous"),
        ({"X-Forwarded-For": "10.0.0.1, 198.51.100.7"}, "transparent"),
        ({"Forwarded": 'for="198.51.100.7:4711"'}, "anonymous"),
        ({"Client-Ip": "198.51.100.7"}, "transparent"),
    ],
)
def test_headers_tell_what_the_judge_learned(headers, anonymity):
    own = frozenset({"198.51.100.7"})

    assert probe.anonymity_of({"headers": headers}, own=own) == anonymity


def test_leaving_a_round_early_ends_its_checks(world):
    hole = world.proxies.of_kind(ProxyKind.BLACK_HOLE)[0]
    subjects = [subject(0, world.proxies[0]), subject(1, hole)]
    began_s = time.monotonic()

    for _ in loops.iterate(
        lambda: checker.check_all(subjects, judges(world), limits=Limits(total_s=60))
    ):
        break

    assert time.monotonic() - began_s < 10


def test_an_authority_that_cannot_be_read_is_named(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    with pytest.raises(PermanentError, match="missing"):
        probe.trusting(str(tmp_path / "missing.pem"))
    with pytest.raises(PermanentError, match="empty"):
        probe.trusting(str(empty))
