"""Every deed done in the console is noted in the audit trail, with values or what it said.

Django's own log of the console (``LogEntry``) is not written beside it: one deed, one record.
"""

import json
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import ModelAdmin, helpers
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.html import strip_tags

from project.core import auditing, comparing
from project.core.auditing import Change, Deed
from project.core.callers import Caller
from project.core.choices import Act

#: Of more rows than this, a deletion is noted without their values.
_VALUES_OF: Final = 200
#: Views that change nothing of the installation's.
_NOT_NOTED: Final = {"logout", "login", "search", "jsi18n", "autocomplete"}
_REDIRECTS: Final = {301, 302, 303}


class Noting:
    """Mixed into each page of a model when it is registered."""

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
    ) -> Any:
        """Return Django's message, and remember which values changed."""
        request.changes_made = comparing.changes_of(form, formsets)  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note a new object, with its values."""
        _note(request, [obj], Deed(Act.ADDED, "Added.", _changes_made(request)))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note what changed of an object, or what was done to it."""
        if isinstance(message, str):
            deed = Deed(Act.DONE, message, _changes_made(request))
        else:
            deed = Deed(Act.CHANGED, _in_words(message), _changes_made(request))
        _note(request, [obj], deed)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note that objects are deleted, with what they held."""
        rows = list(queryset)
        for row in rows[:_VALUES_OF]:
            _note(request, [row], Deed(Act.DELETED, "Deleted.", comparing.values_of(row)))
        _note(request, rows[_VALUES_OF:], Deed(Act.DELETED, "Deleted."))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show an object's part of the audit trail."""
        label = self.opts.label_lower  # type: ignore[attr-defined]
        rows = auditing.about(label, object_id)[:_VALUES_OF]
        found = {"trail": rows, "trail_model": label, **(extra_context or {})}
        return super().history_view(request, object_id, found)  # type: ignore[misc]


def with_noting(page: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """Return a page that notes what is done on it."""
    if issubclass(page, Noting):
        return page
    metaclass: Any = type(page)
    about = {"__module__": page.__module__, "__doc__": page.__doc__}
    found: type[ModelAdmin[Any]] = metaclass(page.__name__, (Noting, page), about)
    return found


def noted(site: Any, view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view of the console that notes each deed which nothing else has noted."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with auditing.watched() as entries:
            found: HttpResponseBase = view(request, *args, **kwargs)
            if request.method == "POST" and not entries and _is_done(site, request, found):
                _note_post(site, request, kwargs)
        return found

    return update_wrapper(answer, view)


def _is_done(site: Any, request: HttpRequest, answer: HttpResponseBase) -> bool:
    """Say whether a POST did something: pages that ask back, or show errors, are no redirects."""
    match = request.resolver_match
    if match is None or match.url_name in _NOT_NOTED or not site.has_permission(request):
        return False
    return answer.status_code in _REDIRECTS or "HX-Redirect" in answer.headers


def _note_post(site: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
    name = (request.resolver_match.url_name if request.resolver_match else "") or ""
    page = _page_of(site, name)
    label = page.opts.label_lower if page else ""
    chosen = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    ids = chosen or [str(value) for key, value in kwargs.items() if key == "object_id"]
    deed = Deed(Act.DONE, _said(request, page, name))
    rows = _rows(page, ids)
    if rows:
        _note(request, rows, deed)
    else:
        auditing.note_deed(deed, model=label, by=_by(request), now=timezone.now())


def _page_of(site: Any, url_name: str) -> Any:
    """Return the page of the model that an address's name begins with."""
    fitting = [
        page
        for page in site._registry.values()  # noqa: SLF001 -- its own site
        if f"{url_name}_".startswith(f"{page.opts.app_label}_{page.opts.model_name}_")
    ]
    return max(fitting, key=lambda page: len(page.opts.model_name), default=None)


def _rows(page: Any, ids: Sequence[str]) -> list[Model]:
    if page is None or not ids:
        return []
    key = page.opts.pk
    try:
        wanted = [key.to_python(one) for one in ids[: auditing.MOST_OBJECTS]]
        for one in wanted:
            key.run_validators(one)  # a number that no column holds
        return list(page.model._base_manager.filter(pk__in=wanted))  # noqa: SLF001 -- as admin does
    except (ValueError, ValidationError):  # an address that names something else
        return []


def _said(request: HttpRequest, page: Any, url_name: str) -> str:
    """Return what was done and what came of it: the act's name, and the messages to the person."""
    act = request.POST.get("action", "")
    if act and page is not None and act in (known := page.get_actions(request)):
        what = str(known[act][2])
    else:
        start = f"{page.opts.app_label}_{page.opts.model_name}_" if page else ""
        what = (url_name.removeprefix(start) or "done").replace("_", " ").capitalize()
    queued = getattr(messages.get_messages(request), "_queued_messages", [])
    told = " ".join(strip_tags(str(each)) for each in queued)
    return f"{what}: {told}" if told else f"{what}."


def _in_words(message: Any) -> str:
    """Return what Django says that a form changed."""
    return str(LogEntry(change_message=json.dumps(message)).get_change_message())


def _by(request: HttpRequest) -> Caller:
    return Caller(user_id=request.user.pk, is_staff=True)


def _changes_made(request: HttpRequest) -> list[Change]:
    """Return, once, which values the form at hand changed."""
    found: list[Change] = request.__dict__.pop("changes_made", [])
    return found


def _note(request: HttpRequest, rows: Sequence[Model], deed: Deed) -> None:
    if rows:
        auditing.note_all(rows, deed, by=_by(request), now=timezone.now())
