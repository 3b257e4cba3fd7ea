"""The pages of analyses: whose they are, and what they tell their scripts."""

import json
import re

import pytest
from django.test import Client

from analysis.choices import Outcome
from tests.analysis.factories import (
    make_analysis,
    make_checkpoint,
    make_job,
    make_place,
    make_strategy,
    make_video,
)
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


def of(user):
    client = Client()
    client.force_login(user)
    return client


def facts(answer):
    found = re.search(
        r'<script id="facts" type="application/json">(.*?)</script>', answer.content.decode()
    )
    assert found is not None
    return json.loads(found[1])


def job_of(user, **fields):
    analysis = make_analysis(outcome=Outcome.DONE, places_total=2, **fields)
    make_place(analysis=analysis)
    return make_job(
        owner=user, analysis=analysis, final_status="done", ended_at="2026-01-01T00:00Z"
    )


def test_the_list_is_the_callers_own():
    user = make_user()
    mine = job_of(user, video=make_video(title="My <trip>"))
    strangers = job_of(make_user(), video=make_video(title="Somebody's"))

    answer = of(user).get("/videos")

    text = answer.content.decode()
    assert "My &lt;trip&gt;" in text
    assert "1 of 2 places" in text
    assert str(strangers.pk) not in text
    assert "Somebody" not in text
    assert f"/videos/jobs/{mine.pk}" in text
    assert facts(answer)["live"] == []


def test_the_list_follows_what_is_on_its_way_and_can_be_narrowed():
    user = make_user()
    waiting, ended = make_job(owner=user), job_of(user)
    client = of(user)

    assert facts(client.get("/videos"))["live"] == [str(waiting.pk)]
    narrowed = client.get("/videos?status=done").content.decode()
    assert (str(ended.pk) in narrowed, str(waiting.pk) in narrowed) == (True, False)
    assert "None that is failed." in client.get("/videos?status=failed").content.decode()


def test_the_list_costs_the_same_with_more_jobs():
    user = make_user()
    client = of(user)
    client.get("/videos")  # what is recalled is there

    def queries(count):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as caught:
            text = client.get("/videos").content.decode()
        assert text.count("data-job=") == count
        return len(caught)

    make_job(owner=user)
    one = queries(1)
    job_of(user)
    make_job(owner=user)
    assert queries(3) == one


def test_strategies_in_use_are_offered():
    make_strategy(name="careful", description="with a model")
    make_strategy(name="retired", is_enabled=False)

    text = of(make_user()).get("/videos").content.decode()

    assert '<option value="careful">careful: with a model</option>' in text
    assert "retired" not in text


def test_a_jobs_page_tells_its_script_where_to_ask(settings):
    settings.TILES_URL = "https://tiles.example.org/{z}/{x}/{y}.png"
    user = make_user()
    job = job_of(user)

    answer = of(user).get(f"/videos/jobs/{job.pk}")

    told, video_id = facts(answer), job.analysis.video.video_id
    assert told["urls"]["job"] == f"/api/jobs/{job.pk}"
    assert told["urls"]["video"] == f"/api/videos/{video_id}"
    assert told["video_url"] == job.analysis.video.url
    assert told["tiles"]["url"] == settings.TILES_URL
    assert (
        f"locations?strategy={job.analysis.strategy_hash}&amp;format=gpx" in answer.content.decode()
    )


def test_pages_have_no_script_and_no_style_of_their_own():
    user = make_user()
    client, job = of(user), job_of(user)

    for address in ("/videos", f"/videos/jobs/{job.pk}"):
        text = client.get(address).content.decode()
        assert re.findall(r"\sstyle=|\son\w+=|<style", text) == []
        assert re.findall(r"<script(?![^>]*(?: src=|application/json))", text) == []
        assert re.findall(r'(?:src|href)="(https?:)?//(?!www\.youtube\.com)', text) == []


def test_strangers_find_nothing_and_staff_everything():
    owner = make_user()
    job = job_of(owner)
    make_checkpoint(
        video=job.analysis.video,
        phase="metadata",
        data={"video": {}, "segments": [[0, 900, "secret"]], "facts": {}},
    )
    addresses = [f"/videos/jobs/{job.pk}", f"/videos/jobs/{job.pk}/transcript"]

    answers = {
        name: [of(user).get(address).status_code for address in addresses]
        for name, user in (("owner", owner), ("stranger", make_user()), ("staff", make_staff()))
    }

    assert answers == {"owner": [200, 200], "stranger": [404, 404], "staff": [200, 200]}
    assert of(owner).get(addresses[1]).json()["cues"] == [[0, 900, "secret"]]
    away = Client().get(addresses[0])
    assert (away.status_code, away["Location"].split("?")[0]) == (302, "/sign-in")
