"""Saved filters: what a person set a list to show, kept under a name, for them or for everybody."""

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict

from project.core.callers import Caller
from project.core.errors import ConflictError, InvalidInputError
from project.core.models import SavedFilter

#: What an address says besides what is shown: pages, and what Django adds by itself.
_NOT_KEPT = ("p", "all", "e", "_popup", "_to_field", "_changelist_filters", "csrfmiddlewaretoken")


class NothingToKeepError(InvalidInputError):
    """The list shows everything: there is no filter to keep."""

    title = "Nothing to keep"


class NameTakenError(ConflictError):
    """The person has another filter of this name on the same list."""

    code = "name_taken"
    title = "This name is taken"


def tidy(query: str) -> str:
    """Return a list's query without its page number and what says nothing: equal views, equal text."""
    given = QueryDict(query.removeprefix("?"), mutable=True)
    for name in [*given]:
        kept = sorted(value for value in given.getlist(name) if value)
        if name in _NOT_KEPT or not kept:
            del given[name]
        else:
            given.setlist(name, kept)
    names = sorted(given)
    sorted_query = QueryDict(mutable=True)
    for name in names:
        sorted_query.setlist(name, given.getlist(name))
    return sorted_query.urlencode()


def keep(page: str, query: str, *, name: str, is_shared: bool, by: Caller) -> SavedFilter:
    """Keep what a list shows under a name.

    Args:
        page: ``app.model`` of the list.
        query: of the list's address.
        name: what it is called; one of each person's on each list.
        is_shared: whether everybody sees it.
        by: whose it is.

    Raises:
        NothingToKeepError: the query filters nothing, or there is no name.
        NameTakenError: the person has one of this name.
    """
    said, called = tidy(query), name.strip()[:60]
    if not said or not called or by.user_id is None:
        raise NothingToKeepError("choose a filter first, and a name for it")
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(
                owner_id=by.user_id, page=page, query=said, name=called, is_shared=is_shared
            )
    except IntegrityError as error:
        raise NameTakenError(f"you have a filter called {called} here") from error


def of_list(page: str, *, by: Caller) -> list[SavedFilter]:
    """Return what a person may open on a list: their own, and what others share, by name."""
    theirs = Q(owner_id=by.user_id) | Q(is_shared=True)
    return list(SavedFilter.objects.filter(theirs, page=page).order_by("name", "pk"))
