"""Tags of the console's templates: saved filters, and what an audit entry changed."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from project.core import saving
from project.core.callers import Caller
from project.core.display import changes
from project.core.models import AuditEntry

register = template.Library()


@register.inclusion_tag("millrace/saved_filters.html", takes_context=True)
def saved_filters(context: dict[str, Any]) -> dict[str, Any]:
    """Show the saved filters of a list, and the form that keeps what it shows now."""
    request, opts = context["request"], context["cl"].opts
    by = Caller(user_id=request.user.pk, is_staff=True)
    query = saving.tidy(request.GET.urlencode())
    found = saving.of_list(opts.label_lower, by=by)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "filters": found,
        "query": query,
        "is_kept": any(each.query == query for each in found),
        "page": opts.label_lower,
        "here": f"{request.path}?{query}",
        "user_id": by.user_id,
    }


@register.filter
def headed(title: Any) -> str:
    """Return a title with its first word capitalised, but for names: ``mr_1f…``, ``binance:BTC/USDT``."""
    text = str(title)
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


@register.simple_tag
def changes_of(entry: AuditEntry) -> SafeString:
    """Show what an audit entry changed."""
    return changes(entry.changes)
