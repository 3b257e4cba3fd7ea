"""People ask for an analysis and see its map, its places and its speech, linked both ways."""

import json

import pytest
from playwright.sync_api import expect

from analysis.choices import Outcome
from analysis.models import Correction
from tests.analysis.factories import (
    make_analysis,
    make_checkpoint,
    make_failure,
    make_job,
    make_place,
    make_video,
)
from tests.browser.test_pages import is_narrow

CUES = [[at * 4000, at * 4000 + 3900, f"sentence number {at}"] for at in range(40)]


def a_job(owner, *, status="done"):
    video = make_video(title="Three days in Taiwan")
    outcome = Outcome.PARTIAL if status == "partial" else Outcome.DONE
    analysis = make_analysis(video=video, outcome=outcome, places_total=3)
    spots = [("Taipei", 121.5654, 25.033, 4000), ("Jiufen", 121.8443, 25.1092, 100_000)]
    for name, longitude, latitude, start_ms in spots:
        make_place(
            analysis=analysis, name=name, raw=name, longitude=longitude, latitude=latitude,
            start_ms=start_ms, end_ms=start_ms + 900, marker="city",
        )  # fmt: skip
    if status == "partial":
        make_failure(analysis=analysis)
    make_checkpoint(
        video=video,
        phase="metadata",
        data={"video": {"language": "en"}, "segments": CUES, "facts": {}},
    )
    return make_job(
        owner=owner, analysis=analysis, run=None, final_status=status, progress=100.0,
        ended_at="2026-01-01T00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"phone": True}])
def test_a_jobs_page_shows_map_places_and_speech(open_page, staff, look):
    page = open_page(f"/videos/jobs/{a_job(staff).pk}", **look)

    expect(page.locator("#places li")).to_have_count(2)
    expect(page.locator("#map .stop")).to_have_count(2)
    expect(page.locator("#map path.route")).to_have_count(1)
    expect(page.locator("#cues li")).to_have_count(len(CUES))
    expect(page.locator("#percent")).to_have_text("100 %")
    expect(page.locator("#credits")).to_contain_text("GeoNames")
    expect(page.locator(".leaflet-control-scale-line")).to_have_count(1)
    assert is_narrow(page)


def test_places_and_cues_are_linked_both_ways(open_page, staff):
    page = open_page(f"/videos/jobs/{a_job(staff).pk}")

    page.locator("#places .name", has_text="Jiufen").click()
    expect(page.locator("#cues li.is-chosen")).to_contain_text("sentence number 25")
    expect(page.locator("#cues li.is-chosen")).to_be_in_viewport()
    page.locator("#cues .stop").first.click()
    expect(page.locator("#places li.is-chosen")).to_contain_text("Taipei")
    expect(page.locator("#map .stop.is-chosen")).to_have_text("1")
    link = page.locator("#places li", has_text="Jiufen").locator("a.moment")
    expect(link).to_have_attribute(
        "href", json.loads(page.locator("#facts").text_content())["video_url"] + "&t=100s"
    )


def test_a_place_is_renamed_moved_dropped_and_put_back(open_page, staff):
    page = open_page(f"/videos/jobs/{a_job(staff).pk}")

    page.get_by_role("button", name="Edit Taipei").click()
    page.fill("#edit-name", "Taipei Main Station")
    page.fill("#edit-lat", "25.05")
    page.click("#edit-save")
    expect(page.locator("#places")).to_contain_text("Taipei Main Station")
    expect(page.locator("#places")).to_contain_text("put right by")

    page.get_by_role("button", name="Edit Jiufen").click()
    page.click("#edit-drop")
    expect(page.locator("#places li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#places li")).to_have_count(2)
    assert sorted(Correction.objects.values_list("change", flat=True)) == ["drop", "move", "rename"]

    page.get_by_role("button", name="Edit Taipei").click()
    page.get_by_role("button", name="Take the last change back").click()
    expect(page.locator("#said")).to_contain_text("as it was")
    expect(page.locator("#places")).not_to_contain_text("put right by")
    expect(page.locator("#places")).not_to_contain_text("Main Station")


def test_a_marker_is_dragged_and_goes_back(open_page, staff):
    page = open_page(f"/videos/jobs/{a_job(staff).pk}")
    page.get_by_role("button", name="Edit Jiufen").click()
    page.get_by_role("button", name="Drag on the map").click()
    marker = page.locator("#map .stop", has_text="2")
    spot = marker.bounding_box()
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    page.mouse.down()
    page.mouse.move(spot["x"] - 60, spot["y"] + 40, steps=5)
    page.mouse.up()
    expect(page.locator("#said")).to_contain_text("Jiufen is moved")
    expect(page.locator("#places li", has_text="Jiufen")).to_contain_text("put right by")
    moved = Correction.objects.get()
    assert (moved.change, moved.is_taken_back) == ("move", False)
    assert moved.longitude != moved.was_longitude

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("as it was")
    expect(page.locator("#places li", has_text="Jiufen")).not_to_contain_text("put right by")
    moved.refresh_from_db()
    assert moved.is_taken_back


def test_what_failed_is_listed_and_asked_for_again(open_page, staff):
    page = open_page(f"/videos/jobs/{a_job(staff, status='partial').pk}")

    expect(page.locator("#failed li")).to_contain_text("atlantis")
    page.get_by_role("button", name="Try atlantis again").click()
    expect(page.locator("#status")).to_have_text("queued")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_have_text("canceled")
