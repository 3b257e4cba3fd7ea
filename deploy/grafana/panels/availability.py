"""Whether it serves: processes, dependencies, answers, latency."""

from panels.panel import Dashboard, Panel, number, quantile

_LATENCY = "django_http_requests_latency_including_middlewares_seconds"
_ANSWERS = "django_http_responses_total_by_status_total"

AVAILABILITY = Dashboard(
    "availability",
    "Availability",
    [
        number("Web processes", 'sum(up{job="millrace-web"})'),
        number("Workers", 'sum(up{job="millrace-worker"})'),
        number("Beats", 'sum(up{job="millrace-beat"})'),
        number("Red issues", 'max(issues_open{severity="red"})', red=1),
        number("Amber issues", 'max(issues_open{severity="amber"})', amber=1),
        number("Last backup", "min(backup_age_seconds)", unit="s", amber=90_000, red=93_600),
        Panel(
            "Dependencies",
            {"{{dependency}}": "min by (dependency) (dependency_up)"},
            says="1 while it works, as the worst of the web processes sees it",
        ),
        Panel(
            "Database answers",
            {"{{instance}}": "min by (instance) (database_up)"},
            says="1 while each web process reaches it",
        ),
        Panel(
            "Signs of life",
            {"{{role}}": "min by (role) (process_heartbeat_age_seconds)"},
            says="age of the latest heartbeat; silent after 15 s",
            unit="s",
            amber=15,
            red=60,
        ),
        Panel(
            "Share of answers that are no server error",
            {
                "share": f'1 - (sum(rate({_ANSWERS}{{status=~"5.."}}[5m])) or vector(0)) / sum(rate({_ANSWERS}[5m]))'
            },
            unit="percentunit",
        ),
        Panel("Answers a second", {"{{status}}": f"sum by (status) (rate({_ANSWERS}[5m]))"}),
        Panel(
            "Latency",
            {
                "p50": quantile(0.5, _LATENCY),
                "p95": quantile(0.95, _LATENCY),
                "p99": quantile(0.99, _LATENCY),
            },
            unit="s",
        ),
        Panel(
            "Slowest views, p95",
            {
                "{{view}}": "topk(8, "
                + quantile(0.95, "django_http_requests_latency_seconds_by_view_method", "view")
                + ")"
            },
            unit="s",
        ),
    ],
)
