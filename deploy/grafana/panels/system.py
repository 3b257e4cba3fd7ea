"""Connections, caches, sessions, machines, backups."""

from panels.panel import Dashboard, Panel

SYSTEM = Dashboard(
    "system",
    "System",
    [
        Panel(
            "Database connections in use", {"{{instance}}": "max by (instance) (db_pool_in_use)"}
        ),
        Panel(
            "Waiting for a connection",
            {
                "{{instance}}": "max by (instance) (db_pool_waiting)",
                "{{instance}} to write": "max by (instance) (db_pool_writers_waiting)",
            },
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
        Panel(
            "Wait for the turn to write",
            {
                "p50": "max(db_pool_write_wait_p50_seconds)",
                "p95": "max(db_pool_write_wait_p95_seconds)",
            },
            says="SQLite alone: one writes at a time",
            unit="s",
        ),
        Panel(
            "What becomes of connections",
            {"{{event}}": "sum by (event) (rate(db_pool_events_total[5m]))"},
        ),
        Panel("Database errors", {"{{kind}}": "sum by (kind) (rate(db_pool_errors_total[5m]))"}),
        Panel(
            "Database size",
            {"database": "max(db_database_bytes)", "write-ahead log": "max(db_wal_bytes)"},
            unit="bytes",
        ),
        Panel(
            "Cache requests",
            {"{{place}} {{result}}": "sum by (place, result) (rate(cache_requests_total[5m]))"},
        ),
        Panel(
            "Cache hits",
            {
                "{{place}}": 'sum by (place) (rate(cache_requests_total{result="hit"}[5m]))'
                " / sum by (place) (rate(cache_requests_total[5m]))"
            },
            unit="percentunit",
        ),
        Panel(
            "Redis lost as a cache", {"times": "sum(increase(cache_fallbacks_total[1h]))"}, amber=1
        ),
        Panel(
            "Sessions",
            {"signed in": "max(sessions_active)"},
            says="browsers in which somebody is signed in",
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
