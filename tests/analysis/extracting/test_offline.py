"""The offline extractor, over transcripts of our own writing."""

import time

import pytest

from analysis.contracts import Segment, StrategyInputs, VideoContext
from analysis.extracting import extractor_for
from analysis.extracting.offline import OfflineExtractor

pytestmark = pytest.mark.timeout(600)
ENGLISH = """\
good morning everyone today we are leaving kathmandu and taking the bus to pokhara
it was such a nice drive most of the same road as before
after reading my book for a bit we stopped in chitwan for lunch
and the bath at the hotel was nice and warm
we will fly to bangkok on friday and then head to chiang mai
we had some turkey and chicken on the menu at the same place
last year we drove from austin to dallas and we loved texas
"""
CHINESE = """\
大家好，今天我們從臺北出發，先到九份老街
接著搭火車去花蓮，晚上住在台東
我覺得這個地方很漂亮，大家一定要來
明天要飛去东京，然后去京都和大阪
"""
JAPANESE = """\
みなさんこんにちは、今日は京都に来ています
そのあと新幹線で東京へ行って、浅草を歩きます
とても美味しいラーメンを食べました
来週は北海道の札幌に行く予定です
"""


def segments(text: str) -> list[Segment]:
    return [Segment(at * 4000, at * 4000 + 4000, line) for at, line in enumerate(text.splitlines())]


@pytest.fixture
def extractor(whole_gazetteer):
    return OfflineExtractor(lambda: whole_gazetteer)


def names(extractor, text: str, **about) -> list[str]:
    video = VideoContext("v", **about)
    return [mention.raw for mention in extractor.extract(segments(text), video).mentions]


def test_places_of_lower_case_english_speech_are_found(extractor):
    found = names(extractor, ENGLISH)

    assert [name for name in found if name != "chitwan"] == [
        "kathmandu", "pokhara", "bangkok", "chiang mai", "austin", "dallas", "texas",
    ]  # fmt: skip


def test_capitals_help_where_there_are_some(extractor):
    text = (
        "We landed in Paris and met Florence, who works for the Washington Post.\n"
        "She grew up in Florence and Nice, not far from Monaco. It was Nice to see her.\n"
        "The Turkish food there was great, said Jordan Miller of the Bank of America."
    )

    assert names(extractor, text) == ["Paris", "Florence", "Nice", "Monaco"]


def test_places_of_traditional_and_simplified_chinese_are_found(extractor):
    assert names(extractor, CHINESE) == ["臺北", "九份老街", "花蓮", "台東", "东京", "京都", "大阪"]


def test_places_of_japanese_are_found(extractor):
    assert names(extractor, JAPANESE) == ["京都", "東京", "浅草", "北海道", "札幌"]


def test_a_mention_carries_its_cue(extractor):
    lines = "hello there\nso we arrived in kathmandu today\nbye"

    (mention,) = extractor.extract(segments(lines), VideoContext("v")).mentions

    assert (mention.raw, mention.start_ms, mention.end_ms) == ("kathmandu", 4000, 8000)
    assert mention.quote == "so we arrived in kathmandu today"
    assert mention.description == "so we arrived in kathmandu today"
    assert 0 < mention.confidence <= 1


def test_a_name_that_two_cues_share_belongs_to_the_first(extractor):
    (mention,) = extractor.extract(
        segments("we flew to new\nyork today"), VideoContext("v")
    ).mentions

    assert (mention.raw, mention.start_ms, mention.quote) == ("new york", 0, "we flew to new")


def test_a_long_cue_is_described_by_the_words_around_the_name(extractor):
    text = "and then " * 60 + "we arrived in kathmandu " + "and so on " * 60

    (mention,) = extractor.extract(segments(text), VideoContext("v")).mentions

    assert "kathmandu" in mention.description
    assert len(mention.description) <= 202
    assert mention.description.startswith("…")
    assert mention.description.endswith("…")


def test_the_city_and_the_third_are_no_names(extractor):
    assert names(extractor, "on the 3rd we left the city and went to the island") == []


def test_the_title_vouches_for_a_name(extractor):
    text = "so bath is lovely and we walk around all day"

    assert names(extractor, text) == []
    assert names(extractor, text, title="A weekend in Bath, England") == ["bath"]


@pytest.mark.parametrize(
    "text", ["", " \n ", "…", "1234 5678", "\x00\ufeff", "a" * 5000, "的" * 500]
)
def test_text_without_places_gives_none(extractor, text):
    assert names(extractor, text) == []
    assert extractor.extract([], VideoContext("v")).mentions == ()


def test_a_long_video_takes_seconds(extractor):
    text = ENGLISH * 368  # 2,944 cues
    extractor.extract(segments("we are in kathmandu"), VideoContext("v"))

    started = time.thread_time()
    found = names(extractor, text)
    spent = time.thread_time() - started

    assert len(found) > 2000
    assert spent < 30  # 2 s when the machine is quiet; a square law would take minutes


def test_without_a_model_the_extractor_is_the_offline_one():
    assert isinstance(extractor_for(StrategyInputs(model="offline")), OfflineExtractor)
