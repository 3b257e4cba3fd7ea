"""Lists, checks, pools, leases, targets."""

from panels.panel import Choice, Dashboard, Panel, number, quantile

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
                '(increase(proxy_fetch_source_total{source=~"$source"}[1h]))'
            },
        ),
        Panel(
            "Source success share",
            {
                "{{source}}": 'sum by (source) (rate(proxy_fetch_source_total{outcome="success",source=~"$source"}[6h]))'
                ' / sum by (source) (rate(proxy_fetch_source_total{source=~"$source"}[6h]))'
            },
            unit="percentunit",
        ),
        Panel(
            "Source duration, p95",
            {
                "{{source}}": quantile(
                    0.95, "proxy_fetch_duration_seconds", "source", 'source=~"$source"', "1h"
                )
            },
            unit="s",
        ),
        Panel(
            "Source errors by kind",
            {
                "{{source}} {{error_type}}": "sum by (source, error_type) "
                '(increase(proxy_fetch_failures_total{source=~"$source"}[1h]))'
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
            {"{{target}}": quantile(0.95, "proxy_target_latency_seconds", "target", over="1h")},
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
    choices=(Choice("source", "proxy_fetch_source_total"),),
)
