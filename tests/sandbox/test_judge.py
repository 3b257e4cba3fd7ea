import pytest
import requests

from project import sandbox

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def world():
    with sandbox.running() as running:
        yield running


def test_judge_tells_nonce_method_remote_and_headers(world):
    answer = requests.post(
        world.judge.judge_url, params={"nonce": "abc"}, headers={"X-Own": "1"}, timeout=5
    ).json()

    assert set(answer) == {"nonce", "method", "remote", "headers"}
    assert (answer["nonce"], answer["method"], answer["remote"]) == ("abc", "POST", "127.0.0.1")
    assert answer["headers"]["X-Own"] == "1"


def test_judge_over_tls_is_trusted_with_the_sandboxs_authority_alone(world):
    answer = requests.get(world.judge.judge_tls_url, verify=str(world.ca_bundle), timeout=5)

    assert answer.json()["nonce"] is None
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(world.judge.judge_tls_url, timeout=5)


def test_judge_can_fail_and_keeps_a_log(world):
    number = world.judge.faults.add(sandbox.Fault(sandbox.FaultKind.STATUS, status=503))

    failed = requests.get(world.judge.judge_url, timeout=5)
    world.judge.faults.remove(number)

    assert failed.status_code == 503
    assert world.judge.log.entries()[-1].status == 503
