"""What tests of the pool's staff pages share: addresses, and an act on chosen rows."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse

#: What a source is made of.
FORM = {
    "name": "mine",
    "kind": "url",
    "url": "https://lists.example.com/all.txt",
    "text": "",
    "format": "auto",
    "default_protocol": "http",
    "headers": "",
    "interval_s": "600",
    "is_enabled": "on",
}


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:proxies_{name}", args=args)


def act(client: Client, model: str, action: str, rows: Sequence[Model], **more: Any) -> Any:
    """Do an act on rows, its question answered with yes; follow to the list."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "_agreed": "yes"}
    return client.post(page(f"{model}_changelist"), {**chosen, **more}, follow=True)
