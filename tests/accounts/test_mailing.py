import smtplib

import pytest
from django.core import mail

from accounts import mailing
from tests.factories import make_user


@pytest.mark.parametrize(
    ("public_url", "base"),
    [("https://m.example", "https://m.example"), ("", "http://127.0.0.1:8000")],
)
def test_links_lead_to_the_installation_whatever_a_request_says(public_url, base, settings):
    settings.PUBLIC_URL, settings.HOST, settings.PORT = public_url, "127.0.0.1", 8000

    assert mailing.base_url() == base


@pytest.mark.django_db
def test_token_names_the_user_and_changes_with_the_password():
    user = make_user(password="x")
    before = mailing.token_of(user)

    user.set_password("y")

    assert mailing.token_of(user) != before
    assert mailing.token_of(user).partition(".")[0] == before.partition(".")[0]


def test_mail_that_cannot_go_is_logged(monkeypatch, caplog):
    def refuse(self):
        raise smtplib.SMTPServerDisconnected("gone")

    message = mail.EmailMessage("s", "secret link", to=["a@example.com"])
    monkeypatch.setattr(mail.EmailMessage, "send", refuse)

    mailing._deliver(message)

    assert "mail not sent" in caplog.text
    assert "secret link" not in caplog.text
