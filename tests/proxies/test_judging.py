import pytest

from proxies import checks, judging
from proxies.judging import BadJudgeError


def urls():
    return [judge.url for judge in judging.judges()]


def test_the_judges_are_those_that_settings_name(settings):
    settings.JUDGE_URLS = ["http://a.example/judge", "https://b.example:8443/j"]

    first, second = judging.judges()

    assert (first.host, first.port, first.path, first.is_tls) == ("a.example", 80, "/judge", False)
    assert (second.host, second.port, second.is_tls) == ("b.example", 8443, True)


def test_our_own_judge_counts_at_the_public_address(settings):
    settings.JUDGE_URLS, settings.PUBLIC_URL = [], "https://millrace.example"

    assert urls() == ["https://millrace.example/judge"]


def test_without_a_public_address_there_is_none(settings):
    settings.JUDGE_URLS, settings.PUBLIC_URL = [], ""

    assert urls() == []


def test_on_one_machine_our_own_judge_counts(settings, private_networks):
    settings.JUDGE_URLS, settings.PUBLIC_URL, settings.PORT = [], "", 8123

    assert urls() == ["http://127.0.0.1:8123/judge"]


@pytest.mark.parametrize("url", ["ftp://a.example", "a.example", "http://", "http://a:b:c"])
def test_what_is_no_web_address_is_refused(settings, url):
    settings.JUDGE_URLS = [url]

    with pytest.raises(BadJudgeError):
        judging.judges()
    assert [message.id for message in checks.judges(None)] == ["proxies.E001"]


def test_judges_that_make_sense_pass_the_check(settings):
    settings.JUDGE_URLS = ["http://a.example/judge"]

    assert checks.judges(None) == []
