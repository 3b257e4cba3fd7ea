"""The video site: pages, subtitles in every form, films at many addresses, faults."""

import json

import pytest
import requests

from project import sandbox
from project.sandbox import Fault, FaultKind

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def site():
    with sandbox.running() as world:
        yield world.videos


def text_of(site, path):
    answer = requests.get(f"{site.url}{path}", timeout=10)
    assert answer.status_code == 200
    answer.encoding = "utf-8"
    return answer.text


def test_a_page_names_its_subtitles_in_every_language(site):
    page = text_of(site, "/watch/taiwan")

    assert '<meta property="og:title" content="Three days in Taiwan">' in page
    assert [
        language
        for language in ("zh-TW", "en", "ja")
        if f"/subtitles/taiwan.{language}.vtt" in page
    ] == ["zh-TW", "en", "ja"]
    assert "<track" not in text_of(site, "/watch/silent")


def test_every_page_leads_to_subtitles_that_are_there(site):
    index = text_of(site, "/")

    for name, film in site.films.items():
        assert f'href="/watch/{name}"' in index
        page = text_of(site, f"/watch/{name}")
        found = [part.split('"')[0] for part in page.split('src="')[1:] if "/subtitles/" in part]
        assert len(found) == len(film.spoken)
        for path in found:
            assert text_of(site, path).strip()


def test_forms_of_subtitles(site):
    assert text_of(site, "/subtitles/taiwan.en.vtt").startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:03.900\nWelcome back"
    )
    assert "<00:00:00.100><c> morning</c>" in text_of(site, "/subtitles/alps.en.vtt")
    assert text_of(site, "/subtitles/kansai.ja.srt").startswith("1\r\n00:00:00,000 --> ")
    events = json.loads(text_of(site, "/subtitles/interrail.en.json3"))["events"]
    assert events[1]["tStartMs"] == 4000


def test_a_film_stands_at_many_addresses(site):
    assert "taiwan-17.en.vtt" in text_of(site, "/watch/taiwan-17")
    assert requests.get(f"{site.url}/watch/taiwan-1000", timeout=10).status_code == 404
    assert requests.get(f"{site.url}/watch/unknown", timeout=10).status_code == 404
    assert requests.get(f"{site.url}/subtitles/taiwan.fr.vtt", timeout=10).status_code == 404


def test_it_fails_on_request(site):
    fault = site.faults.add(
        Fault(FaultKind.STATUS, status=429, retry_after_s=2, path="/watch/*", times=2)
    )

    answers = [requests.get(site.watch_url(), timeout=10) for _ in range(3)]

    assert [each.status_code for each in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "2"
    site.faults.remove(fault)
