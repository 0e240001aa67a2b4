"""deploy/monitoring: Prometheus' own tools take every rule and expression, and each names what is really there."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fakes.monitoring import MONITORING, ROOT, needs_promtool, promtool, told_metrics

DASHBOARD = json.loads((MONITORING / "dashboards" / "pledgekeeper.json").read_text(encoding="utf-8"))
COMPOSE = ROOT / "deploy" / "compose.monitoring.yml"
PROVISIONING = MONITORING / "grafana" / "provisioning"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


RULES, CASES = read(MONITORING / "alerts.yml"), read(MONITORING / "alerts.test.yml")
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")

OF_PROMETHEUS = {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
OF_EVERY_SERIES = {"instance", "job", "le"}
SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")
SELECTOR = re.compile(r"\b((?:pledgekeeper|process)_\w+|up)\b(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|without) \(([^)]*)\)")
PANELS = {"row", "stat", "timeseries", "table", "state-timeline"}  # of Grafana's own, which need no plug-in
WIDTH = 24
SCHEMA = 41  # of Grafana 12


def panels() -> list[dict[str, Any]]:
    """Return those that show something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def shown() -> Iterator[tuple[str, str]]:
    """Yield each expression of the dashboard, as Prometheus gets it, with the title of its panel."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$instance", ".*")
    for annotation in DASHBOARD["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]


EXPRESSIONS = [*shown(), *((name, rule["expr"]) for name, rule in ALERTS.items())]


def named(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that an expression names, with the labels that it selects by."""
    for name, selected in SELECTOR.findall(expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))


# --- what Prometheus says


@needs_promtool
def test_the_rules_are_understood() -> None:
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", MONITORING / "alerts.yml")


@needs_promtool
def test_each_alert_fires_and_is_silent_as_its_cases_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", MONITORING / "alerts.test.yml")


@needs_promtool
def test_the_configuration_is_understood(tmp_path: Path) -> None:
    token = tmp_path / "metrics_token"
    token.write_text("a-token", encoding="utf-8")
    text = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(token)), encoding="utf-8")
    (tmp_path / "alerts.yml").write_bytes((MONITORING / "alerts.yml").read_bytes())
    assert "prometheus.yml is valid" in promtool("check", "config", tmp_path / "prometheus.yml")


@needs_promtool
def test_each_expression_of_the_dashboard_is_understood(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(shown())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")  # YAML, too
    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", file)


# --- what is named is there


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_of_the_page(where: str, expression: str) -> None:
    page, known = told_metrics(), set(OF_EVERY_SERIES)
    for name, labels in named(expression):
        if name in OF_PROMETHEUS:
            continue
        metric = page[name] if name in page else page[SUFFIXES.sub("", name)]
        assert (name in page) == (metric.type == "gauge"), f"{where}: {name} is a {metric.type}"
        assert labels <= metric.labels | OF_EVERY_SERIES, where
        known |= metric.labels
    grouped = {label.strip() for labels in GROUPING.findall(expression) for label in labels.split(",")}
    assert grouped <= known, where


def test_every_metric_is_on_the_dashboard() -> None:
    drawn = {SUFFIXES.sub("", name) for _, expression in shown() for name, _ in named(expression)}
    left_out = {name for name in told_metrics() if name not in drawn and SUFFIXES.sub("", name) not in drawn}
    assert left_out == {
        "pledgekeeper_campaign_read_timestamp_seconds",  # beside the accepted one it says little
        "pledgekeeper_due_seconds",
        "pledgekeeper_last_success_timestamp_seconds",
        "pledgekeeper_open_holds_seconds",
        "pledgekeeper_read_pages",
        "pledgekeeper_sync_interval_seconds",
    }


# --- alerts


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_and_where_to_read_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    (section,) = re.findall(rf"^### {name}\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    for part in ("Means", "Meanwhile", "Do"):
        assert f"- **{part}**: " in section


def test_the_runbook_has_no_heading_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)) == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(name: str) -> None:
    expected = [
        bool(case["exp_alerts"])
        for test in CASES["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]
    assert sorted(set(expected)) == [False, True]


@pytest.mark.parametrize("name", ["logs", "metrics", "monitoring", "runbook"])
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", text)
    assert links
    for path, heading in links:
        file = ROOT / "docs" / path
        assert file.exists(), path
        if heading:
            assert heading in map(str.lower, re.findall(r"^#+ (\w+)$", file.read_text(encoding="utf-8"), re.MULTILINE))


# --- the dashboard


def test_it_is_a_dashboard_that_grafana_can_provision() -> None:
    assert DASHBOARD["uid"]
    assert DASHBOARD["schemaVersion"] == SCHEMA
    assert "id" not in DASHBOARD, "Grafana gives one itself"
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "instance"]
    provider = read(PROVISIONING / "dashboards" / "pledgekeeper.yml")
    source = read(PROVISIONING / "datasources" / "prometheus.yml")
    assert DASHBOARD["templating"]["list"][0]["current"]["value"] == source["datasources"][0]["uid"]
    (folder,) = [one["options"]["path"] for one in provider["providers"]]
    mounts = read(COMPOSE)["services"]["grafana"]["volumes"]
    assert f"./monitoring/dashboards:{folder}:ro" in mounts


def test_each_panel_says_what_it_shows_and_asks_the_chosen_source() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    titles = [panel["title"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    assert {panel["type"] for panel in DASHBOARD["panels"]} <= PANELS
    for panel in panels():
        assert panel["description"], panel["title"]
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in sources), panel["title"]
        assert all('instance=~"$instance"' in target["expr"] for target in panel["targets"]), panel["title"]


def test_the_rows_are_questions() -> None:
    assert all(panel["title"].endswith("?") for panel in DASHBOARD["panels"] if panel["type"] == "row")


def test_no_panel_lies_over_another_or_beyond_the_edge() -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in DASHBOARD["panels"]]
    assert [title for title, at in places if at["x"] < 0 or at["x"] + at["w"] > WIDTH] == []
    assert [(one[0], other[0]) for one, other in combinations(places, 2) if overlap(one[1], other[1])] == []


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


# --- the containers


def test_the_compose_file_is_one() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_the_containers_mount_is_there() -> None:
    services = read(COMPOSE)["services"]
    mounted = [one.split(":")[0] for service in services.values() for one in service["volumes"] if one.startswith("./")]
    assert mounted
    assert [one for one in mounted if not (COMPOSE.parent / one).exists()] == []


@pytest.mark.parametrize("name", ["compose.cluster.yml", "compose.yml"])
def test_prometheus_reaches_every_process_and_none_takes_it_for_a_proxy(name: str) -> None:
    found, watching = read(ROOT / "deploy" / name), read(COMPOSE)
    shared = found["networks"].keys() & watching["networks"].keys()
    assert shared == {"metrics"}
    assert found["networks"]["metrics"] == {"internal": True}
    assert "metrics" in watching["services"]["prometheus"]["networks"]
    inside = {service for service, said in found["services"].items() if "metrics" in said["networks"]}
    assert inside == {service for service, said in found["services"].items() if "build" in said}


def test_nothing_of_it_listens_to_the_world() -> None:
    services = read(COMPOSE)["services"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
