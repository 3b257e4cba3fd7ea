"""What the dashboards show: for each panel its question, its queries and where it turns red.

What processes count is summed; what each web process reads from the database is the same in all
of them, so its ``max`` is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Panel:
    """One question, answered by queries (legend: PromQL)."""

    title: str
    queries: Mapping[str, str]
    says: str = ""
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    #: The value from which on it is amber, and red; ``None``: never.
    amber: float | None = None
    red: float | None = None
    #: Where the axis begins; ``None``: wherever the values do, e.g. of changes.
    least: float | None = 0

    def steps(self) -> list[dict[str, object]]:
        """Return Grafana's thresholds."""
        found: list[dict[str, object]] = [{"color": "green", "value": None}]
        if self.amber is not None:
            found.append({"color": "orange", "value": self.amber})
        if self.red is not None:
            found.append({"color": "red", "value": self.red})
        return found


@dataclass(frozen=True)
class Dashboard:
    """A page of panels."""

    name: str
    title: str
    panels: list[Panel] = field(default_factory=list)


def number(title: str, query: str, **more: object) -> Panel:
    """Return a panel with one big number."""
    return Panel(title, {"": query}, kind="stat", width=4, height=4, **more)  # type: ignore[arg-type]


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return the query of a quantile of a histogram over five minutes."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[5m])))"


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
                "share": f'1 - sum(rate({_ANSWERS}{{status=~"5.."}}[5m])) / sum(rate({_ANSWERS}[5m]))'
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

PROXIES = Dashboard(
    "proxies",
    "Proxies",
    [
        number("Hot", 'max(proxy_pool_size{pool="hot"})'),
        number("Warm", 'max(proxy_pool_size{pool="warm"})'),
        number("Cold", 'max(proxy_pool_size{pool="cold"})'),
        number("Leases held", "sum(max by (pool) (proxy_leases_active))"),
        number("Oldest lease", "max(proxy_lease_oldest_seconds)", unit="s"),
        number(
            "Last round: work",
            "max(proxy_validation_round_success_ratio)",
            unit="percentunit",
        ),
        Panel("Pools", {"{{pool}}": "max by (pool) (proxy_pool_size)"}),
        Panel(
            "Source fetches by outcome",
            {
                "{{source}} {{outcome}}": "sum by (source, outcome) "
                "(increase(proxy_fetch_source_total[1h]))"
            },
        ),
        Panel(
            "Source success share",
            {
                "{{source}}": 'sum by (source) (rate(proxy_fetch_source_total{outcome="success"}[6h]))'
                " / sum by (source) (rate(proxy_fetch_source_total[6h]))"
            },
            unit="percentunit",
        ),
        Panel(
            "Source duration, p95",
            {"{{source}}": quantile(0.95, "proxy_fetch_duration_seconds", "source")},
            unit="s",
        ),
        Panel(
            "Source errors by kind",
            {
                "{{source}} {{error_type}}": "sum by (source, error_type) "
                "(increase(proxy_fetch_failures_total[1h]))"
            },
        ),
        Panel(
            "Checks by verdict",
            {"{{outcome}}": "sum by (outcome) (rate(proxy_validation_total[5m]))"},
        ),
        Panel(
            "Check latency",
            {
                "p50": quantile(0.5, "proxy_validation_latency_seconds"),
                "p95": quantile(0.95, "proxy_validation_latency_seconds"),
            },
            unit="s",
        ),
        Panel(
            "Change of round success, same proxies",
            {"change": "max(proxy_validation_round_success_ratio_delta)"},
            unit="percentunit",
            least=None,
        ),
        Panel(
            "Last round: share of good checks by latency",
            {"up to {{le}} s": "max by (le) (proxy_validation_round_latency_share)"},
            unit="percentunit",
        ),
        Panel(
            "Last round: change of that share, same proxies",
            {"up to {{le}} s": "max by (le) (proxy_validation_round_latency_share_delta)"},
            unit="percentunit",
            least=None,
        ),
        Panel(
            "Targets: share of visits that reach them",
            {
                "{{target}}": 'sum by (target) (rate(proxy_target_checks_total{outcome="ok"}[1h]))'
                " / sum by (target) (rate(proxy_target_checks_total[1h]))"
            },
            says="through proxies that passed their check",
            unit="percentunit",
        ),
        Panel(
            "Targets: visits by outcome",
            {
                "{{target}} {{outcome}}": "sum by (target, outcome) "
                "(increase(proxy_target_checks_total[1h]))"
            },
        ),
        Panel(
            "Targets: latency, p95",
            {"{{target}}": quantile(0.95, "proxy_target_latency_seconds", "target")},
            unit="s",
        ),
        Panel(
            "Lease requests",
            {"{{result}}": "sum by (result) (rate(proxy_lease_requests_total[5m]))"},
        ),
        Panel(
            "Lease requests over REST, p95",
            {"{{deed}}": quantile(0.95, "proxy_lease_request_seconds", "deed")},
            says="of those whom the desk serves before Django",
            unit="s",
        ),
        Panel(
            "Lease requests over REST, by status",
            {
                "{{deed}} {{status}}": "sum by (deed, status) "
                "(rate(proxy_lease_request_seconds_count[5m]))"
            },
        ),
        Panel("Leases granted", {"{{pool}}": "sum by (pool) (rate(proxy_leased_total[5m]))"}),
        Panel(
            "Leases: how they end",
            {
                "expired": "sum(rate(proxy_lease_expired_total[5m]))",
                "returned early": "sum(rate(proxy_lease_returned_early_total[5m]))",
                "asked for again": "sum(rate(proxy_lease_reuse_attempts_total[5m]))",
            },
        ),
        Panel(
            "Leases mended",
            {"{{done}}": "sum by (done) (increase(proxy_lease_mended_total[1h]))"},
            says="slots and records that disagreed: 0 unless somebody wrote to the tables by hand",
            amber=1,
        ),
        Panel("Lease hold, p95", {"p95": quantile(0.95, "proxy_lease_hold_seconds")}, unit="s"),
        Panel("Snapshots sent", {"{{outcome}}": "sum by (outcome) (increase(etl_sync_total[1h]))"}),
    ],
)

MARKETS = Dashboard(
    "markets",
    "Markets",
    [
        number("Gaps", "sum(max by (state, reason) (markets_gaps))"),
        number("Oldest gap", "max(markets_gap_oldest_seconds)", unit="s", amber=3600, red=21_600),
        number("Series failing", "max(markets_series_failing)", amber=1, red=10),
        number("Backfills waiting", 'max(markets_backfill_tasks{status="pending"})'),
        number("Candles a second", "sum(rate(markets_candles_total[5m]))"),
        number("Requests a second", "sum(rate(markets_requests_total[5m]))"),
        Panel(
            "Requests by outcome",
            {
                "{{exchange}} {{outcome}}": "sum by (exchange, outcome) (rate(markets_requests_total[5m]))"
            },
        ),
        Panel(
            "Exchange latency, p95",
            {"{{exchange}}": quantile(0.95, "markets_request_seconds", "exchange")},
            unit="s",
        ),
        Panel(
            "Candles stored",
            {
                "{{exchange}} {{result}}": "sum by (exchange, result) (rate(markets_candles_total[5m]))"
            },
        ),
        Panel(
            "Findings of quality",
            {
                "{{exchange}} {{kind}}": "sum by (exchange, kind) (increase(markets_findings_total[1h]))"
            },
        ),
        Panel("Gaps by reason", {"{{reason}} {{state}}": "max by (reason, state) (markets_gaps)"}),
        Panel("Backfill tasks", {"{{status}}": "max by (status) (markets_backfill_tasks)"}),
        Panel(
            "Failures in a row",
            {"{{exchange}} {{egress}}": "max by (exchange, egress) (markets_budget_failures)"},
        ),
    ],
)

VIDEOS = Dashboard(
    "videos",
    "Videos",
    [
        number("At work", "max(jobs_running)"),
        number(
            "Waiting", 'max(runs_unended{kind="analysis.job",status="queued"})', amber=50, red=500
        ),
        number("Done in 24 h", 'max(increase(jobs_total{status="done"}[24h]))'),
        number(
            "Failed in 24 h", 'max(increase(jobs_total{status="failed"}[24h]))', amber=1, red=20
        ),
        number("Places located", "max(geocode_success_ratio)", unit="percentunit"),
        number("Tokens in 24 h", "sum(increase(tokens_total[24h]))"),
        Panel(
            "Jobs ended by status",
            {"{{status}}": "max by (status) (increase(jobs_total[1h]))"},
            says="within an hour; partial: some places are not on the map",
        ),
        Panel(
            "Jobs failed by kind",
            {"{{type}}": "max by (type) (increase(job_failures_total[1h]))"},
            says="transient: the outside world failed three times; deterministic: asking again gives the same",
        ),
        Panel(
            "Analyses waiting and working",
            {"{{status}}": 'max by (status) (runs_unended{kind="analysis.job"})'},
        ),
        Panel(
            "Phase duration, median",
            {"{{phase}}": quantile(0.5, "phase_duration_seconds", "phase")},
            unit="s",
        ),
        Panel(
            "Phase duration, p95",
            {"{{phase}}": quantile(0.95, "phase_duration_seconds", "phase")},
            unit="s",
        ),
        Panel(
            "Places located of those named",
            {"share": "max(geocode_success_ratio)"},
            says="of results of the last 24 h",
            unit="percentunit",
        ),
        Panel(
            "Tokens a minute",
            {"{{model}} {{direction}}": "60 * sum by (model, direction) (rate(tokens_total[5m]))"},
        ),
        Panel(
            "Results that were there already",
            {
                "share": 'sum(rate(analysis_cache_total{result="hit"}[15m]))'
                " / sum(rate(analysis_cache_total[15m]))"
            },
            unit="percentunit",
        ),
        Panel(
            "Taken over from dead workers",
            {"{{task}}": 'max by (task) (increase(task_restarts_total{task=~"analysis.*"}[1h]))'},
        ),
    ],
)

WORK = Dashboard(
    "work",
    "Runs and limits",
    [
        Panel(
            "Runs waiting and working",
            {"{{kind}} {{status}}": "max by (kind, status) (runs_unended)"},
        ),
        Panel(
            "Runs ended",
            {"{{task}} {{outcome}}": "max by (task, outcome) (increase(task_runs_total[1h]))"},
        ),
        Panel("Failures", {"{{task}}": "max by (task) (increase(task_failures_total[1h]))"}),
        Panel(
            "Taken over from dead workers",
            {"{{task}}": "max by (task) (increase(task_restarts_total[1h]))"},
        ),
        Panel("Loops at work", {"{{loop}}": "max by (loop) (loop_active)"}),
        Panel("Loop duration", {"{{loop}}": "max by (loop) (loop_duration_seconds)"}, unit="s"),
        Panel(
            "Loop duration as a share of its period",
            {"{{loop}}": "max by (loop) (loop_duration_seconds / loop_period_seconds)"},
            unit="percentunit",
            amber=0.8,
            red=1,
        ),
        Panel(
            "Rate limits",
            {"{{rule}} {{result}}": "sum by (rule, result) (rate(rate_limit_requests_total[5m]))"},
        ),
        Panel(
            "Blocked share",
            {
                "share": 'sum(rate(rate_limit_requests_total{result="blocked"}[5m]))'
                " / sum(rate(rate_limit_requests_total[5m]))"
            },
            unit="percentunit",
        ),
    ],
)

SYSTEM = Dashboard(
    "system",
    "System",
    [
        Panel(
            "Database connections in use", {"{{instance}}": "max by (instance) (db_pool_in_use)"}
        ),
        Panel(
            "Waiting for a connection",
            {"{{instance}}": "max by (instance) (db_pool_waiting)"},
            amber=1,
            red=10,
        ),
        Panel(
            "Pool size",
            {
                "size": "max(db_pool_size)",
                "idle": "max(db_pool_idle)",
                "most": "max(db_pool_max_size)",
            },
        ),
        Panel(
            "Wait for a connection",
            {
                "p50": "max(db_pool_wait_p50_seconds)",
                "p95": "max(db_pool_wait_p95_seconds)",
                "p99": "max(db_pool_wait_p99_seconds)",
            },
            unit="s",
        ),
        Panel(
            "Use of a connection",
            {"p50": "max(db_pool_use_p50_seconds)", "p95": "max(db_pool_use_p95_seconds)"},
            unit="s",
        ),
        Panel("Database errors", {"{{kind}}": "sum by (kind) (rate(db_pool_errors_total[5m]))"}),
        Panel("Database size", {"bytes": "max(db_database_bytes)"}, unit="bytes"),
        Panel(
            "Cache requests",
            {"{{place}} {{result}}": "sum by (place, result) (rate(cache_requests_total[5m]))"},
        ),
        Panel("Cache degraded", {"{{instance}}": "max by (instance) (cache_degraded)"}, red=1),
        Panel(
            "CPU",
            {
                "{{instance}}": '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))'
            },
            unit="percentunit",
        ),
        Panel(
            "Memory free",
            {"{{instance}}": "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"},
            unit="percentunit",
        ),
        Panel(
            "Disk free",
            {
                "{{instance}} {{mountpoint}}": 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"}'
                ' / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"}'
            },
            unit="percentunit",
        ),
        Panel(
            "Backup size",
            {
                "bytes": "max(backup_size_bytes)",
            },
            unit="bytes",
        ),
        Panel("Good backups kept", {"kept": "max(backups_good)"}),
    ],
)

DASHBOARDS = (AVAILABILITY, PROXIES, MARKETS, VIDEOS, WORK, SYSTEM)
