"""What is written to users, and how: in a thread, so that no answer tells whether a mail went."""

import logging
import threading
from typing import Final

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User

logger = logging.getLogger(__name__)
_RESET: Final = """Somebody asked for a new password for this address at Millrace.

Set it here, within three days:
{link}

If it was not you, do nothing: the old password still holds.
"""
_AGAIN: Final = """Somebody tried to make an account at Millrace with this address.

You have one already. If you don't know the password any more, set a new one here:
{link}

If it was not you, do nothing.
"""


def base_url() -> str:
    """Return where people find the installation; never what a request's headers say."""
    return settings.PUBLIC_URL or f"http://{settings.HOST}:{settings.PORT}"


def token_of(user: User) -> str:
    """Return what lets ``user`` set a new password once: the user and Django's token."""
    name = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{name}.{default_token_generator.make_token(user)}"


def password_reset(user: User) -> None:
    """Write how to set a new password."""
    link = f"{base_url()}/password/reset/{token_of(user)}"
    _send(user.email, "A new password for Millrace", _RESET.format(link=link))


def registered_again(user: User) -> None:
    """Write to the owner of an address that somebody registered again."""
    link = f"{base_url()}/password/reset"
    _send(user.email, "You have an account at Millrace", _AGAIN.format(link=link))


def _send(to: str, subject: str, text: str) -> None:
    message = EmailMessage(subject, text, to=[to])
    threading.Thread(target=_deliver, args=(message,), name="mail", daemon=True).start()


def _deliver(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:  # smtplib's errors are such, too
        logger.warning("mail not sent", extra={"why": repr(error)[:200]})
