from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from analysis.models import Batch, Correction, Job, Strategy, Video
from tests.analysis.factories import (
    make_analysis,
    make_batch,
    make_checkpoint,
    make_correction,
    make_failure,
    make_job,
    make_place,
    make_strategy,
    make_video,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db
UPLOAD = {"kind": "upload", "upload": b"words", "url": "", "video_id": "upload-0123456789abcdef"}


def breaks(name: str, deed: Any) -> None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        deed()
    told = str(caught.value)
    assert name in told or "UNIQUE" in told  # SQLite names the columns of a unique one


def test_a_public_video_is_there_once():
    make_video(video_id="one")

    breaks("video_public_once", lambda: make_video(video_id="one"))


def test_an_upload_is_there_once_for_each_owner():
    mine = make_user()
    make_video(**UPLOAD, owner=mine)
    make_video(**UPLOAD, owner=make_user())

    breaks("video_own_once", lambda: make_video(**UPLOAD, owner=mine))


@pytest.mark.parametrize("wrong", [{"url": ""}, {"upload": b"x"}, {"kind": "upload"}])
def test_a_video_is_a_page_or_an_upload(wrong):
    breaks("video_is_a_page_or_an_upload", lambda: make_video(**wrong))


def test_an_upload_has_an_owner():
    breaks("video_is_a_page_or_an_upload", lambda: make_video(**UPLOAD))


def test_a_video_is_analysed_once_under_a_strategy():
    analysis = make_analysis()

    breaks(
        "analysis_once_per_strategy",
        lambda: make_analysis(video=analysis.video, strategy=analysis.strategy),
    )


def test_a_result_has_its_moment():
    breaks(
        "analysis_with_a_result_is_finished",
        lambda: make_analysis(outcome="done", finished_at=None),
    )


def test_a_place_has_its_own_number_and_is_on_the_globe():
    place = make_place()

    breaks("place_number_once", lambda: make_place(analysis=place.analysis, n=place.n))
    breaks("place_is_on_the_globe", lambda: make_place(longitude=180.1))
    breaks("place_is_on_the_globe", lambda: make_place(latitude=-90.1))


def test_a_failure_has_its_own_number():
    failure = make_failure()

    breaks("failure_number_once", lambda: make_failure(analysis=failure.analysis, n=failure.n))


def test_a_checkpoint_is_there_once():
    kept = make_checkpoint()

    breaks("checkpoint_once", lambda: make_checkpoint(video=kept.video, key=kept.key))


@pytest.mark.parametrize("make", [make_job, make_batch])
@pytest.mark.parametrize(
    "wrong", [{"final_status": "done"}, {"ended_at": timezone.now()}, {"final_status": "running"}]
)
def test_what_ended_says_when(make, wrong):
    row: Job | Batch = make()

    breaks("ended_at_says_it_ended", lambda: type(row).objects.filter(pk=row.pk).update(**wrong))


def test_one_strategy_is_the_default_and_it_is_in_use():
    default = Strategy.objects.get(is_default=True)

    breaks("strategy_default_once", lambda: make_strategy(is_default=True))
    breaks(
        "strategy_default_is_enabled",
        lambda: Strategy.objects.filter(pk=default.pk).update(is_enabled=False),
    )


@pytest.mark.parametrize("wrong", [{"model_temp": -0.1}, {"compression_ratio": 1.1}])
def test_numbers_of_a_strategy_are_in_range(wrong):
    breaks("strategy_numbers_in_range", lambda: make_strategy(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"longitude": None},
        {"change": "rename", "name": ""},
        {"change": "merge", "merge_into": ""},
        {"change": "other"},
    ],
)
def test_a_correction_says_what_it_changes(wrong):
    breaks("correction_says_what_it_changes", lambda: make_correction(**wrong))


def test_a_correction_is_on_the_globe():
    breaks("correction_is_on_the_globe", lambda: make_correction(latitude=91))


def test_an_owner_who_leaves_takes_uploads_along_and_leaves_corrections():
    owner = make_user()
    make_video(**UPLOAD, owner=owner)
    correction = make_correction(made_by=owner)

    owner.delete()

    assert not Video.objects.filter(kind="upload").exists()
    assert Correction.objects.get(pk=correction.pk).made_by is None
