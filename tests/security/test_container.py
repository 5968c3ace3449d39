"""What the image promises, and the pods of the manifests: no root, nothing writable but volumes, no secret inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
MANIFESTS = [
    document
    for name in ("slotbeam", "artifacts")
    for document in yaml.safe_load_all((ROOT / f"deploy/kubernetes/{name}.yaml").read_text())
]
PODS = {
    document["metadata"]["name"]: document["spec"].get("template", document)["spec"]
    for document in MANIFESTS
    if document["kind"] in ("Deployment", "StatefulSet", "Pod")
}


def instructions() -> list[tuple[str, str]]:
    """(instruction, its arguments) of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines()]
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line[:1].isalpha())
    ]


def test_the_image_runs_as_a_user_with_a_number_that_is_not_root() -> None:
    last = [rest for word, rest in instructions() if word == "USER"][-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last)
    order = [word for word, _ in instructions()]
    assert "RUN" not in order[order.index("USER") :]


def test_the_image_fetches_nothing_but_hashed_packages() -> None:
    words = [word for word, _ in instructions()]
    assert "ADD" not in words
    assert not any("://" in rest for word, rest in instructions() if word not in ("HEALTHCHECK",))
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_the_image_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(?i)token|password|secret|api_?key", text)
    copied = [rest.split()[-2] for word, rest in instructions() if word == "COPY"]
    assert "." not in copied
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*", "the build sees only what is named"


@pytest.mark.parametrize("name", PODS)
def test_every_pod_runs_without_root_rights_or_a_writable_root(name: str) -> None:
    pod: dict[str, Any] = PODS[name]
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["runAsGroup"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_manifests_hold_no_secret_and_give_each_plane_its_own_user() -> None:
    assert "Secret" not in [document["kind"] for document in MANIFESTS]
    for plane in ("serve", "admin"):
        [container] = PODS[f"slotbeam-{plane}"]["containers"]
        given = {entry["name"]: entry for entry in container["env"]}
        assert given["REDIS_PASSWORD"]["valueFrom"]["secretKeyRef"]["key"] == f"redis-{plane}"
        assert f"//{plane}:$(REDIS_PASSWORD)@" in given["SLOTBEAM_REDIS_URL"]["value"]
    assert "SLOTBEAM_ADMIN_TOKEN" not in str(PODS["slotbeam-serve"])
