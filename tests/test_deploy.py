"""What `deploy/` holds fits the product: metrics that exist, settings that exist, alarms that are raised when due."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are no dependency of ours
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.errors import InsufficientStorage, Problem
from app.settings import SECRETS, Settings
from app.web.rates import TooManyRequests
from tests.conftest import ROOT, Caller, count

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/yhdessa.json").read_text(encoding="utf-8"))

# What Prometheus itself knows of whom it asks.
OF_PROMETHEUS = {"up": {"job", "instance"}}

_METRIC = re.compile(r"\b((?:yhdessa|process)_\w+|up\b)(?:\{([^}]*)\})?")
_BY = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def test_every_query_names_metrics_and_labels_that_exist(http: TestClient, kuopio: Caller, new_key: Any) -> None:
    reader = Caller(http, new_key("municipality:478", actions=["read"]))
    kuopio.post([count("297", "2022", 5)])
    reader.get("/v1/session-counts", county="13")
    # Its own first answer is counted in the second.
    reader.get("/metrics")
    known = _known(reader.get("/metrics").text)

    queries = list(_queries())

    assert len(queries) > 30
    assert {where: wrong for where, query, said in queries if (wrong := _unknown(query, said, known))} == {}
    # What is looked for would be seen.
    assert _unknown("rate(yhdessa_postings_total[5m])", "", known) == ["yhdessa_postings_total"]
    assert _unknown('sum by (colour) (yhdessa_posts_total{size="1"})', "{{shape}}", known) == [
        "colour",
        "shape",
        "size",
    ]


def test_every_metric_of_ours_is_shown_or_watched(http: TestClient, kuopio: Caller) -> None:
    kuopio.post([count("749", "2022", 5)])
    shown = " ".join(query for _, query, _ in _queries())

    missing = {name for name in _known(kuopio.get("/metrics").text) if name.startswith("yhdessa") and name not in shown}

    # Sums and counts are for whoever wants an average; a bucket is shown of each.
    assert {name for name in missing if not name.endswith(("_sum", "_count"))} == set()


def test_the_first_of_what_raises_an_alarm_is_an_increase(http: TestClient, kuopio: Caller) -> None:
    watched = {status for _, query, _ in _queries() for status in re.findall(r'refusals_total\{status="(\d+)"', query)}

    families = text_string_to_metric_families(kuopio.get("/metrics").text)
    told = [sample for family in families for sample in family.samples if sample.name == "yhdessa_refusals_total"]

    assert watched == {"429", "500", "507"}
    assert {(sample.labels["kind"], sample.labels["status"], sample.value) for sample in told} == {
        (error.type_uri().rpartition(":")[2], str(error.status_code), 0)
        for error in (Problem, InsufficientStorage, TooManyRequests)
    }


def test_every_alarm_says_what_is_wrong_and_how_soon_to_look() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert rule["alert"].startswith("Yhdessa")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


@pytest.mark.deploy
@pytest.mark.parametrize(
    "options",
    [
        ["check", "config", "--syntax-only", "prometheus.yaml"],
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts_test.yaml"],
    ],
)
def test_prometheus_s_own_tool_finds_nothing_wrong(options: list[str]) -> None:
    checked = subprocess.run(
        ["promtool", *options], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.deploy
def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    queries = [query.replace("$__rate_interval", "5m") for _, query, _ in _queries()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    checked = subprocess.run(
        ["promtool", "check", "rules", "rules.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_asks_where_the_service_answers(app: FastAPI) -> None:
    [job] = PROMETHEUS["scrape_configs"]
    [rules] = PROMETHEUS["rule_files"]
    secret = Path(job["authorization"]["credentials_file"]).name

    assert (DEPLOY / "prometheus" / rules).is_file()
    assert job["metrics_path"] in {route.path for route in iter_route_contexts(app.routes)}
    assert job["static_configs"] == [{"targets": ["yhdessa:8000"]}]
    assert "yhdessa" in COMPOSE["services"]
    assert secret in COMPOSE["services"]["prometheus"]["secrets"]
    # Else a scrape is given up before a request is that waits for a connection.
    assert (
        int(PROMETHEUS["global"]["scrape_timeout"].rstrip("s")) > Settings.model_fields["lock_timeout_seconds"].default
    )


def test_compose_names_only_settings_secrets_volumes_and_networks_that_exist() -> None:
    known = {f"YHDESSA_{name.upper()}" for name in Settings.model_fields}
    known |= {f"YHDESSA_{name.upper()}_FILE" for name in SECRETS}

    for name, service in COMPOSE["services"].items():
        environment = service.get("environment", {})
        files = [value for variable, value in environment.items() if variable.endswith("_FILE")]

        assert {variable for variable in environment if variable.startswith("YHDESSA")} <= known, name
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys(), name
        assert {Path(file).name for file in files} <= set(service.get("secrets", [])), name
        assert set(service["networks"]) <= COMPOSE["networks"].keys(), name
        assert name == "migrate" or service["healthcheck"]["test"], name
        assert "build" in service or re.search(r":v?\d", service["image"]), f"{name} has a version"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "TLS is a proxy's, which stands on this machine"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).exists(), volume


def test_compose_waits_for_the_database_and_its_schema_and_lets_requests_end() -> None:
    service = COMPOSE["services"]["yhdessa"]

    assert {name: how["condition"] for name, how in service["depends_on"].items()} == {
        "postgres": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    assert int(service["stop_grace_period"].rstrip("s")) > Settings.model_fields["shutdown_seconds"].default
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"
    assert "PASSWORD: " not in (DEPLOY / "compose.yaml").read_text()


def test_secrets_are_made_once_and_fit_together(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    made = [
        subprocess.run([tmp_path / "make-secrets"], capture_output=True, text=True, check=True).stdout for _ in range(2)
    ]
    secrets = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}

    assert secrets.keys() == COMPOSE["secrets"].keys()
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {f"./secrets/{name}" for name in secrets}
    assert len(secrets["postgres_password"]) == 48
    assert f":{secrets['postgres_password']}@postgres/" in Settings(database_url=secrets["database_url"]).database_url
    assert (made[0].count("is made"), made[1].count("stays as it is")) == (4, 4)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert "secrets/" in (DEPLOY / ".gitignore").read_text().split()


def _known(text: str) -> Mapping[str, set[str]]:
    """By the name of a series: its labels."""
    known: dict[str, set[str]] = dict(OF_PROMETHEUS)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            known.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
        if not family.samples:
            known[family.name] = {"county", "practice"}
    return known


def _queries() -> Iterator[tuple[str, str, str]]:
    """Each query of the dashboard and of the alerts: where it stands, the query, and what is said of its answer."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield f"{panel['title']}, {target['refId']}", target["expr"], target["legendFormat"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())


def _unknown(query: str, said: str, known: Mapping[str, set[str]]) -> list[str]:
    """The metrics of `query` that there are not; if there are all, the labels that they do not have."""
    named = [match[1] for match in _METRIC.finditer(query)]
    if missing := [name for name in named if name not in known]:
        return missing
    labels = set().union(*(known[name] for name in named))
    matched = {part.split("=")[0].rstrip("!~ ") for match in _METRIC.finditer(query) for part in _parts(match[2])}
    grouped = {name.strip() for match in _BY.finditer(query) for name in match[1].split(",")}
    return sorted((matched | grouped | set(_LEGEND.findall(said))) - labels)


def _parts(matchers: str | None) -> list[str]:
    return [part for part in (matchers or "").split(",") if part]
