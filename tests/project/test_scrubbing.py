"""What is taken out of texts, wherever they are shown, and what stays."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import scrubbing

SECRET = "Quiet7Heron"


@pytest.fixture
def own(settings: Any) -> Iterator[Any]:
    """Settings whose secrets the scrubber reads anew."""
    scrubbing.forget()
    yield settings
    scrubbing.forget()


@pytest.mark.parametrize(
    "found",
    [
        f"socks5://ann:{SECRET}@10.0.0.1:1080",
        f"http://ann:s@{SECRET}@proxy:3128/x",
        f"Authorization: Api-Key {SECRET}",
        f"proxy-authorization: Basic {SECRET}\nnext line",
        f"sent Bearer {SECRET} to it",
        f"Cookie: a=1; sessionid={SECRET}",
        f"?api_key={SECRET}&a=1",
        f'{{"password": "two words of {SECRET}"}}',
        f"{{'password': b'two words of {SECRET}'}}",
        f'"{{\\"token\\": \\"{SECRET}\\"}}"',
        f"connection failed: host=db password={SECRET} dbname=x",
        f"SECRET_KEY='{SECRET}' is too short",
        f"pwd: {SECRET}",
        f"passphrase={SECRET}",
        f"mr_{SECRET}",
        f"whsec_{SECRET}",
    ],
)
def test_text_hides_secrets_by_what_stands_before_them(found):
    hidden = scrubbing.text(found)

    assert SECRET not in hidden
    assert scrubbing.HIDDEN in hidden


@pytest.mark.parametrize(
    "found",
    [
        "ann@example.com",
        "https://example.com/a@b",
        "http://proxy:3128",
        "socks5://host?mail=a@b",
        "the token expired after 5 s",
        "Basic settings are read",
        'password authentication failed for user "millrace"',
        "512 tokens: 3 calls",
        "author: Ann",
    ],
)
def test_text_leaves_what_is_no_secret(found):
    assert scrubbing.text(found) == found


def test_secrets_of_settings_are_hidden_wherever_they_stand(own):
    own.LLM_API_KEY = "sk-plain-heron-1"
    own.FIELD_KEYS = "first-field-key-0,second-field-key-0"
    own.REDIS_URL = "redis://:p%40ss-heron@redis:6379/0"
    own.S3_SECRET_KEY = "short"

    told = scrubbing.text(
        "ValueError: sk-plain-heron-1, second-field-key-0, p@ss-heron, p%40ss-heron; short cuts"
    )

    assert told == "ValueError: ***, ***, ***, ***; short cuts"


def test_values_are_scrubbed_at_any_depth_and_counts_stay():
    class Odd:
        def __repr__(self) -> str:
            return f"Odd(token={SECRET})"

    told = scrubbing.value(
        {"a": [{"api_key": SECRET, "n": 1}, (Odd(),)], "tokens": 5, "token": SECRET, "is": None}
    )

    assert told == {
        "a": [{"api_key": "***", "n": 1}, ["Odd(token=***"]],
        "tokens": 5,
        "token": "***",
        "is": None,
    }


@given(st.text(alphabet=st.characters(whitelist_categories=("Lu", "Ll", "Nd")), min_size=8))
def test_no_form_of_a_secret_gets_through(word):
    secret = f"Q{word}Q"
    forms = [
        f"socks5://u:{secret}@host:1",
        f"Api-Key {secret}",
        f"Bearer {'x' * 6}{secret.encode().hex()}",
        f"Set-Cookie: a={secret}; Path=/",
        f'"refresh_token": "{secret}"',
        f"?api_key={secret}&a=1",
    ]

    assert [form for form in forms if secret in scrubbing.text(form)] == []
    assert secret not in str(scrubbing.value({"Cookie": secret, "a": [{"api_key": secret}]}))


@pytest.mark.parametrize(
    "piece", ["a", "a:", "token", "password=", "'", "\\", "://", "x ", "csrf", "secret_"]
)
def test_long_texts_take_time_in_step_with_their_length(piece):
    began_s = time.perf_counter()

    scrubbing.text(piece * (100_000 // len(piece)))

    assert time.perf_counter() - began_s < 10  # squared, it would be hours
