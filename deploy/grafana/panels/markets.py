"""Collecting, quality, gaps and their repair."""

from panels.panel import Choice, Dashboard, Panel, number, quantile

MARKETS = Dashboard(
    "markets",
    "Markets",
    [
        number("Gaps", "sum(max by (state, reason) (markets_gaps)) or vector(0)"),
        number("Oldest gap", "max(markets_gap_oldest_seconds)", unit="s", amber=3600, red=21_600),
        number("Series failing", "max(markets_series_failing)", amber=1, red=10),
        number("Backfills waiting", 'max(markets_backfill_tasks{status="pending"}) or vector(0)'),
        number("Candles a second", "sum(rate(markets_candles_total[5m]))"),
        number("Requests a second", "sum(rate(markets_requests_total[5m]))"),
        Panel(
            "Requests by outcome",
            {
                "{{exchange}} {{outcome}}": 'sum by (exchange, outcome) (rate(markets_requests_total{exchange=~"$exchange"}[5m]))'
            },
        ),
        Panel(
            "Exchange latency, p95",
            {
                "{{exchange}}": quantile(
                    0.95, "markets_request_seconds", "exchange", 'exchange=~"$exchange"'
                )
            },
            unit="s",
        ),
        Panel(
            "Candles stored",
            {
                "{{exchange}} {{result}}": 'sum by (exchange, result) (rate(markets_candles_total{exchange=~"$exchange"}[5m]))'
            },
        ),
        Panel(
            "Findings of quality",
            {
                "{{exchange}} {{kind}}": 'sum by (exchange, kind) (increase(markets_findings_total{exchange=~"$exchange"}[1h]))'
            },
        ),
        Panel(
            "Failures by class",
            {
                "{{exchange}} {{error_class}}": "sum by (exchange, error_class) "
                '(increase(markets_errors_total{exchange=~"$exchange"}[1h]))'
            },
            says="each is a row in API errors",
        ),
        Panel(
            "Markets that fail again and again",
            {
                "{{exchange}} {{error_class}}": "max by (exchange, error_class) "
                '(markets_alerts{exchange=~"$exchange"})'
            },
            says="alerts that are open; the next success closes them",
            amber=1,
        ),
        Panel("Gaps by reason", {"{{reason}} {{state}}": "max by (reason, state) (markets_gaps)"}),
        Panel("Backfill tasks", {"{{status}}": "max by (status) (markets_backfill_tasks)"}),
        Panel(
            "Failures in a row",
            {
                "{{exchange}} {{egress}}": 'max by (exchange, egress) (markets_budget_failures{exchange=~"$exchange"})'
            },
        ),
    ],
    choices=(Choice("exchange", "markets_requests_total"),),
)
