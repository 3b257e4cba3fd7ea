"""Which subtitles are read."""

import pytest

from analysis.adapters.tracks import Track, plain_language, tracks_of


def file(code: str, *forms: str) -> list[dict[str, str]]:
    return [{"ext": form, "url": f"https://x/{code}.{form}"} for form in forms or ("vtt",)]


def info(manual=(), automatic=(), language=None):
    return {
        "language": language,
        "subtitles": {code: file(code) for code in manual},
        "automatic_captions": {code: file(code) for code in automatic},
    }


@pytest.mark.parametrize(
    ("manual", "automatic", "language", "wanted", "best"),
    [
        (["de", "en"], ["en-orig", "fr"], None, [], ("en", False)),
        (["de"], ["en-orig", "de"], None, ["en"], ("en", True)),
        (["en"], ["en-orig"], None, ["en"], ("en", False)),
        (["fr"], ["en", "en-orig"], "en", [], ("en", True)),
        (["fr"], [], "en", ["de"], ("fr", False)),
        ([], ["af", "en-orig", "zu"], None, ["xx"], ("en", True)),
        (["zh-CN", "zh-TW"], [], None, ["zh-Hant"], ("zh-TW", False)),
        (["zh-CN", "ja"], [], "ja", ["zh-TW"], ("ja", False)),
        (["zh"], [], None, ["zh-TW", "en"], ("zh", False)),
        (["en-GB"], [], None, ["de", "en-US"], ("en-GB", False)),
        (["es", "pt"], [], None, [], ("es", False)),
        (["ja", "en"], [], None, ["en", "ja"], ("en", False)),
    ],
)
def test_people_before_machines_and_wanted_languages_first(
    manual, automatic, language, wanted, best
):
    track = tracks_of(info(manual, automatic, language), wanted)[0]

    assert (track.language, track.is_automatic) == best


def test_the_best_format_is_taken_and_chat_is_none():
    told = {
        "subtitles": {
            "live_chat": file("live_chat", "json3"),
            "en": file("en", "srv3", "ttml", "vtt", "json3"),
            "de": file("de", "srv3"),
            "": [{"url": "https://x/unnamed"}, {"ext": "vtt"}, None],
        }
    }

    assert tracks_of(told, ["en"]) == [
        Track("https://x/en.json3", "json3", "en", is_automatic=False),
        Track("https://x/unnamed", "vtt", "", is_automatic=False),
    ]


def test_nothing_is_nothing():
    assert tracks_of({}, ["en"]) == []
    assert tracks_of({"subtitles": None, "automatic_captions": {"en": None}}, []) == []


def test_codes_of_one_writing():
    assert {plain_language(code) for code in ("zh-TW", "zh_HK", "zh-Hant", "zh-Hant-orig")} == {
        "zh-hant"
    }
