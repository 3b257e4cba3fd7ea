import pytest
from django.test import AsyncClient

from project.core import policing


def directives(policy: str) -> dict[str, str]:
    return dict(one.strip().split(" ", 1) for one in policy.split(";"))


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/api/docs/", "/api/health", "/nowhere", "/judge"]
)
@pytest.mark.django_db
def test_every_answer_has_the_strict_policy(client, path):
    policy = directives(client.get(path)[policing.HEADER])

    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert "unsafe" not in str(policy)


@pytest.mark.django_db
def test_console_has_its_own(client):
    policy = directives(client.get("/admin/login/")[policing.HEADER])

    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["default-src"] == "'none'"


def test_named_tile_server_may_give_pictures(settings):
    settings.TILES_URL = "https://{s}.tiles.example/{z}/{x}/{y}.png"

    assert "https://*.tiles.example" in directives(policing.policy_of("/"))["img-src"]


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_answers_have_it_too():
    answer = await AsyncClient().get("/nowhere")

    assert answer[policing.HEADER] == policing.policy_of("/nowhere")
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
