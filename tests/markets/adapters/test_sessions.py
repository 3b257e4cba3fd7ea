"""How requests leave."""

import pytest
import requests

from markets.adapters import sessions
from markets.adapters.sessions import OneWaySession
from project.sandbox import Fault, FaultKind


def test_every_request_goes_the_one_way(world):
    session = OneWaySession("http://127.0.0.1:9", at_most_s=5)

    with pytest.raises(requests.exceptions.ProxyError):
        session.get(f"{world.exchange.url}/api/v3/ping", timeout=1)
    with pytest.raises(requests.exceptions.ProxyError):
        session.get(f"{world.exchange.tls_url}/api/v3/ping", timeout=1)

    assert world.exchange.log.entries() == []


def test_the_environments_proxies_are_not_used(world, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    answer = OneWaySession("", at_most_s=5).get(f"{world.exchange.url}/api/v3/ping", timeout=1)

    assert answer.json() == {}


def test_a_redirect_is_not_followed(world):
    world.exchange.faults.add(Fault(FaultKind.REDIRECT, location="http://127.0.0.1:9/"))

    answer = OneWaySession("", at_most_s=5).get(f"{world.exchange.url}/api/v3/ping", timeout=1)

    assert answer.status_code == 302


def test_an_answer_that_is_too_long_is_cut(world, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_BYTES", 100)

    with pytest.raises(requests.exceptions.ContentDecodingError):
        OneWaySession("", at_most_s=5).get(f"{world.exchange.url}/api/v3/exchangeInfo", timeout=1)


def test_an_answer_that_takes_too_long_is_cut(world):
    with pytest.raises(requests.exceptions.ReadTimeout):
        OneWaySession("", at_most_s=0).get(f"{world.exchange.url}/api/v3/exchangeInfo", timeout=1)
