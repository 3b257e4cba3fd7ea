"""Pages of collectors besides their rows: files taken after a preview, and what the next cycle does."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from markets import planning, previewing
from markets.collectorfiles import BadCollectorFileError
from markets.models import CollectorConfig
from project.core.errors import AppError

#: An uploaded file may be as long.
MOST_BYTES: Final = 200_000


class ManyFiles(forms.ClearableFileInput):
    """A field of several files."""

    allow_multiple_selected = True


class FilesForm(forms.Form):
    """Collector files, uploaded or pasted."""

    uploads = forms.FileField(
        required=False,
        label="Files",
        widget=ManyFiles(attrs={"accept": ".yml,.yaml", "class": "mr-files"}),
    )
    text = forms.CharField(
        required=False,
        label="or one file's text",
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14, "spellcheck": "false"}),
    )


def import_page(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show what files would change; take them once staff have seen it.

    The preview carries the texts themselves: what is taken is what was shown.
    """
    if not model_admin.has_add_permission(request) or not model_admin.has_change_permission(
        request
    ):
        raise PermissionDenied
    files: list[tuple[str, str]] = []
    found: list[previewing.Preview] = []
    problem = ""
    if request.method == "POST":
        try:
            files = _files_of(request)
            found = previewing.preview(files)
            if "take" in request.POST and all(one.state != "bad" for one in found):
                return _take(request, files)
        except BadCollectorFileError as error:
            problem = str(error)
    counts = [(state, sum(one.state == state for one in found)) for state in STATES]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Import collector files",
        "opts": CollectorConfig._meta,  # noqa: SLF001 -- Django's documented name
        "form": FilesForm(initial={"text": request.POST.get("text", "")}),
        "files": files,
        "previews": [(one, STATES[one.state]) for one in found],
        "counts": [(state, count) for state, count in counts if count],
        "may_take": bool(found) and all(one.state != "bad" for one in found),
        "changes": sum(one.state in {"new", "changed"} for one in found),
        "problem": problem,
    }
    return TemplateResponse(request, "admin/markets/collectorconfig/import.html", context)


#: What may become of a file, each with the state whose colour it has.
STATES: Final = {"bad": "bad", "new": "good", "changed": "warning", "unchanged": "neutral"}


def _files_of(request: HttpRequest) -> list[tuple[str, str]]:
    """Return names and texts: those of the preview, else what was uploaded or pasted."""
    shown = list(zip(request.POST.getlist("name"), request.POST.getlist("content"), strict=False))
    if shown:
        return [(str(name), str(text).replace("\r\n", "\n")) for name, text in shown]
    found = [_read(upload) for upload in request.FILES.getlist("uploads")]
    text = request.POST.get("text", "").replace("\r\n", "\n")
    if text.strip():
        found.append(("pasted.yml", text))
    return found


def _read(upload: UploadedFile[Any]) -> tuple[str, str]:
    name = str(upload.name)
    if (upload.size or 0) > MOST_BYTES:
        raise BadCollectorFileError(f"{name}: expected at most {MOST_BYTES:,} bytes")
    try:
        return name, upload.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCollectorFileError(f"{name}: expected text in UTF-8") from error


def _take(request: HttpRequest, files: list[tuple[str, str]]) -> HttpResponse:
    done = previewing.take(files)
    made, changed = sum(one.created for one in done), sum(one.changed for one in done)
    text = (
        f"Made {made} collector(s), changed {changed - made}, {len(done) - changed} as they were."
    )
    messages.success(request, text)
    return HttpResponseRedirect(reverse("admin:markets_collectorconfig_changelist"))


def plan_page(model_admin: ModelAdmin, request: HttpRequest, collector_id: int) -> HttpResponse:
    """Show what the next cycle of a collector would do; nothing is asked for it."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    rows = CollectorConfig.objects.select_related("exchange")
    collector = rows.filter(pk=collector_id).first()
    if collector is None:
        raise Http404
    told: dict[str, Any] = {"cycle": None, "problem": ""}
    try:
        cycle = planning.next_cycle(collector, now=timezone.now())
        told = {"cycle": cycle, "totals": planning.totals(cycle), "problem": ""}
    except AppError as error:
        told["problem"] = f"{error.title}: {error}"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Next cycle of {collector}",
        "opts": CollectorConfig._meta,  # noqa: SLF001 -- Django's documented name
        "collector": collector,
        **told,
    }
    return TemplateResponse(request, "admin/markets/collectorconfig/plan.html", context)
