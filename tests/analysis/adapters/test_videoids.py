"""Which video an address means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.adapters.videoids import is_youtube, video_id_of
from analysis.failures import Deterministic

pytestmark = pytest.mark.once

ID = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}&list=PLx&index=3&t=1m2s",
        f"https://www.youtube.com/watch?list=PLx&v={ID}#t=90",
        f"https://www.youtube.com/watch?app=desktop&amp;v={ID}",
        f"https://m.youtube.com/watch?v={ID}&pp=abc",
        f"https://music.youtube.com/watch?v={ID}&list=RD",
        f"https://www.youtube.com/watch/{ID}?t=3",
        f"https://youtu.be/{ID}?si=abc&t=43",
        f"https://youtu.be/{ID}/",
        f"HTTPS://YOUTU.BE/{ID}",
        f"https://www.youtube.com/shorts/{ID}?feature=share",
        f"https://www.youtube.com/embed/{ID}?start=30&rel=0",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"https://www.youtube.com/live/{ID}?si=x",
        f"https://www.youtube.com/v/{ID}",
        f"https://www.youtube.com/e/{ID}",
        f"https://www.youtubekids.com/watch?v={ID}",
        f"https://www.youtube.com/#/watch?v={ID}",
        f"https://www.youtube.com/attribution_link?a=b&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare",
        f"https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{ID}",
        f"https://www.google.com/url?sa=t&url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{ID}&usg=x",
        f"https://google.co.uk/url?q=https%3A%2F%2Fyoutu.be%2F{ID}",
        f"https://piped.video/watch?v={ID}",
        f"https://www.youtube.com./watch?v={ID}",
        f"  https://www.youtube.com/watch?v={ID}\n",
        f"youtube.com/watch?v={ID}",
        f"youtu.be/{ID}",
    ],
)
def test_youtubes_id_in_every_form(url):
    assert video_id_of(url) == ID


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "invalid_video_url"),
        ("not a url", "invalid_video_url"),
        ("ftp://youtube.com/watch?v=dQw4w9WgXcQ", "invalid_video_url"),
        ("javascript:alert(1)", "invalid_video_url"),
        ("file:///etc/passwd", "invalid_video_url"),
        ("https://", "invalid_video_url"),
        ("https://user:secret@vimeo.com/1", "invalid_video_url"),
        ("https://example.com:port/x", "invalid_video_url"),
        ("https://[::1/x", "invalid_video_url"),
        ("https://example.com/" + "x" * 2050, "invalid_video_url"),
        ("https://www.youtube.com/watch?v=short", "invalid_video_id"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ1", "invalid_video_id"),
        ("https://www.youtube.com/watch", "invalid_video_id"),
        ("https://www.youtube.com/playlist?list=PLx", "invalid_video_id"),
        ("https://www.youtube.com/embed/videoseries?list=PLx", "invalid_video_id"),
        ("https://www.youtube.com/@someone", "invalid_video_id"),
        ("https://youtu.be/", "invalid_video_id"),
    ],
)
def test_what_names_no_video_is_refused_by_a_stable_code(url, code):
    with pytest.raises(Deterministic) as raised:
        video_id_of(url)

    assert raised.value.code == code


def test_what_leads_elsewhere_or_nowhere_is_no_video_of_youtubes():
    around = "https://www.google.com/url?q=https%3A%2F%2Fexample.com%2Fa.mp4"

    assert video_id_of(around).startswith("generic:")
    assert video_id_of(f"https://youtube.com.example.com/watch?v={ID}").startswith("generic:")


@pytest.mark.parametrize(
    ("url", "video_id"),
    [
        ("https://vimeo.com/76979871?t=3", "vimeo:76979871"),
        ("https://player.vimeo.com/video/76979871", "vimeo:76979871"),
        ("https://www.dailymotion.com/video/x2iuewm_steam", "dailymotion:x2iuewm"),
    ],
)
def test_other_sites_ids_are_those_of_their_extractor(url, video_id):
    assert video_id_of(url) == video_id


def test_an_unknown_sites_address_is_the_same_however_it_is_written():
    alike = {
        video_id_of(url)
        for url in (
            "https://films.example.com/a/b?id=3&x=1",
            "http://films.example.com:80/a/b/?x=1&id=3&utm_source=mail#there",
            "https://www.films.example.com/a/b?id=3&x=1&t=90",
        )
    }
    other = video_id_of("https://films.example.com/a/b?id=4&x=1")

    assert len(alike) == 1
    assert other not in alike
    assert other.startswith("generic:")
    assert len(other) == len("generic:") + 16


@given(st.text(max_size=80))
def test_any_text_has_an_id_or_is_refused(text):
    for url in (text, f"https://www.youtube.com/{text}"):
        found = refused = ""
        try:
            found = video_id_of(url)
        except Deterministic as error:
            refused = error.code
        assert is_youtube(found) or found.startswith("generic:") or refused.startswith("invalid_")


@given(st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True).filter(lambda one: one != "videoseries"))
def test_every_id_is_found_again(video_id):
    assert video_id_of(f"https://www.youtube.com/watch?v={video_id}&t=1") == video_id
    assert video_id_of(f"https://youtu.be/{video_id}") == video_id
