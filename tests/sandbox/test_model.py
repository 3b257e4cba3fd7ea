"""The model's endpoint: OpenAI's shapes, formats it does not know, odd answers."""

import json
from typing import Any

import pytest
import requests

from project import sandbox
from project.sandbox import Fault, FaultKind, Odd

pytestmark = pytest.mark.once

SAID = "[0:04] We land in Taipei.\n[0:12] Then on to 九份老街 and Paris."


@pytest.fixture(scope="module")
def _world():
    with sandbox.running() as world:
        yield world


@pytest.fixture
def model(_world):
    _world.llm.reset()
    return _world.llm


def ask(model, form=None):
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": SAID}]}
    if form:
        body["response_format"] = {"type": form}
    return requests.post(f"{model.base_url}/chat/completions", json=body, timeout=10)


def content(answer):
    return answer.json()["choices"][0]["message"]["content"]


def test_it_names_the_places_of_the_last_message(model):
    answer = ask(model, "json_object")

    places = json.loads(content(answer))["places"]
    assert [(each["name"], each["quote"]) for each in places] == [
        ("Taipei", "We land in Taipei."),
        ("九份", "Then on to 九份老街 and Paris."),
        ("Paris", "Then on to 九份老街 and Paris."),
    ]
    usage = answer.json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] == len(SAID) // 4 + 1
    assert model.asked[0]["model"] == "m"


def test_formats_that_it_does_not_know_are_refused_as_servers_do(model):
    model.know(["text"])

    refused, text = ask(model, "json_schema"), ask(model)

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "response_format"
    assert content(text).startswith("Here are the places:\n```json\n{")


def test_odd_answers_come_once_each(model):
    model.answer_oddly(Odd.TRUNCATED, Odd.REFUSAL)
    requests.post(f"{model.url}/_control/model", json={"odd": ["wrong_shape"]}, timeout=10)

    answers = [ask(model, "json_object").json()["choices"][0] for _ in range(4)]

    assert answers[0]["finish_reason"] == "length"
    assert answers[1]["message"]["refusal"] == "I can't help with that."
    assert answers[2]["message"]["content"] == '{"answer": 42}'
    assert json.loads(answers[3]["message"]["content"])["places"]


def test_faults_speak_openais_words(model):
    model.faults.add(Fault(FaultKind.STATUS, status=429, retry_after_s=1, times=2))

    answers = [ask(model) for _ in range(3)]

    assert [each.status_code for each in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert answers[0].json()["error"]["type"] == "sandbox"


def test_nonsense_is_refused(model):
    assert (
        requests.post(f"{model.base_url}/chat/completions", data="x", timeout=10).status_code == 400
    )
    wrong = requests.post(f"{model.url}/_control/model", json={"odd": ["unknown"]}, timeout=10)
    assert wrong.status_code == 400
