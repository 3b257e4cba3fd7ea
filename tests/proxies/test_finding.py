from datetime import timedelta

import pytest

from proxies import finding
from proxies.finding import Filter, ProxyNotFoundError
from proxies.models import Proxy
from tests.proxies.factories import NOW, make_proxy, make_target_state

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"protocol": "socks5"}, {"scheme": "socks5"}),
        ({"protocol": "https"}, {"tls_ok": True}),
        ({"country": "de"}, {"country": "DE"}),
        ({"anonymity": "elite"}, {"anonymity": "elite"}),
        ({"pool": "hot"}, {"pool": "hot"}),
        ({"state": "failing"}, {"state": "failing"}),
        ({"min_score": 90}, {"score": 90}),
        ({"max_latency_ms": 100}, {"latency_ms": 100}),
    ],
)
def test_narrow_leaves_what_is_wanted(wanted, fields):
    make_proxy(latency_ms=900)
    fitting = make_proxy(**fields)

    found = finding.narrow(Proxy.objects.all(), Filter(**wanted), now=NOW)

    assert list(found) == [fitting]


def test_narrow_by_target_leaves_out_who_is_banned_there_now():
    banned, once, elsewhere, free = (make_proxy() for _ in range(4))
    later = NOW + timedelta(minutes=1)
    make_target_state(proxy=banned, blocked_until=later, blocked_for="blocked")
    make_target_state(proxy=once, blocked_until=NOW, blocked_for="blocked")
    make_target_state(proxy=elsewhere, target="x.org", blocked_until=later, blocked_for="blocked")

    found = finding.narrow(Proxy.objects.all(), Filter(target="api.binance.com"), now=NOW)

    assert set(found) == {once, elsewhere, free}


def test_one_of_none_is_not_found():
    proxy = make_proxy()

    assert finding.one(Proxy.objects.all(), proxy.pk) == proxy
    with pytest.raises(ProxyNotFoundError):
        finding.one(Proxy.objects.none(), proxy.pk)
