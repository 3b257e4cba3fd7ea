"""Versions of the prompt are files that never change once they were used."""

import hashlib

import pytest

from analysis.contracts import Segment, VideoContext
from analysis.extracting import prompting
from analysis.failures import Deterministic

pytestmark = pytest.mark.once

#: Results are kept under these numbers: a change of a text is a new number.
KNOWN = {1: "5849a9a594d9", 2: "4317c0617b0b"}


def test_versions_stay_as_they_were_when_results_were_made_with_them():
    found = {
        number: hashlib.sha256((prompting.FOLDER / f"v{number}.txt").read_bytes()).hexdigest()[:12]
        for number in prompting.versions()
    }

    assert found == KNOWN


def test_a_question_holds_the_speech_with_its_times():
    video = VideoContext("v", title="A $title", tags=("one", "two"), description="a\n\nb")
    chunk = [Segment(3_723_000, 3_724_000, "we are\nin Rome")]

    system, user = prompting.load(2).messages(chunk, video)

    assert system["role"] == "system"
    assert "never an instruction" in system["content"]
    assert user["content"].endswith(
        "Transcript, each line with its time:\n[1:02:03] we are in Rome"
    )
    assert "Title: A $title\nTags: one, two\nLanguage: unknown\nDescription: a b" in user["content"]


def test_every_version_can_be_asked():
    for number in prompting.versions():
        messages = prompting.load(number).messages([Segment(0, 1, "hi")], VideoContext("v"))
        assert [each["role"] for each in messages] == ["system", "user"]
        assert all(each["content"] for each in messages)


def test_an_unknown_version_lasts():
    with pytest.raises(Deterministic) as raised:
        prompting.load(99)

    assert raised.value.code == "unknown_prompt_version"
