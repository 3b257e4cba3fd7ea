"""The staff page that takes candle files of other tools: looked through first, then stored by a run."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

from markets import importing, timeframes
from markets.adapters.files import opening
from markets.models import Market, Series
from project.core.admin import pages
from project.core.errors import AppError

TEMPLATE = "admin/markets/market/import.html"
#: A CHECKSUM file is one line.
_SUM_BYTES = 1_000


class FileForm(forms.Form):
    """A candle file, and what it is put into."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="freqtrade's feather or json(.gz), CSV, Parquet, Arrow, or Binance's zip",
    )
    checksum = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="Binance's .CHECKSUM file beside it, if you have it",
    )
    market = forms.CharField(
        max_length=120,
        widget=TextInput(attrs={"placeholder": "binance:BTC/USDT", "list": "known-markets"}),
        help_text="exchange:BASE/QUOTE; made where it is new",
    )
    timeframe = forms.ChoiceField(
        required=False,
        choices=[("", "as the file's name tells"), *((name, name) for name in timeframes.KNOWN)],
        widget=UnfoldAdminSelectWidget,
    )


class WordForm(forms.Form):
    """A file that was looked through, to be stored now."""

    word = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=200, widget=forms.HiddenInput)
    series = forms.ModelChoiceField(Series.objects.all(), widget=forms.HiddenInput)
    checksum = forms.CharField(required=False, max_length=_SUM_BYTES, widget=forms.HiddenInput)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Answer the page: the form, a file looked through, or the run that stores it.

    Args:
        request: the caller may change markets.
        context: what every staff page shows.
    """
    if request.method != "POST":
        return _shown(request, context, FileForm(initial=request.GET.dict()))
    if "word" in request.POST:
        return _store(request, context)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _shown(request, context, form)
    told = form.cleaned_data
    try:
        return _shown(request, context, form, _looked_through(told))
    except AppError as error:
        form.add_error(None, f"{error.title}: {error}")
        return _shown(request, context, form)


def _looked_through(told: dict[str, Any]) -> dict[str, Any]:
    file: UploadedFile[Any] = told["file"]
    name = file.name or "file"
    timeframe = told["timeframe"] or opening.named(name).timeframe
    series = importing.series_for(told["market"], timeframe)
    checksum = ""
    if told["checksum"]:
        checksum = told["checksum"].read(_SUM_BYTES).decode("utf-8", "replace")
    word = importing.keep(file.chunks())
    try:
        path = importing.kept(word)
        found = importing.survey(path, series, now=timezone.now(), name=name, told=checksum)
    except AppError:
        importing.drop(word)
        raise
    first = {"word": word, "name": name, "series": series, "checksum": checksum}
    return {
        "survey": found.told(),
        "series": series,
        "left_out": sum(found.left_out.values()),
        "missing": found.missing(timeframes.of(timeframe)),
        "is_another_market": found.is_another_market,
        "store_form": WordForm(initial=first),
    }


def _store(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    form = WordForm(request.POST)
    if not form.is_valid():
        return _shown(request, context, FileForm())
    told, by = form.cleaned_data, pages.caller_of(request)
    facts = {"name": told["name"], "series": told["series"], "told": told["checksum"]}
    try:
        run = importing.ask(told["word"].hex, by=by, now=timezone.now(), **facts)
    except AppError as error:
        messages.error(request, f"{error.title}: {error}")
        return HttpResponseRedirect(request.path)
    messages.success(request, f"{told['name']} is being stored in {told['series']}.")
    return HttpResponseRedirect(reverse("admin:core_run_change", args=[run.pk]))


def _shown(
    request: HttpRequest,
    context: dict[str, Any],
    form: FileForm,
    found: dict[str, Any] | None = None,
) -> HttpResponse:
    known = Market.objects.filter(enabled=True).select_related("exchange")[:500]
    shown = {**context, "title": "Import candles", "form": form, "known": known, **(found or {})}
    status = 422 if form.errors else 200
    return TemplateResponse(request, TEMPLATE, shown, status=status)
