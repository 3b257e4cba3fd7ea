from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import signing

SECRETS = ["new", "old"]


def test_signed_message_is_taken_while_it_is_young(now):
    header = signing.sign(b"{}", secret="old", at=now)

    signing.check(b"{}", header, secrets=SECRETS, now=now + signing.WITHIN)
    signing.check(b"{}", header, secrets=SECRETS, now=now - signing.WITHIN)
    assert header.startswith("t=1767614400,v1=")


@pytest.mark.parametrize(
    "off", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=9)]
)
def test_old_message_is_refused(now, off):
    header = signing.sign(b"{}", secret="old", at=now)

    with pytest.raises(signing.StaleSignatureError):
        signing.check(b"{}", header, secrets=SECRETS, now=now + off)


def test_changed_message_or_moment_or_secret_is_refused(now):
    header = signing.sign(b"{}", secret="old", at=now)
    later = header.replace("t=1767614400", "t=1767614401")

    for body, given_header, secrets in (
        (b"{ }", header, SECRETS),
        (b"{}", later, SECRETS),
        (b"{}", header, ["other"]),
        (b"{}", header, []),
    ):
        with pytest.raises(signing.BadSignatureError):
            signing.check(body, given_header, secrets=secrets, now=now)


@given(header=st.text(max_size=80))
def test_nonsense_is_refused_and_nothing_else(header):
    from datetime import UTC, datetime

    with pytest.raises(signing.BadSignatureError):
        signing.check(b"{}", header, secrets=SECRETS, now=datetime(2026, 1, 5, tzinfo=UTC))
