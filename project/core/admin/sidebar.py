"""The side bar: pages by app, those a person may open, each with its icon."""

from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from project.core import touring

#: Groups in order; in each the models named, then whatever else its apps register: what staff
#: seldom need is in the engine room.
GROUPS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        "Operations",
        (
            "core.run",
            "django_celery_beat.periodictask",
            "core.processheartbeat",
            "core.halt",
            "core.auditentry",
            "core.savedfilter",
        ),
        (),
    ),
    (
        "Markets",
        (
            "markets.market",
            "markets.collectorconfig",
            "markets.gap",
            "markets.backfilltask",
            "markets.qualitysummary",
            "markets.finding",
            "markets.alert",
            "markets.apierrorlog",
            "markets.series",
        ),
        (),
    ),
    (
        "Proxies",
        (
            "proxies.poolsnapshot",
            "proxies.proxy",
            "proxies.lease",
            "proxies.proxysource",
            "proxies.importupload",
            "proxies.poolpolicy",
            "proxies.checktarget",
            "proxies.delivery",
        ),
        (),
    ),
    (
        "Analysis",
        ("analysis.job", "analysis.analysis", "analysis.strategy", "analysis.failure"),
        ("analysis",),
    ),
    ("Storage", ("storage.backup", "storage.poolsample"), ("storage",)),
    ("Accounts", ("accounts.user", "accounts.apikey", "auth.group"), ("accounts", "auth")),
    (
        "Engine room",
        ("core.tasktotals", "core.leadership"),
        ("core", "django_celery_beat", "markets", "proxies"),
    ),
)
#: Closed until one of its pages is open.
FOLDED: Final = "Engine room"
ICONS: Final = {
    "accounts.apikey": "key",
    "accounts.billingevent": "receipt_long",
    "accounts.device": "devices",
    "accounts.flag": "emoji_flags",
    "accounts.keptanswer": "inventory_2",
    "accounts.plan": "sell",
    "accounts.ratelimitrule": "speed",
    "accounts.ratelimitswitch": "toggle_on",
    "accounts.secondfactor": "phonelink_lock",
    "accounts.signinfailures": "gpp_bad",
    "accounts.subscription": "card_membership",
    "accounts.user": "person",
    "accounts.webhook": "webhook",
    "accounts.webhookdelivery": "outbox",
    "analysis.analysis": "map",
    "analysis.batch": "stacks",
    "analysis.checkpoint": "save",
    "analysis.correction": "edit_location_alt",
    "analysis.failure": "wrong_location",
    "analysis.geocoderhost": "dns",
    "analysis.job": "smart_display",
    "analysis.lookup": "travel_explore",
    "analysis.place": "location_on",
    "analysis.strategy": "tune",
    "analysis.video": "movie",
    "auth.group": "group",
    "core.auditentry": "policy",
    "core.figuresample": "show_chart",
    "core.halt": "toggle_off",
    "core.leadership": "flag",
    "core.processheartbeat": "ecg_heart",
    "core.run": "play_circle",
    "core.savedfilter": "bookmark",
    "core.tasktotals": "functions",
    "django_celery_beat.clockedschedule": "alarm",
    "django_celery_beat.crontabschedule": "calendar_month",
    "django_celery_beat.intervalschedule": "timer",
    "django_celery_beat.periodictask": "event_repeat",
    "django_celery_beat.solarschedule": "wb_twilight",
    "markets.alert": "notifications_active",
    "markets.apierrorlog": "error",
    "markets.auditdifference": "compare_arrows",
    "markets.backfilltask": "healing",
    "markets.candlerevision": "edit_note",
    "markets.collectorconfig": "download",
    "markets.exchange": "account_balance",
    "markets.finding": "troubleshoot",
    "markets.gap": "broken_image",
    "markets.market": "candlestick_chart",
    "markets.qualitysummary": "verified",
    "markets.ratebudget": "speed",
    "markets.series": "stacked_line_chart",
    "proxies.check": "network_check",
    "proxies.checktarget": "target",
    "proxies.delivery": "outbox",
    "proxies.importupload": "upload_file",
    "proxies.lease": "handshake",
    "proxies.leaseslot": "confirmation_number",
    "proxies.mending": "build",
    "proxies.poolpolicy": "policy",
    "proxies.poolsnapshot": "monitoring",
    "proxies.proxy": "hub",
    "proxies.proxysource": "rss_feed",
    "proxies.receivedsnapshot": "move_to_inbox",
    "proxies.sourceentry": "list_alt",
    "proxies.sourcefetch": "history",
    "proxies.stickysession": "link",
    "proxies.targetstate": "my_location",
    "storage.backup": "backup",
    "storage.poolsample": "database",
}
TITLES: Final = {
    "core.processheartbeat": "Processes",
    "proxies.delivery": "ETL deliveries",
    "proxies.importupload": "Import",
    "core.auditentry": "Audit trail",
    "proxies.poolsnapshot": "Pool overview",
    "django_celery_beat.periodictask": "Periodic jobs",
}
OTHER: Final = "table_rows"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return unfold's groups of links; a model is shown once, to those who may see it."""
    pages = _pages(request)
    found = [_group(title, first, apps, pages, request) for title, first, apps in GROUPS]
    found[0]["items"][:0] = _first(request)
    rest = [_page_link(label, page, request) for label, page in pages.items()]
    found.append({"title": "More", "items": rest})
    found.append({"title": "Reference", "items": _reference()})
    return [group for group in found if group["items"]]


def _first(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the links to pages of no model: in the demo, a look around."""
    links = [_link("Dashboard", "dashboard", reverse("admin:index"), request)]
    if touring.is_offered():
        links.append(_link("A look around", "explore", reverse("admin:tour"), request))
    return links


def environment(request: HttpRequest) -> list[str]:
    """Return the badge in the head of each page: which installation this is."""
    if settings.ENVIRONMENT == "production":
        return ["Production", "danger"]
    if touring.is_offered():
        return ["Demo", "warning"]
    return ["Embedded", "info"]


def _pages(request: HttpRequest) -> dict[str, dict[str, Any]]:
    return {
        model["model"]._meta.label_lower: model  # noqa: SLF001 -- Django's documented name
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }


def _group(
    title: str,
    first: tuple[str, ...],
    apps: tuple[str, ...],
    pages: dict[str, dict[str, Any]],
    request: HttpRequest,
) -> dict[str, Any]:
    """Take a group's pages out of ``pages``."""
    others = [label for label in pages if label.partition(".")[0] in apps and label not in first]
    later = {label for _, names, _ in GROUPS for label in names if names != first}
    labels = [*first, *[label for label in others if label not in later]]
    links = [_page_link(label, pages.pop(label), request) for label in labels if label in pages]
    return {"title": title, "items": links, "collapsible": title == FOLDED}


def _page_link(label: str, page: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    title = TITLES.get(label, str(page["name"]))
    return _link(title, ICONS.get(label, OTHER), str(page["admin_url"]), request)


def _link(title: str, icon: str, url: str, request: HttpRequest) -> dict[str, Any]:
    here = request.path
    active = here == url if url == reverse("admin:index") else here.startswith(url)
    return {"title": title, "icon": icon, "link": url, "active": lambda _: active}


def _reference() -> list[dict[str, Any]]:
    places = (
        ("API", "api", reverse("docs")),
        ("Health", "monitor_heart", "/health/ready"),
        ("Metrics", "monitoring", reverse("metrics")),
    )
    return [
        {"title": title, "icon": icon, "link": url, "active": lambda _: False}
        for title, icon, url in places
    ]
