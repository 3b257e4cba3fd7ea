"""Each alert fires for its own fault, is silent without it, and no other fires along."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy import tools

pytestmark = pytest.mark.once

RULES: Final = tools.DEPLOY / "prometheus" / "alerts.yml"
#: All is well for eight hours, then a fault for four; one value a minute.
QUIET, LOUD = 480, 240

WEB = 'instance="web:8000",job="millrace-web"'
NODE = 'instance="node:9100",job="node",fstype="ext4"'
HEALTHY: Final = {
    f"up{{{WEB}}}": "1x{all}",
    "database_up": "1x{all}",
    'dependency_up{dependency="redis"}': "1x{all}",
    'dependency_up{dependency="broker"}': "1x{all}",
    'process_heartbeat_age_seconds{role="worker"}': "4x{all}",
    'process_heartbeat_age_seconds{role="beat"}': "4x{all}",
    "cache_degraded": "0x{all}",
    'django_http_responses_total_by_status_total{status="200"}': "0+600x{all}",
    'django_http_responses_total_by_status_total{status="503"}': "0+1x{all}",
    'django_http_requests_latency_including_middlewares_seconds_bucket{le="0.25"}': "0+600x{all}",
    'django_http_requests_latency_including_middlewares_seconds_bucket{le="2.5"}': "0+600x{all}",
    'django_http_requests_latency_including_middlewares_seconds_bucket{le="+Inf"}': "0+600x{all}",
    f"db_pool_waiting{{{WEB}}}": "0x{all}",
    f"db_pool_in_use{{{WEB}}}": "20x{all}",
    f"db_pool_max_size{{{WEB}}}": "20x{all}",
    'task_failures_total{task="markets.collect"}': "0x{all}",
    'proxy_pool_size{pool="hot"}': "3x{all}",
    'proxy_pool_size{pool="warm"}': "9x{all}",
    'proxy_pool_size{pool="cold"}': "50x{all}",
    'proxy_lease_requests_total{result="granted"}': "0+90x{all}",
    'proxy_lease_requests_total{result="none"}': "0+10x{all}",
    'proxy_fetch_source_total{source="one",outcome="success"}': "0+1x{all}",
    'proxy_fetch_source_total{source="one",outcome="error"}': "0x{all}",
    "markets_gap_oldest_seconds": "600x{all}",
    "markets_series_failing": "0x{all}",
    'etl_sync_total{outcome="failed"}': "0x{all}",
    "backup_age_seconds": "3600x{all}",
    f"node_filesystem_avail_bytes{{{NODE}}}": "50x{all}",
    f"node_filesystem_size_bytes{{{NODE}}}": "100x{all}",
    "node_memory_MemAvailable_bytes": "50x{all}",
    "node_memory_MemTotal_bytes": "100x{all}",
}
#: For each alert the series that go wrong, and their values after the quiet time.
FAULTS: Final[dict[str, dict[str, str]]] = {
    "WebDown": {f"up{{{WEB}}}": "0x{loud}"},
    "NoWebProcess": {f"up{{{WEB}}}": "_x{loud}"},
    "DatabaseDown": {"database_up": "0x{loud}"},
    "RedisDown": {'dependency_up{dependency="redis"}': "0x{loud}"},
    "BrokerDown": {'dependency_up{dependency="broker"}': "0x{loud}"},
    "WorkerSilent": {'process_heartbeat_age_seconds{role="worker"}': "10+60x{loud}"},
    "WorkerSilent, gone": {'process_heartbeat_age_seconds{role="worker"}': "_x{loud}"},
    "BeatSilent": {'process_heartbeat_age_seconds{role="beat"}': "10+60x{loud}"},
    "CacheDegraded": {"cache_degraded": "1x{loud}"},
    "ErrorRate": {'django_http_responses_total_by_status_total{status="503"}': "500+20x{loud}"},
    "SlowAnswers": {
        'django_http_requests_latency_including_middlewares_seconds_bucket{le="0.25"}': (
            "288000+500x{loud}"
        )
    },
    "DatabasePoolExhausted": {f"db_pool_waiting{{{WEB}}}": "3x{loud}"},
    "TaskFailing": {'task_failures_total{task="markets.collect"}': "0+1x{loud}"},
    "PoolLow": {'proxy_pool_size{pool="warm"}': "1x{loud}"},
    "LeasesRefused": {'proxy_lease_requests_total{result="none"}': "4800+60x{loud}"},
    "SourcesFailing": {
        'proxy_fetch_source_total{source="one",outcome="success"}': "480x{loud}",
        'proxy_fetch_source_total{source="one",outcome="error"}': "0+1x{loud}",
    },
    "GapNotRepaired": {"markets_gap_oldest_seconds": "7200+600x{loud}"},
    "CollectingFails": {"markets_series_failing": "2x{loud}"},
    "SnapshotsNotDelivered": {'etl_sync_total{outcome="failed"}': "0+1x{loud}"},
    "BackupOld": {"backup_age_seconds": "100000x{loud}"},
    "BackupOld, none": {"backup_age_seconds": "_x{loud}"},
    "DiskFilling": {f"node_filesystem_avail_bytes{{{NODE}}}": "5x{loud}"},
    "MemoryLow": {"node_memory_MemAvailable_bytes": "2x{loud}"},
}
#: The fetched lists' success must have left the window of six hours.
WHEN: Final = {"SourcesFailing": QUIET + LOUD * 2 - 10}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[str]:
    return [rule["alert"] for rule in rules()]


def group(case: str, faults: dict[str, str]) -> dict[str, Any]:
    """Return one test of promtool: silence before the fault, this alert alone after it."""
    loud = LOUD * 2
    series = []
    for name, healthy in HEALTHY.items():
        values = healthy.format(all=QUIET + loud)
        if name in faults:
            values = f"{healthy.format(all=QUIET - 1)} {faults[name].format(loud=loud)}"
        series.append({"series": name, "values": values})
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    alone = [{"labels": f'{{alertname="{case.partition(",")[0]}"}}', "value": 1}]
    return {
        "name": case,
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {"expr": firing, "eval_time": f"{QUIET - 5}m", "exp_samples": []},
            {
                "expr": firing,
                "eval_time": f"{WHEN.get(case, QUIET + LOUD - 10)}m",
                "exp_samples": alone,
            },
        ],
    }


def test_every_alert_leads_to_what_is_to_be_done():
    """In the same order, with how bad it is and after how long, as the rules say."""
    text = (tools.DEPLOY.parent / "docs" / "alerts.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (\w+)\n\*(\w+), after (\d+ \w)\w*\.\*", text, re.MULTILINE)

    assert sections == [
        (rule["alert"], rule["labels"]["severity"], re.sub(r"(\d+)(\w)", r"\1 \2", rule["for"]))
        for rule in rules()
    ]
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert set(rule["annotations"]) == {"summary", "action", "runbook"}


def test_every_alert_has_its_fault():
    assert {name.partition(",")[0] for name in FAULTS} == set(alerts())
    assert len(alerts()) == len(set(alerts()))


@pytest.mark.promtool
def test_each_alert_fires_for_its_fault_alone_and_is_silent_without(tmp_path: Path):
    tests = [group(case, faults) for case, faults in FAULTS.items()]
    file = tmp_path / "alerts_test.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests})
    )

    told = tools.run([tools.promtool(), "test", "rules", str(file)])

    assert told.returncode == 0, (told.stdout + told.stderr)[-6000:]


@pytest.mark.promtool
def test_prometheus_reads_its_configuration():
    told = tools.run([tools.promtool(), "check", "config", str(RULES.with_name("prometheus.yml"))])

    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(alerts())} rules found" in told.stdout
