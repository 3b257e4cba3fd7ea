"""What staff change over the API is in the audit trail, as it is when they do it in the console.

A method that changes something says so, ``@noted("Ran the collector", about=Collector)``: whoever asks
as staff is noted, unless the verb noted it itself, or what they changed is their own. What is nobody's
work but the caller's (a lease, a job of one's own) says nothing.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from project.core import auditing, comparing
from project.core.api.callers import caller_of
from project.core.auditing import Change, Deed
from project.core.choices import Act

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.db.models import Model
    from rest_framework.request import Request
    from rest_framework.response import Response

    from project.core.callers import Caller

    Method = Callable[..., Any]

_REFUSED: Final = 400
#: Parts of an answer that name what was made, and how the trail calls them.
_MADE: Final = (("task_id", "task"), ("run_id", "run"), ("job_id", "job"))


def noted(
    said: str,
    *,
    about: type[Model] | None = None,
    field: str = "pk",
    owner: str = "",
    told: Sequence[str] = (),
    when: Callable[[Request], bool] = lambda _: True,
) -> Callable[[Method], Method]:
    """Let a view's method note what staff do by it.

    Args:
        said: what was done, as the beginning of a sentence.
        about: the model of the object that the address names first; None: no object in particular.
        field: the field that the address names it by.
        owner: the column that names whose it is: what is the caller's own is not staff's work.
        told: which fields of the body the trail tells; never bodies whole, which may hold anything.
        when: which requests change something, or show what is secret.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
            by = caller_of(request)
            if not by.is_staff or not when(request):
                return method(view, request, *args, **kwargs)
            row = _named(about, field, kwargs)
            if owner and row is not None and getattr(row, owner) == by.user_id:
                return method(view, request, *args, **kwargs)
            with auditing.watched() as entries:
                found = method(view, request, *args, **kwargs)
            if not entries and found.status_code < _REFUSED:
                deed = Deed(Act.DONE, _sentence(said, row, found), _changes(request, told))
                _keep(deed, row, about, by)
            return found

        answer.is_noted = True  # type: ignore[attr-defined]
        return answer

    return decorate


def _named(about: type[Model] | None, field: str, kwargs: Mapping[str, Any]) -> Model | None:
    """Return the object that an address names, as it is before; None where there is none."""
    if about is None or not kwargs:
        return None
    value = next(iter(kwargs.values()))
    return about._base_manager.filter(**{field: value}).first()  # noqa: SLF001 -- Django's documented name


def _sentence(said: str, row: Model | None, answer: Response) -> str:
    body = getattr(answer, "data", None)
    known = {} if not isinstance(body, dict) else body
    for part, name in _MADE:
        if (made := known.get(part)) is not None and (row is None or str(made) != str(row.pk)):
            return f"{said}, as {name} {made}."
    return f"{said}."


def _changes(request: Request, told: Sequence[str]) -> list[Change]:
    body = request.data if told else {}
    if not isinstance(body, dict):
        return []
    return [
        Change(name.replace("_", " ").capitalize(), "", comparing.words(body[name]))
        for name in told
        if body.get(name) not in (None, "", [])
    ]


def _keep(deed: Deed, row: Model | None, about: type[Model] | None, by: Caller) -> None:
    now = timezone.now()
    if row is not None:
        auditing.note(row, deed, by=by, now=now)
    else:
        label = about._meta.label_lower if about else ""  # noqa: SLF001 -- as above
        auditing.note_deed(deed, model=label, by=by, now=now)
