"""What is said in a video, as far as it is known."""

import pytest

from analysis import transcripts
from tests.analysis.factories import make_analysis, make_checkpoint

pytestmark = pytest.mark.django_db


def test_the_speech_of_the_latest_reading():
    analysis = make_analysis()
    kept = {
        "video": {"language": "en"},
        "segments": [[0, 900, "hi"]],
        "facts": {"remarks": ["odd"]},
    }
    make_checkpoint(video=analysis.video, phase="metadata", data={**kept, "segments": []})
    make_checkpoint(video=analysis.video, phase="metadata", data=kept)
    make_checkpoint(phase="metadata", data={**kept, "segments": [[0, 1, "another video"]]})

    assert transcripts.of(analysis) == {
        "cues": [[0, 900, "hi"]],
        "language": "en",
        "remarks": ["odd"],
    }


def test_before_it_is_known_nothing_is_said():
    assert transcripts.of(make_analysis()) == {"cues": [], "language": "", "remarks": []}
