"""Analyses: jobs, phases, places, models."""

from panels.panel import Dashboard, Panel, number, quantile

VIDEOS = Dashboard(
    "videos",
    "Videos",
    [
        number("At work", "max(jobs_running)"),
        number(
            "Waiting",
            'max(runs_unended{kind="analysis.job",status="queued"}) or vector(0)',
            amber=50,
            red=500,
        ),
        number("Done in 24 h", 'max(increase(jobs_total{status="done"}[24h]))'),
        number(
            "Failed in 24 h",
            'max(increase(jobs_total{status="failed"}[24h])) or vector(0)',
            amber=1,
            red=20,
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
