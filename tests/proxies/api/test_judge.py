import pytest


def ask(client, query="nonce=abc", **headers):
    answer = client.get(f"/judge?{query}", headers=headers)
    found = answer.json()
    found["headers"].pop("Cookie")  # the test client's own
    answer.json = lambda: found
    return answer


def test_the_judge_tells_what_reached_it(client):
    answer = ask(client, via="1.1 squid", x_forwarded_for="203.0.113.5")

    found = answer.json()
    assert answer.status_code == 200
    assert set(found) == {"nonce", "method", "remote", "headers"}
    assert (found["nonce"], found["method"], found["remote"]) == ("abc", "GET", "127.0.0.1")
    assert found["headers"] == {"Via": "1.1 squid", "X-Forwarded-For": "203.0.113.5"}


def test_the_judge_needs_no_nonce_and_bounds_it(client):
    assert ask(client, "").json()["nonce"] is None
    assert len(ask(client, f"nonce={'x' * 5000}").json()["nonce"]) == 200


def test_the_judge_answers_any_method(client):
    answer = client.post("/judge?nonce=a", "x", content_type="text/plain")

    assert (answer.status_code, answer.json()["method"]) == (200, "POST")


def test_behind_our_own_front_proxy_its_headers_are_left_out(client, settings):
    settings.PUBLIC_URL = "http://testserver"

    found = ask(
        client,
        x_forwarded_for="198.51.100.7, 203.0.113.5",
        x_real_ip="203.0.113.5",
        x_forwarded_proto="https",
    ).json()

    assert found["remote"] == "203.0.113.5"
    assert found["headers"] == {"X-Forwarded-For": "198.51.100.7"}


@pytest.mark.django_db
def test_the_judge_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        ask(client)
