"""Videos are fetched from a real site, directly and through proxies, well and badly."""

import pytest

from analysis.adapters import videos
from analysis.adapters.videos import Limits
from analysis.contracts import Segment
from analysis.failures import Blocked, Deterministic, Transient
from project import sandbox
from project.sandbox import Fault, FaultKind, ProxySpec
from proxies.models import Lease
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db(transaction=True)
EXITS = ("127.0.0.21", "127.0.0.22")


@pytest.fixture(scope="module")
def outside():
    with sandbox.running(
        sandbox.WorldPlan(proxies=[ProxySpec(exit_address=address) for address in EXITS])
    ) as world:
        yield world


@pytest.fixture
def site(outside, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    outside.videos.faults.clear()
    outside.videos.log.clear()
    return outside.videos


def fetch(url, *, languages=(), egress=videos.DIRECT, **limits):
    return videos.fetch_video(
        url, languages=languages, egress=egress, limits=Limits(**{"within_s": 60.0, **limits})
    )


def refused(url, **wishes):
    with pytest.raises(Deterministic) as raised:
        fetch(url, **wishes)
    return raised.value.code


def pool(outside, *numbers):
    for number in numbers:
        proxy = outside.proxies[number]
        make_proxy(host="127.0.0.1", port=proxy.port, exit_ip=proxy.spec.exit_address)


def outcomes():
    return list(Lease.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_video_with_all_that_is_known_of_it(site):
    context, segments, facts = fetch(site.watch_url("kansai"), languages=["en", "ja"])

    assert context.video_id == videos.video_id_of(site.watch_url("kansai"))
    assert (context.title, context.description) == (
        "京都・大阪・奈良の旅",
        "Kansai in a day, Japan.",
    )
    assert (context.language, context.duration_ms) == ("en", None)
    assert segments[0] == Segment(0, 3900, "Good morning, today we start in Kyoto.")
    assert len(segments) == 8
    assert facts["subtitles"] == {"language": "en", "is_automatic": False, "format": "srt"}
    assert (facts["chapters"], facts["remarks"], facts["exit"]) == ([], [], "")


@pytest.mark.parametrize(
    ("film", "language", "count", "text"),
    [
        ("taiwan", "zh-Hant", 13, "我們抵達台北，先去士林夜市。"),
        ("taiwan", "ja", 13, "台北に着いて、士林夜市に行きます。"),
        ("alps", "en", 10, "first stop is lucerne with its wooden bridge over the water"),
        ("interrail", "en", 54, "We walk through the old town of Lisbon until the evening."),
    ],
)
def test_languages_and_forms(site, film, language, count, text):
    _, segments, _ = fetch(site.watch_url(film), languages=[language])

    assert (len(segments), segments[1].text) == (count, text)
    assert segments[1].start_ms == 4000


def test_subtitles_that_are_gone_give_way_to_the_next(site):
    site.faults.add(Fault(FaultKind.STATUS, status=404, path="/subtitles/taiwan.en.vtt"))

    context, _, _ = fetch(site.watch_url(), languages=["en", "ja"])

    assert context.language == "ja"


@pytest.mark.parametrize(
    ("fault", "kind", "retry_after"),
    [
        (Fault(FaultKind.STATUS, status=429, retry_after_s=7), Transient, 7.0),
        (Fault(FaultKind.STATUS, status=503), Transient, None),
        (Fault(FaultKind.DISCONNECT), Transient, None),
        (Fault(FaultKind.CHALLENGE), Blocked, None),
        (Fault(FaultKind.STATUS, status=429, retry_after_s=3, path="/subtitles/*"), Transient, 3.0),
    ],
)
def test_failures_that_may_pass(site, fault, kind, retry_after):
    site.faults.add(fault)

    with pytest.raises(Transient) as raised:
        fetch(site.watch_url())

    assert (type(raised.value), raised.value.retry_after) == (kind, retry_after)


def test_a_site_that_hangs_is_left_alone(site):
    site.faults.add(Fault(FaultKind.HANG, path="/watch/*"))

    with pytest.raises(Transient, match="timed out"):
        fetch(site.watch_url(), answer_within_s=0.5)
    with pytest.raises(Transient, match="longer than 1 s"):
        fetch(site.watch_url(), within_s=1.0)


def test_failures_that_last(site, settings):
    assert refused(site.watch_url("unknown")) == "video_not_found"
    assert refused(site.watch_url("silent")) == "no_subtitles"
    assert refused(f"{site.url}/") == "unsupported_site"
    assert refused("no address") == "invalid_video_url"

    settings.VIDEO_SITES = ["youtube.com", "vimeo.com"]
    assert refused(site.watch_url()) == "site_not_allowed"
    site.faults.add(Fault(FaultKind.STATUS, status=410))
    settings.VIDEO_SITES = ["127.0.0.1"]
    assert refused(site.watch_url()) == "video_not_found"


def test_nothing_inside_private_networks_is_asked(site, settings):
    settings.ALLOW_PRIVATE_NETWORKS = False

    assert refused(site.watch_url()) == "forbidden_address"
    assert refused(site.watch_url().replace("127.0.0.1", "localhost")) == "forbidden_address"
    assert site.log.entries() == []


def test_numbers_inside_private_networks_are_refused_before_a_proxy_is_asked(
    site, settings, outside
):
    pool(outside, 0)
    settings.ALLOW_PRIVATE_NETWORKS = False

    assert refused("http://10.0.0.1/watch", egress=videos.REQUIRED) == "forbidden_address"
    assert outcomes() == ["ok"]


def test_a_leased_proxy_is_the_way_out_and_goes_back(site, outside):
    pool(outside, 0)

    _, segments, facts = fetch("http://videos.sandbox.test/watch/taiwan", egress=videos.REQUIRED)

    assert len(segments) == 13
    assert facts["exit"] == EXITS[0]
    assert site.log.clients() == {EXITS[0]}
    assert outcomes() == ["ok"]


@pytest.mark.parametrize(
    ("fault", "kind", "outcome"),
    [
        (Fault(FaultKind.CHALLENGE), Blocked, "blocked"),
        (Fault(FaultKind.STATUS, status=429), Transient, "rate_limited"),
        (Fault(FaultKind.STATUS, status=404), Deterministic, "ok"),
    ],
)
def test_the_pool_hears_what_came_of_a_proxy(site, outside, fault, kind, outcome):
    pool(outside, 0)
    site.faults.add(fault)

    with pytest.raises(kind):
        fetch("http://videos.sandbox.test/watch/taiwan", egress=videos.REQUIRED)

    assert outcomes() == [outcome]


def test_after_a_refusal_another_proxy_is_taken(site, outside):
    pool(outside, 0, 1)
    site.faults.add(Fault(FaultKind.CHALLENGE, times=1))
    url = "http://videos.sandbox.test/watch/taiwan"

    with pytest.raises(Blocked):
        fetch(url, egress=videos.REQUIRED)
    fetch(url, egress=videos.REQUIRED)

    assert outcomes() == ["blocked", "ok"]
    assert site.log.clients() == set(EXITS)


def test_a_proxy_that_is_away_is_not_the_sites_fault(site, outside):
    pool(outside, 0)
    outside.run(outside.proxies[0].kill())
    try:
        with pytest.raises(Blocked):
            fetch("http://videos.sandbox.test/watch/taiwan", egress=videos.REQUIRED)
    finally:
        outside.run(outside.proxies[0].revive())

    assert outcomes() == ["refused"]


def test_without_a_free_proxy_only_the_preferred_way_goes_direct(site):
    _, segments, facts = fetch(site.watch_url(), egress=videos.PREFERRED)
    with pytest.raises(Transient, match="no proxy is free"):
        fetch(site.watch_url(), egress=videos.REQUIRED)

    assert (len(segments), facts["exit"]) == (13, "")
    assert len(site.log.clients()) == 1


def test_a_country_that_is_let_in_is_tried_where_a_proxy_stands_in_one(site, outside):
    pool(outside, 0)
    site.faults.add(Fault(FaultKind.STATUS, status=451))

    assert refused("http://videos.sandbox.test/watch/taiwan", egress=videos.REQUIRED) == (
        "geo_restricted"
    )
    assert outcomes() == ["ok"]


def test_what_stops_the_work_passes_and_blames_no_proxy(site, outside):
    pool(outside, 0)
    site.faults.add(Fault(FaultKind.HANG, path="/watch/*"))

    def check():
        if site.log.entries():
            raise InterruptedError

    with pytest.raises(InterruptedError):
        videos.fetch_video(
            "http://videos.sandbox.test/watch/taiwan",
            languages=(),
            egress=videos.REQUIRED,
            check=check,
        )

    assert Lease.objects.filter(released_at=None).count() == 0
