"""Handing in a list: dropped, chosen or pasted; looked at first, then taken over as a run."""

from typing import IO, Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.paginator import InfinitePaginator

from project.core.admin.pages import ReadOnly, caller_of
from project.core.errors import AppError
from proxies import importing
from proxies.admin.columns import at
from proxies.choices import ListFormat, Scheme
from proxies.models import ImportUpload
from proxies.parsing import ListOptions

LIST = "admin:proxies_importupload_changelist"
#: Entries that the preview shows one by one.
_SHOWN = 200


@admin.register(ImportUpload)
class ImportUploadAdmin(ReadOnly):
    """Lists on their way in; their text is nobody's to read."""

    list_display = ("id", "format", "default_protocol", at("created_at", "Handed in"))
    exclude = ("text",)
    paginator = InfinitePaginator
    change_list_template = "admin/proxies/importupload/change_list.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Say whether the person may hand in lists."""
        return bool(request.user.has_perm("proxies.add_proxy"))

    def get_urls(self) -> list[URLPattern]:
        look = self.admin_site.admin_view(require_POST(self.look))
        take = self.admin_site.admin_view(require_POST(self.take))
        return [
            path("preview/", look, name="proxies_importupload_preview"),
            path("take/", take, name="proxies_importupload_take"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {
            "title": "Import proxies",
            "formats": ListFormat.choices,
            "protocols": Scheme.choices,
            "most_file_bytes": settings.PROXY_LIST_MAX_BYTES,
            "most_text_bytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            "may_import": self.has_import_permission(request),
        }
        found: HttpResponse = super().changelist_view(request, {**more, **(extra_context or {})})
        return found

    def look(self, request: HttpRequest) -> HttpResponse:
        """Answer what an import would take and what not, and why; nothing is written."""
        try:
            file, options = self._handed_in(request)
            with file:
                tally = importing.preview(file, options)
        except AppError as error:
            return JsonResponse({"code": error.code, "detail": str(error)}, status=422)
        return JsonResponse(
            {
                "accepted": tally.accepted,
                "duplicates": tally.duplicates,
                "rejected": tally.rejected,
                "reasons": dict(tally.reasons.most_common()),
                "taken": [
                    {"proxy": each.shown, "country": each.country} for each in tally.examples
                ],
                "refused": [
                    {"line": each.line, "text": each.text, "reason": each.reason}
                    for each in tally.samples[:_SHOWN]
                ],
            }
        )

    def take(self, request: HttpRequest) -> HttpResponse:
        """Ask for the import, and lead to its run."""
        try:
            file, options = self._handed_in(request)
            with file:
                run = importing.submit(file, options, by=caller_of(request), now=timezone.now())
        except AppError as error:
            messages.error(request, f"{error.title}: {error}")
            return HttpResponseRedirect(reverse(LIST))
        return HttpResponseRedirect(reverse("admin:core_run_change", args=[run.pk]))

    def _handed_in(self, request: HttpRequest) -> tuple[IO[bytes], ListOptions]:
        if not self.has_import_permission(request):
            raise PermissionDenied
        upload = request.FILES.get("file")
        text = request.POST.get("text", "")
        known, scheme = request.POST.get("format", ""), request.POST.get("protocol", "")
        return importing.read(upload) if upload else importing.read_text(text), ListOptions(
            known if known in ListFormat.values else ListFormat.AUTO,
            scheme if scheme in Scheme.values else Scheme.HTTP,
        )
