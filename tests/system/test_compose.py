"""The compose files are what Debian's docker-compose accepts; it needs no engine to say so."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from support.secured import PASSWORDS, passwords

ROOT = Path(__file__).parent.parent.parent
PLAIN, OBSERVE = "docker-compose.yml", "deploy/compose.observe.yml"
DATA, INDEXES, ARTIFACT = "/var/lib/slotbeam/data", "/var/lib/slotbeam/indexes", "/srv/slotbeam/artifact"
WRITABLE = {
    "redis": ["/data"],
    "serve": [DATA],
    "admin": [DATA, INDEXES],
    "prometheus": ["/prometheus"],
    "grafana": ["/var/lib/grafana"],
}
"""Services of both files → the places in each that can be written to, beside /tmp."""
SERVICES = ["redis", "serve", "admin"]
GRAFANA = {"SLOTBEAM_GRAFANA_PASSWORD": "p" * 16}


def run(docker_compose: str, *files: str, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [docker_compose, *(part for file in files or [PLAIN] for part in ("-f", str(ROOT / file))), "config"]
    return subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **variables})


def services(docker_compose: str, *files: str, **variables: str) -> dict[str, Any]:
    done = run(docker_compose, *files, **passwords(), **GRAFANA, **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Place in the container → what is there (a volume's name, or a directory of this machine), and ro or rw."""
    return {place: (source, mode) for source, place, mode in (v.split(":") for v in service["volumes"])}


def test_docker_compose_accepts_the_file_alone_and_with_those_who_watch(docker_compose: str) -> None:
    assert set(services(docker_compose)) == set(SERVICES)
    assert set(services(docker_compose, PLAIN, OBSERVE)) == set(WRITABLE)


@pytest.mark.parametrize("missing", passwords())
def test_without_both_passwords_nothing_starts(docker_compose: str, missing: str) -> None:
    done = run(docker_compose, **{**passwords(), missing: ""})
    assert done.returncode != 0
    assert missing in done.stderr


def test_without_a_password_of_grafana_nothing_starts(docker_compose: str) -> None:
    done = run(docker_compose, PLAIN, OBSERVE, **passwords(), SLOTBEAM_GRAFANA_PASSWORD="")
    assert done.returncode != 0
    assert "SLOTBEAM_GRAFANA_PASSWORD" in done.stderr


@pytest.mark.parametrize("name", WRITABLE)
def test_every_container_runs_without_root_rights_or_a_writable_root(docker_compose: str, name: str) -> None:
    service = services(docker_compose, PLAIN, OBSERVE)[name]
    user, group = map(int, service["user"].split(":"))
    assert user > 0
    assert group > 0
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert sorted(place for place, (_, mode) in mounts(service).items() if mode == "rw") == WRITABLE[name]


def test_each_plane_has_its_own_user_of_the_store_and_only_the_control_plane_a_token(docker_compose: str) -> None:
    found = services(docker_compose, SLOTBEAM_ADMIN_TOKEN="from-outside-123")
    given = {name: service["environment"] for name, service in found.items()}
    for name in ("serve", "admin"):
        assert given[name]["SLOTBEAM_REDIS_URL"] == f"redis://{name}:{PASSWORDS[name]}@redis:6379/0"
        assert given[name]["SLOTBEAM_REPLICA_ID"] == f"{name}-1"
    assert [name for name in SERVICES if "from-outside-123" in str(given[name])] == ["admin"]
    assert PASSWORDS["admin"] not in str(given["serve"])


def test_the_store_is_reached_from_no_other_machine_and_the_control_plane_from_this_one(docker_compose: str) -> None:
    found = services(docker_compose)
    assert "ports" not in found["redis"]
    assert found["admin"]["ports"] == ["127.0.0.1:8001:8001/tcp"]


def image_variables() -> dict[str, str]:
    return dict(re.findall(r"(SLOTBEAM_\w+)=(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8")))


@pytest.mark.parametrize("plane", ["serve", "admin"])
def test_a_plane_serves_the_demo_or_an_artifact_and_indexes_of_this_machine(docker_compose: str, plane: str) -> None:
    assert image_variables()["SLOTBEAM_ARTIFACT"] == ARTIFACT
    mode = "rw" if plane == "admin" else "ro"

    usual = services(docker_compose)[plane]
    assert usual["environment"]["SLOTBEAM_INDEX_DIR"] == INDEXES
    assert mounts(usual)[ARTIFACT] == (str(ROOT / "model_artifacts/demo"), "ro")
    assert mounts(usual)[INDEXES] == ("indexes", mode)

    own = services(docker_compose, SLOTBEAM_ARTIFACT="./shop", SLOTBEAM_INDEX_DIR="/srv/indexes")[plane]
    assert own["environment"] == usual["environment"]
    assert mounts(own)[ARTIFACT] == (str(ROOT / "shop"), "ro")
    assert mounts(own)[INDEXES] == ("/srv/indexes", mode)


def test_a_path_that_would_be_taken_for_the_name_of_a_volume_is_refused(docker_compose: str) -> None:
    done = run(docker_compose, **passwords(), SLOTBEAM_ARTIFACT="shop")
    assert done.returncode != 0
    assert "shop" in done.stderr


def test_the_image_owns_what_its_volumes_begin_with() -> None:
    """A named volume takes its owner from the image; a place that the image lacks would be root's."""
    [made] = re.findall(r"install -d -o slotbeam -g slotbeam -m 0700 (.+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert set(made.split()) == {DATA, INDEXES}


def test_who_watches_is_reached_from_this_machine_alone_and_reads_what_is_shipped(docker_compose: str) -> None:
    """Prometheus finds its rules, and Grafana its source and a dashboard, where their containers have them."""
    found = services(docker_compose, PLAIN, OBSERVE)
    ports = {name: one["ports"] for name, one in found.items() if name not in SERVICES}
    assert ports == {"prometheus": ["127.0.0.1:9090:9090/tcp"], "grafana": ["127.0.0.1:3000:3000/tcp"]}

    def shipped(name: str, path: str) -> Path:
        """Where the read-only mount of a service has a path of its container from."""
        [(place, source)] = [(place, it) for place, (it, mode) in mounts(found[name]).items() if mode == "ro"]
        return Path(source) / PurePosixPath(path).relative_to(place)

    config = yaml.safe_load(shipped("prometheus", "/etc/prometheus/prometheus.yml").read_text())
    assert [
        name for name in config["rule_files"] if not shipped("prometheus", f"/etc/prometheus/{name}").exists()
    ] == []
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert targets == {"slotbeam-serve": ["serve:8000"], "slotbeam-admin": ["admin:8001"]}

    provisioning = shipped("grafana", found["grafana"]["environment"]["GF_PATHS_PROVISIONING"])
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert (source["url"], source["type"], source["isDefault"]) == ("http://prometheus:9090", "prometheus", True)
    assert source["jsonData"]["timeInterval"] == config["global"]["scrape_interval"]
    [provider] = yaml.safe_load((provisioning / "dashboards/slotbeam.yml").read_text())["providers"]
    dashboards = shipped("grafana", provider["options"]["path"]).rglob("*.json")
    assert [json.loads(path.read_text())["uid"] for path in dashboards] == ["slotbeam"]
