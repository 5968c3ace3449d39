"""deploy/kubernetes is what Kubernetes accepts (by the schemas in kubernetes-validate), and what can start and roll."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions, major_minor

from slotbeam.cli.serving import GRACE_S
from slotbeam.settings import Settings
from support.processes import CLI, HANG_S, environment, listening

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/slotbeam.yaml").read_text()))
OF_ARTIFACTS = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/artifacts.yaml").read_text()))
NAMED = {f"{document['kind']}/{document['metadata']['name']}": document for document in DOCUMENTS}
PODS = {name: document["spec"]["template"] for name, document in NAMED.items() if "template" in document["spec"]}
PLANES = {"Deployment/slotbeam-serve": 8000, "Deployment/slotbeam-admin": 8001}
VERSIONS = sorted({major_minor(version) for version in all_versions()})


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid_and_has_no_unknown_field(version: str) -> None:
    for document in (*DOCUMENTS, *OF_ARTIFACTS):
        kubernetes_validate.validate(document, version, strict=True)


def patched(plane: str, name: str) -> Any:
    """The pod of a plane with a patch of deploy/kubernetes, which is what Kubernetes accepts."""
    text = (ROOT / f"deploy/kubernetes/{name}.yaml").read_text()
    deployment = merged(
        NAMED[f"Deployment/slotbeam-{plane}"], yaml.safe_load(text.replace("name: serve", f"name: {plane}"))
    )
    for version in VERSIONS:
        kubernetes_validate.validate(deployment, version, strict=True)
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("plane", ["serve", "admin"])
def test_the_patch_that_mounts_artifacts_lets_either_plane_read_what_was_copied(plane: str) -> None:
    claim, copying = OF_ARTIFACTS
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    [writer], [reader] = copying["spec"]["containers"], patched(plane, "mount-artifacts")["containers"]
    place = {entry["name"]: entry.get("value") for entry in reader["env"]}["SLOTBEAM_INDEX_DIR"]
    mounts = {}
    for pod, container in ((copying["spec"], writer), (patched(plane, "mount-artifacts"), reader)):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == place]
        source = volumes[mount["name"]]["persistentVolumeClaim"]
        assert source["claimName"] == claim["metadata"]["name"]
        mounts[container["name"]] = mount.get("readOnly", False), source.get("readOnly", False)
    assert mounts == {"copy": (False, False), plane: (True, True)}
    assert {mount["mountPath"] for mount in reader["volumeMounts"]} == {"/tmp", "/var/lib/slotbeam/data", place}


@pytest.mark.parametrize("plane", ["serve", "admin"])
def test_the_patch_that_pulls_an_index_fits_either_plane(plane: str) -> None:
    pod = patched(plane, "pull-index")
    [container], [pulling] = pod["containers"], pod["initContainers"]
    assert container["args"] == ["slotbeam", plane]
    assert pulling["args"][:3] == ["slotbeam", "index", "pull"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for one in (container, pulling):
        mounts = {mount["mountPath"]: mount["name"] for mount in one["volumeMounts"]}
        [place] = [entry["value"] for entry in one["env"] if entry["name"] == "SLOTBEAM_INDEX_DIR"]
        assert mounts[place] == "indexes"
        assert set(mounts.values()) <= volumes
        assert one["securityContext"]["readOnlyRootFilesystem"]


KEYS = {"volumeMounts": "mountPath"}
"""What Kubernetes merges the entries of a list by, where it is not their name."""


def merged(document: Any, patch: Any, key: str = "name") -> Any:
    """A document with a strategic merge patch applied, as `kubectl patch` does."""
    if isinstance(patch, dict):
        old = document if isinstance(document, dict) else {}
        return {**old, **{name: merged(old.get(name), one, KEYS.get(name, "name")) for name, one in patch.items()}}
    if isinstance(patch, list) and document and isinstance(patch[0], dict):
        held = {one[key]: one for one in document}
        return list({**held, **{one[key]: merged(held.get(one[key]), one) for one in patch}}.values())
    return patch


def test_a_field_that_does_not_exist_would_be_found() -> None:
    document = copy.deepcopy(NAMED["Deployment/slotbeam-serve"])
    document["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(kubernetes_validate.ValidationError, match="enableServiceLink"):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


def test_every_selector_finds_the_pods_of_one_workload() -> None:
    for name, document in NAMED.items():
        selector = document["spec"].get("selector")
        if selector:
            wanted = selector.get("matchLabels", selector) if isinstance(selector, dict) else selector
            found = [pod for pod, it in PODS.items() if wanted.items() <= it["metadata"]["labels"].items()]
            assert len(found) == 1, name


@pytest.mark.parametrize("name", PODS)
def test_no_pod_is_told_of_services_by_variables(name: str) -> None:
    assert PODS[name]["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize(("name", "port"), PLANES.items())
def test_a_plane_has_time_to_load_says_when_it_may_be_asked_and_is_scraped(name: str, port: int) -> None:
    [container] = PODS[name]["spec"]["containers"]
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {port}
    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"] >= 60
    assert container["ports"] == [{"containerPort": port}]
    assert PODS[name]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": "/metrics",
    }
    service = NAMED[f"Service/slotbeam{'' if port == 8000 else '-admin'}"]["spec"]
    assert [entry["targetPort"] for entry in service["ports"]] == [port]


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_that_ends_has_time_for_what_it_promises(name: str) -> None:
    """preStop, then the drain, then the requests that still run."""
    pod = PODS[name]["spec"]
    [container] = pod["containers"]
    [program, seconds] = container["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    given = {entry["name"]: entry.get("value") for entry in container["env"]}
    drain = Settings.model_fields.get("drain_s")
    drain_s = float(given.get("SLOTBEAM_DRAIN_S") or (drain.default if drain else 0))
    assert int(seconds) + drain_s + GRACE_S < pod["terminationGracePeriodSeconds"]


def test_no_update_drain_or_lost_machine_takes_every_data_plane() -> None:
    serve = NAMED["Deployment/slotbeam-serve"]["spec"]
    assert serve["replicas"] >= 2
    assert serve["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = NAMED["PodDisruptionBudget/slotbeam-serve"]["spec"]
    assert 1 <= budget["minAvailable"] < serve["replicas"]
    affinity = serve["template"]["spec"]["affinity"]["podAntiAffinity"]
    [term] = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert term["podAffinityTerm"]["labelSelector"] == budget["selector"] == serve["selector"]


def test_every_variable_of_a_plane_is_a_setting_and_every_argument_a_command() -> None:
    known = {f"SLOTBEAM_{name.upper()}" for name in Settings.model_fields}
    for name in PLANES:
        [container] = PODS[name]["spec"]["containers"]
        given = {entry["name"] for entry in container["env"]} - {"REDIS_PASSWORD"}
        assert given <= known
        assert container["args"] == ["slotbeam", name.rpartition("-")[2]]


def links() -> Iterator[tuple[str, str]]:
    """The variables that a pod of these Services gets unless it declines, as Kubernetes forms them."""
    for number, (name, document) in enumerate(NAMED.items()):
        if document["kind"] == "Service" and document["spec"].get("clusterIP") != "None":
            service = re.sub("[^A-Z0-9]", "_", name.partition("/")[2].upper())
            [entry] = document["spec"]["ports"]
            address, port = f"10.96.0.{number}", entry["port"]
            yield f"{service}_SERVICE_HOST", address
            yield f"{service}_SERVICE_PORT", str(port)
            yield f"{service}_PORT", f"tcp://{address}:{port}"
            long = f"{service}_PORT_{port}_TCP"
            yield long, f"tcp://{address}:{port}"
            yield from ((f"{long}_PROTO", "tcp"), (f"{long}_PORT", str(port)), (f"{long}_ADDR", address))


@pytest.mark.parametrize(("command", "flag"), [("serve", "--port"), ("admin", "--admin-port")])
def test_a_plane_starts_in_a_pod_that_is_told_of_them_all_the_same(
    command: str, flag: str, tmp_path: Path, tiny_artifact: Path
) -> None:
    given = dict(links())
    assert {"SLOTBEAM_PORT", "SLOTBEAM_ADMIN_PORT"} <= given.keys()
    variables = environment(redis_url=f"unix://{tmp_path}/none", data_dir=tmp_path / "data", artifact=tiny_artifact)
    with subprocess.Popen(
        [*CLI, command, flag, "0"], env={**variables, **given}, stderr=subprocess.PIPE, text=True
    ) as plane:
        try:
            url, said = listening(plane)
            assert url.startswith("http://127.0.0.1:")
            warned = [event["event"] for event in said if event["level"] == "warning"]
            assert [text.split()[0] for text in warned[:2]] == ["SLOTBEAM_PORT", "SLOTBEAM_ADMIN_PORT"]
        finally:
            plane.terminate()
            plane.wait(HANG_S)
