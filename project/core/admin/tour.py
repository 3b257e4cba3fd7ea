"""The guided page: what there is to see, with links, ticked off when it was seen."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from project.core import touring
from project.core.touring import Step


@dataclass(frozen=True, slots=True)
class Stop:
    """A step as the page shows it."""

    number: int
    step: Step
    found: str
    is_seen: bool


def page(request: HttpRequest) -> HttpResponse:
    """Show all steps under their headings."""
    seen = touring.seen(request)
    stops = [
        Stop(number, step, step.found(), step.name in seen)
        for number, step in enumerate(touring.steps(), 1)
    ]
    context = {
        **admin.site.each_context(request),
        "title": "A look around",
        "stops": stops,
        "seen": len(seen),
        "next": next((stop for stop in stops if not stop.is_seen), None),
    }
    return TemplateResponse(request, "admin/core/tour.html", context)


def step(request: HttpRequest, name: str) -> HttpResponse:
    """Tick a step off and lead to its page."""
    found = touring.find(name)
    if found is None:
        raise Http404("no such step")
    touring.tick(request, found)
    return HttpResponseRedirect(found.url())
