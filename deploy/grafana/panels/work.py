"""Runs and loops of every kind, and the limits of requests."""

from panels.panel import Dashboard, Panel

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
        Panel(
            "Last failures",
            {
                "{{task}}: {{type}} {{message}}": "max by (task, type, message) (task_last_error_info)"
            },
            says="the last one of each kind, whenever it was",
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
        Panel(
            "Webhook deliveries",
            {"{{event}} {{result}}": "sum by (event, result) (rate(webhook_deliveries_total[5m]))"},
        ),
    ],
)
