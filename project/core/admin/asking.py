"""Actions on many rows ask back first: what would change, how much of it, and with what."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

Action = Callable[..., Any]
#: Sent by the page that asks back.
AGREED = "_agreed"
_NOT_REPEATED = {"csrfmiddlewaretoken", AGREED}


def asking_back(
    *,
    title: str,
    text: str,
    yes: str,
    count: Callable[[QuerySet[Any]], int],
    form_class: type[forms.Form] | None = None,
) -> Callable[[Action], Action]:
    """Let an action on many rows ask back before it is done.

    Args:
        title: the question.
        text: what it does.
        yes: what the button says.
        count: how many of the chosen rows would change.
        form_class: what must be said besides; the action gets the valid form as ``form``.
    """

    def decorate(action: Action) -> Action:
        @wraps(action)
        def asked(admin: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            agreed = request.POST if AGREED in request.POST else None
            form = form_class(agreed) if form_class else None
            if agreed is not None and (form is None or form.is_valid()):
                given = {"form": form} if form else {}
                found: HttpResponse | None = action(admin, request, chosen, **given)
                return found
            context = {
                **admin.admin_site.each_context(request),
                "title": title,
                "text": text,
                "yes": yes,
                "form": form,
                "opts": admin.opts,
                "chosen": chosen.count(),
                "changing": count(chosen),
                "some": list(chosen[:10]),
                "repeated": _repeated(request, form),
            }
            return TemplateResponse(request, "admin/core/ask_back.html", context)

        return asked

    return decorate


def _repeated(request: HttpRequest, form: forms.Form | None) -> list[tuple[str, str]]:
    """Return what the first request said, to be said again with the answer."""
    own = _NOT_REPEATED | set(form.fields if form else ())
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        if name not in own or name == ACTION_CHECKBOX_NAME
        for value in values
    ]
