"""The extractor that asks a model, against a real endpoint that is well, odd, or away."""

import pytest
from django.core.cache import cache

from analysis.adapters.chats import Endpoint
from analysis.contracts import Mention, Segment, StrategyInputs, VideoContext
from analysis.extracting import extractor_for, llm
from analysis.extracting.llm import ModelExtractor
from analysis.extracting.offline import OfflineExtractor
from analysis.failures import Deterministic, Transient
from project import sandbox
from project.sandbox import Fault, FaultKind, Odd

pytestmark = pytest.mark.once

CHUNK = [
    Segment(0, 3900, "We land in Taipei and walk on."),
    Segment(4000, 7900, "Then to Jiufen, above the sea."),
    Segment(8000, 11900, "Nothing is said here."),
    Segment(12000, 15900, "The last day belongs to Kaohsiung."),
]
VIDEO = VideoContext("v", title="Three days in $Taiwan", language="en")
INPUTS = StrategyInputs(model="sandbox-1", model_temp=0.2)


@pytest.fixture(scope="module")
def _world():
    with sandbox.running() as world:
        yield world


@pytest.fixture
def model(_world):
    _world.llm.reset()
    cache.clear()
    return _world.llm


def extractor(model, inputs=INPUTS, *, timeout_s=20.0, **named):
    return ModelExtractor(inputs, endpoint=Endpoint(model.base_url, "key", timeout_s), **named)


def forms(model):
    return [(each.get("response_format") or {"type": "text"})["type"] for each in model.asked]


def test_mentions_have_the_time_of_the_words_that_name_them(model):
    found = extractor(model).extract(CHUNK, VIDEO)

    assert [(each.raw, each.start_ms, each.quote) for each in found.mentions] == [
        ("Taipei", 0, CHUNK[0].text),
        ("Jiufen", 4000, CHUNK[1].text),
        ("Kaohsiung", 12000, CHUNK[3].text),
    ]
    assert found.mentions[1] == Mention(
        raw="Jiufen",
        start_ms=4000,
        end_ms=7900,
        quote=CHUNK[1].text,
        description="Jiufen, as the video tells",
        tags=("village",),
        country="TW",
        confidence=0.9,
    )
    body = model.asked[0]
    assert (body["model"], body["temperature"]) == ("sandbox-1", 0.2)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert "Three days in $Taiwan" in body["messages"][1]["content"]
    assert found.tokens_in == sum(len(each["content"]) for each in body["messages"]) // 4 + 1
    assert found.tokens_out > 0


def test_the_ladder_is_climbed_down_and_its_rung_remembered(model):
    model.know(["text"])

    first = extractor(model).extract(CHUNK, VIDEO)
    second = extractor(model).extract(CHUNK, VIDEO)

    assert forms(model) == ["json_schema", "json_object", "text", "text"]
    assert first.mentions == second.mentions
    assert len(first.mentions) == 3


def test_another_model_of_the_endpoint_begins_at_the_top(model):
    model.know(["json_object"])

    extractor(model).extract(CHUNK, VIDEO)
    extractor(model, StrategyInputs(model="other")).extract(CHUNK, VIDEO)

    assert forms(model) == ["json_schema", "json_object", "json_schema", "json_object"]


@pytest.mark.parametrize("odd", [Odd.INVALID_JSON, Odd.WRONG_SHAPE, Odd.EMPTY])
def test_an_unreadable_answer_is_sent_back_once(model, odd):
    model.answer_oddly(odd)

    found = extractor(model).extract(CHUNK, VIDEO)

    assert len(found.mentions) == 3
    assert [each["role"] for each in model.asked[1]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert found.tokens_in > sum(len(each["content"]) for each in model.asked[1]["messages"]) // 4


def test_what_stays_unreadable_is_tried_again_later(model):
    model.answer_oddly(Odd.INVALID_JSON, Odd.WRONG_SHAPE)

    with pytest.raises(Transient, match="stays unreadable"):
        extractor(model).extract(CHUNK, VIDEO)

    assert len(model.asked) == 2


def test_a_fenced_answer_is_read(model):
    model.answer_oddly(Odd.FENCED)

    assert len(extractor(model).extract(CHUNK, VIDEO).mentions) == 3
    assert len(model.asked) == 1


def test_an_answer_that_was_cut_is_asked_for_in_halves(model):
    model.answer_oddly(Odd.TRUNCATED)

    found = extractor(model).extract(CHUNK, VIDEO)

    assert [each.raw for each in found.mentions] == ["Taipei", "Jiufen", "Kaohsiung"]
    assert len(model.asked) == 3
    model.answer_oddly(Odd.TRUNCATED)
    with pytest.raises(Deterministic) as raised:
        extractor(model).extract(CHUNK[:1], VIDEO)
    assert raised.value.code == "llm_answer_too_long"


def test_invented_places_are_left_out(model):
    model.answer_oddly(Odd.INVENTED)

    found = extractor(model).extract(CHUNK, VIDEO)

    assert [each.raw for each in found.mentions] == ["Taipei", "Jiufen", "Kaohsiung"]


def test_a_refusal_lasts(model):
    model.answer_oddly(Odd.REFUSAL)

    with pytest.raises(Deterministic) as raised:
        extractor(model).extract(CHUNK, VIDEO)

    assert raised.value.code == "llm_refusal"


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (Fault(FaultKind.STATUS, status=429, retry_after_s=7), 7.0),
        (Fault(FaultKind.STATUS, status=503), None),
        (Fault(FaultKind.DISCONNECT), None),
        (Fault(FaultKind.HTML200), None),
        (Fault(FaultKind.HANG), None),
    ],
)
def test_failures_that_may_pass_are_asked_once(model, fault, retry_after):
    model.faults.add(fault)

    with pytest.raises(Transient) as raised:
        extractor(model, timeout_s=1.0).extract(CHUNK, VIDEO)

    assert raised.value.retry_after == retry_after
    assert len(model.log.entries()) == 1


def test_two_refusals_for_haste_then_an_answer(model):
    model.faults.add(Fault(FaultKind.STATUS, status=429, retry_after_s=0, times=2))

    for _ in range(2):
        with pytest.raises(Transient):
            extractor(model).extract(CHUNK, VIDEO)

    assert len(extractor(model).extract(CHUNK, VIDEO).mentions) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "llm_key_refused"), (404, "llm_unknown_model"), (400, "llm_refused")],
)
def test_failures_that_last(model, status, code):
    model.faults.add(Fault(FaultKind.STATUS, status=status))

    with pytest.raises(Deterministic) as raised:
        extractor(model).extract(CHUNK, VIDEO)

    assert raised.value.code == code


def test_an_answer_is_not_awaited_when_the_work_stops(model):
    model.faults.add(Fault(FaultKind.HANG))

    def check():
        if model.log.entries():
            raise InterruptedError

    with pytest.raises(InterruptedError):
        extractor(model, timeout_s=5.0, check=check).extract(CHUNK, VIDEO)


def test_without_an_endpoint_or_a_prompt_there_is_no_extractor(settings):
    settings.LLM_BASE_URL = ""
    with pytest.raises(Deterministic) as unset:
        ModelExtractor(INPUTS)
    with pytest.raises(Deterministic) as unknown:
        ModelExtractor(
            StrategyInputs(model="m", extraction_prompt_v=99), endpoint=Endpoint("http://x", "", 1)
        )

    assert (unset.value.code, unknown.value.code) == (
        "llm_not_configured",
        "unknown_prompt_version",
    )


def test_the_key_is_never_shown():
    assert "secret" not in repr(Endpoint("http://x", "secret", 1))
    assert llm.LADDER == ("json_schema", "json_object", "text")


def test_the_strategy_decides_who_extracts(settings, model):
    settings.LLM_BASE_URL = model.base_url

    assert isinstance(extractor_for(INPUTS), ModelExtractor)
    assert len(extractor_for(INPUTS).extract(CHUNK, VIDEO).mentions) == 3
    assert isinstance(extractor_for(StrategyInputs(model="offline")), OfflineExtractor)
