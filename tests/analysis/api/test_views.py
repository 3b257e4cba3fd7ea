import io
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from analysis import batches
from analysis.models import Job
from project.core.callers import Caller
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_strategy
from tests.factories import make_key, make_staff, make_user

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
VIDEO = "dQw4w9WgXcQ"
SRT = b"1\n00:00:01,000 --> 00:00:04,000\nwe begin in taipei\n"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def client_of(user_id: Any, **fields: Any) -> APIClient:
    from accounts.models import User

    key = make_key(User.objects.get(pk=user_id), **fields)
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {key.secret}")


@pytest.fixture
def api(caller: Caller) -> APIClient:
    return client_of(caller.user_id)


@pytest.fixture
def stranger(caller: Caller) -> APIClient:
    return client_of(make_user().pk)


@pytest.fixture
def staff(caller: Caller) -> APIClient:
    return client_of(make_staff(email="boss@example.com").pk, scopes=["admin"])


def analysed(api: APIClient) -> Job:
    answer = api.post("/api/videos/analyze", {"url": URL})
    assert answer.status_code == 202, answer.content
    return doing.finish(Job.objects.get(pk=answer.json()["job_id"]))


def test_analyze_then_the_same_again(api: APIClient, outside: Outside):
    first = api.post("/api/videos/analyze", {"url": URL})
    job = doing.finish(Job.objects.get(pk=first.json()["job_id"]))
    again = api.post("/api/videos/analyze", {"url": f"{URL}&t=3"})

    assert first.status_code == 202
    assert first.json() == {"job_id": str(job.pk), "status": "queued", "cached": False}
    assert again.status_code == 200
    assert again.json() == {
        "job_id": again.json()["job_id"],
        "status": "partial",
        "cached": True,
    }
    assert again.json()["job_id"] != str(job.pk)


def test_a_job_as_the_contract_says(api: APIClient, outside: Outside):
    job = analysed(api)

    told = api.get(f"/api/jobs/{job.pk}").json()

    moments = {name: told.pop(name) for name in ("created_at", "updated_at")}
    assert all(moment.endswith("Z") for moment in moments.values())
    assert told == {
        "job_id": str(job.pk),
        "video_id": VIDEO,
        "status": "partial",
        "phase": "geocode",
        "progress": 100.0,
        "strategy_version": "offline",
        "metrics": {
            "tokens_in": 100,
            "tokens_out": 10,
            "locations_found": 5,
            "strategy_hash": job.analysis.strategy_hash,
        },
        "stats": {
            "segments": 5,
            "chunks": 1,
            "places_total": 6,
            "places_located": 5,
            "cache": "miss",
        },
        "error": {"type": "partial", "message": "1 of 6 places could not be located"},
        "waiting": None,
        "title": "Round Taiwan",
        "retry_of": None,
        "batch_id": None,
        "shrunk_by": None,
    }


def test_an_upload(api: APIClient, stranger: APIClient, staff: APIClient, outside: Outside):
    answer = api.post(
        "/api/videos/analyze",
        {"transcript": SimpleUploadedFile("trip.srt", SRT)},
        format="multipart",
    )
    job = doing.finish(Job.objects.get(pk=answer.json()["job_id"]))
    video_id = api.get(f"/api/jobs/{job.pk}").json()["video_id"]

    assert (answer.status_code, job.status) == (202, "done")
    assert api.get(f"/api/videos/{video_id}/locations").json()["routes"][0]["location"] == "Taipei"
    assert stranger.get(f"/api/videos/{video_id}/locations").status_code == 404
    assert stranger.get(f"/api/jobs/{job.pk}").status_code == 404
    assert staff.get(f"/api/videos/{video_id}/locations").status_code == 200
    assert outside.fetched == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"url": URL, "other": 1}, "unknown_field"),
        ({"url": "nonsense"}, "bad_video"),
        ({"url": URL, "strategy": "nobody"}, "unknown_strategy"),
    ],
)
def test_what_can_not_be_analysed(body, code, api: APIClient):
    answer = api.post("/api/videos/analyze", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Job.objects.exists()


def test_an_empty_transcript(api: APIClient):
    file = SimpleUploadedFile("empty.srt", b"")
    answer = api.post("/api/videos/analyze", {"transcript": file}, format="multipart")

    assert answer.status_code == 422


def test_a_bad_transcript_fails_at_once(api: APIClient, outside: Outside):
    file = SimpleUploadedFile("x.srt", b"%PDF-1.7 no words")
    answer = api.post("/api/videos/analyze", {"transcript": file}, format="multipart")
    job = doing.finish(Job.objects.get(pk=answer.json()["job_id"]))

    assert (job.status, job.error_type) == ("failed", "deterministic")


def test_jobs_are_listed_to_their_owner(
    api: APIClient, stranger: APIClient, staff: APIClient, outside
):
    job = analysed(api)
    stranger.post("/api/videos/analyze", {"url": "https://youtu.be/another0001"})

    mine = api.get("/api/jobs").json()["results"]
    assert [one["job_id"] for one in mine] == [str(job.pk)]
    assert mine[0]["stats"]["places_located"] == 5
    assert len(staff.get("/api/jobs").json()["results"]) == 2
    assert api.get("/api/jobs?status=queued").json()["results"] == []
    assert len(stranger.get("/api/jobs?status=queued").json()["results"]) == 1
    assert api.get("/api/jobs?status=nonsense").status_code == 422


def test_cancel(api: APIClient, stranger: APIClient):
    job_id = api.post("/api/videos/analyze", {"url": URL}).json()["job_id"]

    assert stranger.post(f"/api/jobs/{job_id}/cancel").status_code == 404
    answer = api.post(f"/api/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "canceled")
    assert api.get(f"/api/jobs/{job_id}").json()["status"] == "canceled"


def test_a_job_that_ended_can_not_be_canceled(api: APIClient, outside: Outside):
    answer = api.post(f"/api/jobs/{analysed(api).pk}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "job_ended")


def test_failures_and_their_retry(api: APIClient, outside: Outside):
    job = analysed(api)
    told = api.get(f"/api/videos/{VIDEO}/failures").json()
    assert told["failed"] == [{"raw": "atlantis", "reason": "nobody knows it"}]
    assert (told["retryable"], told["last_updated"][-1]) == (True, "Z")
    outside.places["atlantis"] = (-25.0, 30.0)

    answer = api.post(f"/api/videos/{VIDEO}/geocode/retry", {"raw": ["atlantis"]})
    retried = doing.finish(Job.objects.get(pk=answer.json()["job_id"]))

    assert answer.status_code == 202
    assert (answer.json()["places"], answer.json()["retry_of"]) == (1, str(job.pk))
    state = api.get(f"/api/jobs/{retried.pk}").json()
    assert (state["status"], state["shrunk_by"], state["retry_of"]) == ("done", 1, str(job.pk))
    assert api.get(f"/api/videos/{VIDEO}/failures").json()["failed"] == []
    assert len(api.get(f"/api/videos/{VIDEO}/locations").json()["routes"]) == 6
    nothing = api.post(f"/api/videos/{VIDEO}/geocode/retry")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_retry")
    unknown = api.post(f"/api/videos/{VIDEO}/geocode/retry", {"raw": "x"})
    assert unknown.status_code == 422


@pytest.mark.parametrize(
    ("form", "media", "begin"),
    [
        ("geojson", "application/geo+json", b"{"),
        ("gpx", "application/gpx+xml", b"<?xml"),
        ("kml", "application/vnd.google-earth.kml+xml", b"<"),
    ],
)
def test_locations_for_other_tools(form, media, begin, api: APIClient, outside: Outside):
    analysed(api)

    answer = api.get(f"/api/videos/{VIDEO}/locations?format={form}")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(media)
    assert answer.content.startswith(begin)
    assert b"Taipei" in answer.content
    assert api.get(f"/api/videos/{VIDEO}/locations?format=pdf").status_code == 422


def test_locations_of_a_strategy(api: APIClient, outside: Outside):
    job = analysed(api)
    other = make_strategy(model="other")
    made = api.post("/api/videos/analyze", {"url": URL, "strategy": other.name}).json()
    del outside.names[0]
    doing.finish(Job.objects.get(pk=made["job_id"]))

    def names(query: str) -> list[str]:
        routes = api.get(f"/api/videos/{VIDEO}/locations{query}").json()["routes"]
        return [route["location"] for route in routes]

    assert len(names(f"?strategy={job.analysis.strategy_hash}")) == 5
    assert len(names(f"?strategy={other.strategy_hash}")) == 4
    assert len(names("")) == 4  # the latest result
    assert api.get(f"/api/videos/{VIDEO}/locations?strategy=00000000").status_code == 404


def test_corrections_count_for_their_owner_and_staffs_for_everybody(
    api: APIClient, stranger: APIClient, staff: APIClient, outside: Outside
):
    analysed(api)
    stranger.post("/api/videos/analyze", {"url": URL})
    path = f"/api/videos/{VIDEO}/locations"

    mine = api.patch(f"{path}/1", {"coordinates": [121.5, 25.1], "location": "Taipeh"})
    theirs = staff.patch(f"{path}/2", {"location": "Chiufen"})

    assert mine.status_code == theirs.status_code == 200
    route = mine.json()["route"]
    assert (route["location"], route["coordinates"]) == ("Taipeh", [121.5, 25.1])
    assert route["correction"]["changes"] == ["move", "rename"]
    assert theirs.json()["route"]["correction"]["by"] == "boss@example.com"
    names = [
        [one["location"] for one in who.get(path).json()["routes"]][:2] for who in (api, stranger)
    ]
    assert names == [["Taipeh", "Chiufen"], ["Taipei", "Chiufen"]]
    shown = stranger.get(path).json()["routes"][1]["correction"]
    assert shown["by"] == "staff"
    both = api.patch(f"{path}/1", {"taken_back": True, "location": "Taihoku"})
    assert (both.status_code, both.json()["errors"][0]["field"]) == (422, "taken_back")
    back = api.patch(f"{path}/1", {"taken_back": True})
    assert (back.status_code, back.json()["route"]["location"]) == (200, "Taipei")
    nothing = api.patch(f"{path}/1", {"taken_back": True})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_take_back")


def test_dropping_merging_and_putting_back(api: APIClient, outside: Outside):
    analysed(api)
    path = f"/api/videos/{VIDEO}/locations"

    def numbers() -> list[int]:
        return [one["n"] for one in api.get(path).json()["routes"]]

    assert api.patch(f"{path}/2", {"dropped": True}).json()["route"] is None
    assert api.patch(f"{path}/3", {"merge_into": 4}).json()["route"] is None
    assert numbers() == [1, 4, 5]
    assert api.patch(f"{path}/2", {"location": "x"}).status_code == 404
    assert api.patch(f"{path}/2", {"dropped": False}).json()["route"]["location"] == "Jiufen"
    assert api.patch(f"{path}/3", {"dropped": False}).json()["route"]["location"] == "Tainan"
    assert numbers() == [1, 2, 3, 4, 5]
    for wrong in ({}, {"merge_into": 1}, {"merge_into": 99}, {"coordinates": [999, 0]}):
        answer = api.patch(f"{path}/1", wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_correction"), wrong
    assert api.patch(f"{path}/99", {"location": "x"}).status_code == 404


def test_strategies(api: APIClient):
    make_strategy(name="asleep", is_enabled=False)

    (found,) = api.get("/api/strategies").json()["results"]

    assert (found["name"], found["is_default"], found["model_temp"]) == ("offline", True, 0.7)


def test_a_batch(api: APIClient, stranger: APIClient, outside: Outside):
    urls = [f"https://youtu.be/video{number:06d}" for number in range(6)]
    answer = api.post("/api/videos/analyze/batch", {"urls": [*urls, urls[0]]})
    told = answer.json()

    assert answer.status_code == 202
    assert [job["video_id"] for job in told["jobs"]] == [f"video{n:06d}" for n in range(6)]
    path = f"/api/batches/{told['batch_id']}"
    state = api.get(path).json()
    assert (state["status"], state["progress"], state["counts"]["total"]) == ("queued", 0.0, 6)
    assert stranger.get(path).status_code == 404
    for job in told["jobs"]:
        doing.finish(Job.objects.get(pk=job["job_id"]))
    state = api.get(path).json()
    assert (state["status"], state["progress"]) == ("partial", 100.0)
    assert state["counts"] == {
        "total": 6,
        "queued": 0,
        "running": 0,
        "done": 0,
        "partial": 6,
        "failed": 0,
        "canceled": 0,
    }
    assert api.post(f"{path}/cancel").status_code == 409


@pytest.mark.parametrize(
    "text",
    [
        "https://youtu.be/video000001\nhttps://youtu.be/video000002\n",
        "title,url\none,https://youtu.be/video000001\n\ntwo,https://youtu.be/video000002\n",
        "\ufeffURL;ignored\nhttps://youtu.be/video000001;x, y\nhttps://youtu.be/video000002;y",
        "ignored\turl\nx\thttps://youtu.be/video000001\ny\thttps://youtu.be/video000002",
    ],
)
def test_a_batch_as_a_file(text, api: APIClient):
    file = io.BytesIO(text.encode())
    file.name = "videos.csv"
    answer = api.post("/api/videos/analyze/batch", {"file": file}, format="multipart")

    assert answer.status_code == 202, answer.content
    assert [job["video_id"] for job in answer.json()["jobs"]] == ["video000001", "video000002"]


def test_a_batch_names_each_wrong_address(api: APIClient):
    answer = api.post(
        "/api/videos/analyze/batch", {"urls": ["https://youtu.be/video000001", "x", "y"]}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_batch")
    assert [one["field"] for one in answer.json()["errors"]] == ["urls.1", "urls.2"]
    many = ["https://youtu.be/video000001"] * (batches.MOST_VIDEOS + 1)
    assert api.post("/api/videos/analyze/batch", {"urls": many}).status_code == 422
    assert not Job.objects.exists()


def test_canceling_a_batch(api: APIClient):
    urls = [f"https://youtu.be/video{number:06d}" for number in range(6)]
    told = api.post("/api/videos/analyze/batch", {"urls": urls}).json()

    answer = api.post(f"/api/batches/{told['batch_id']}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "canceled")
    assert answer.json()["counts"]["canceled"] == 6
    assert api.post(f"/api/batches/{told['batch_id']}/cancel").status_code == 202


def test_scopes(caller: Caller):
    reader = client_of(caller.user_id, scopes=["analysis:read"])

    assert reader.get("/api/jobs").status_code == 200
    assert reader.post("/api/videos/analyze", {"url": URL}).status_code == 403
