"""A store that is gone comes back from its backup, and what is deployed makes one every hour."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import redis
import yaml
from kubernetes_validate.utils import all_versions, major_minor

from slotbeam.bindings.binding import EMPTY_STATE
from slotbeam.embedded.address import store_url
from slotbeam.settings import Settings
from support.processes import CLI, HANG_S, Up, environment, wait_for
from support.secured import Secured, passwords, secured

ROOT = Path(__file__).parent.parent.parent
PLAIN, BACKUP = ROOT / "docker-compose.yml", ROOT / "deploy/compose.backup.yml"
QUERIES = ("labubu mug", "red mug", "zorblax", "crocs", "mug")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("up") / "data", tiny_artifact) as running:
        yield running


def done(up: Up, *arguments: str) -> str:
    finished = up.cli(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def served(up: Up) -> list[tuple[Any, ...]]:
    """What a shopper is answered, and the digest of what is active."""
    answers = [up.retrieve(query, k=50) for query in QUERIES]
    return [
        (answer["items"], answer["applied_bindings"], answer["bindings"]["active"], answer["catalog"]["index"])
        for answer in answers
    ]


def test_an_empty_store_is_filled_from_a_backup_and_replicas_serve_to_the_digest_what_they_served(
    up: Up, tmp_path: Path
) -> None:
    """Bindings, a rule, edited items, and an index that an item was folded into."""
    done(up, "items", "put", "z1", '{"title": "zorblax plush"}')
    folded = json.loads(done(up, "index", "--fold", "--json"))["name"]
    done(up, "index", "activate", folded)
    done(up, "slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--item", "i004")
    done(up, "hide", "crocs", "i005")
    done(up, "items", "put", "m1", '{"title": "a red mug with zorblax"}')
    before, kept = served(up), tmp_path / "kept"
    assert before[0][0][0]["id"] in ("i003", "i004")
    made = json.loads(done(up, "backup", "make", str(kept), "--json"))
    assert f"{made['file']} holds 2 bindings" in done(up, "backup", "verify", str(kept), "--max-age", "1")
    items = made["items"]

    with redis.Redis.from_url(store_url(None, up.data_dir), decode_responses=True) as raw:
        raw.flushall()
        wait_for(lambda: up.retrieve("mug")["bindings"]["state"] == "hold:NO_EPOCH")
        looked = done(up, "backup", "restore", str(kept), "--dry-run")
        assert f"the index {folded} would be active" in looked
        assert not list(raw.scan_iter("{sb}:meta"))
        restored = json.loads(done(up, "backup", "restore", str(kept), "--json"))
        assert (restored["bindings"]["added"], restored["index"]["switched"]) != ([], False)
        assert raw.hget("{sb}:imeta", "digest") == items["digest"]
        revision, seq = restored["bindings"]["revision"], restored["items"]["seq"]

    def taken_over() -> bool:
        answer = up.retrieve("mug")
        states = {answer["bindings"]["state"], answer["catalog"]["state"]}
        return (answer["bindings"]["revision"], answer["catalog"]["seq"], states) == (revision, seq, {"live"})

    wait_for(taken_over)
    assert served(up) == before
    done(up, "slots", "unbind", "labubu")
    refused = up.cli("backup", "restore", str(kept))
    assert (refused.returncode, "nothing was written" in refused.stderr) == (1, True)
    assert "--overwrite" in refused.stderr
    assert served(up) != before
    done(up, "backup", "restore", str(kept), "--overwrite")
    wait_for(lambda: up.retrieve("mug")["bindings"]["revision"] > revision + 1)
    assert served(up) == before


def test_a_backup_that_is_killed_leaves_the_older_ones_whole_and_nothing_of_itself(up: Up, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done(up, "backup", "make", str(kept))
    [whole] = kept.iterdir()
    content = whole.read_bytes()
    argv = [*CLI, "backup", "make", str(kept), "--keep", "1"]

    def begun(process: subprocess.Popen[bytes]) -> bool:
        return len(list(kept.iterdir())) > 1 or process.poll() is not None

    for _ in range(3):
        with subprocess.Popen(argv, env=up.environment, stdout=subprocess.DEVNULL) as process:
            wait_for(partial(begun, process))
            process.send_signal(signal.SIGKILL)
        for file in kept.glob("slotbeam-*"):
            done(up, "backup", "verify", str(file))
        assert list(kept.glob("slotbeam-*"))
    assert not whole.exists() or whole.read_bytes() == content
    done(up, "backup", "make", str(kept), "--keep", "1")
    [left] = kept.iterdir()
    done(up, "backup", "verify", str(left))


def test_what_fails_is_said_and_ends_with_status_1(up: Up, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    none = up.cli("backup", "verify", str(tmp_path))
    assert (none.returncode, "holds no backup" in none.stderr) == (1, True)
    done(up, "backup", "make", str(kept))
    [file] = kept.iterdir()
    old = up.cli("backup", "verify", str(kept), "--max-age", "0")
    assert (old.returncode, "more than 0 hours ago" in old.stderr) == (1, True)
    file.write_bytes(file.read_bytes()[:-1])
    for command in ("verify", "restore"):
        cut = up.cli("backup", command, str(file))
        assert (cut.returncode, f"{file} is no backup that is whole" in cut.stderr) == (1, True)
    away = up.cli("backup", "make", str(kept), "--redis-url", f"unix://{tmp_path}/none")
    assert (away.returncode, len(away.stderr.splitlines())) == (1, 1)
    (tmp_path / "file").touch()
    nowhere = up.cli("backup", "make", str(tmp_path / "file" / "kept"))
    assert (nowhere.returncode, "no backup was made" in nowhere.stderr) == (1, True)


# ---------------------------------------------------------------- what is deployed


@pytest.fixture
def guarded(redis_server: str, tmp_path: Path) -> Iterator[Secured]:
    (tmp_path / "store").mkdir()
    with secured(Path(redis_server), tmp_path / "store") as running:
        yield running


def backup_service(docker_compose: str) -> dict[str, Any]:
    argv = [docker_compose, "-f", str(PLAIN), "-f", str(BACKUP), "config"]
    found = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **passwords()})
    assert found.returncode == 0, found.stderr
    services: dict[str, dict[str, Any]] = yaml.safe_load(found.stdout)["services"]
    assert set(services) == {"redis", "serve", "admin", "backup"}
    return services["backup"]


def test_the_container_makes_one_after_the_other_as_the_user_of_the_control_plane_and_ends_when_one_fails(
    docker_compose: str, guarded: Secured, tmp_path: Path
) -> None:
    """Its own command, on a store with its users, with a `sleep` that says where it waits."""
    service = backup_service(docker_compose)
    assert service["environment"]["SLOTBEAM_REDIS_URL"].startswith("redis://admin:")
    assert (service["read_only"], service["user"], service["cap_drop"]) == (True, "10001:10001", ["ALL"])
    assert [volume.split(":")[1] for volume in service["volumes"]] == [service["working_dir"]]
    with redis.Redis.from_url(guarded.url("admin"), decode_responses=True) as client:
        client.hset("{sb}:meta", mapping={"epoch": "e", "rev": "0", "state": EMPTY_STATE, "count": "0", "schema": "1"})
    path, woken = tmp_path / "bin", tmp_path / "woken"
    path.mkdir()
    os.mkfifo(woken)
    for name, script in (
        ("slotbeam", f'exec {" ".join(CLI)} "$@"'),
        ("sleep", f"echo $1 >> {tmp_path}/slept; read line < {woken}"),
    ):
        (path / name).write_text(f"#!/bin/sh\n{script}\n")
        (path / name).chmod(0o755)
    variables = environment(redis_url=guarded.url("admin")) | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(
        service["command"], env=variables, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for((tmp_path / "slept").exists)
        check = subprocess.run(
            service["healthcheck"]["test"][1:], env=variables, cwd=tmp_path, capture_output=True, text=True
        )
        assert (check.returncode, "every digest in it fits" in check.stdout) == (0, True), check.stderr
        with redis.Redis.from_url(guarded.url("admin")) as client:
            client.delete("{sb}:meta")
        woken.write_text("wake up\n")
        _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 1
    assert "there is nothing to back up" in said
    assert (tmp_path / "slept").read_text().split() == ["3600"]


@pytest.mark.parametrize("file", ["backup", "restore"])
def test_kubernetes_accepts_the_manifests_and_their_pods_run_a_command_of_slotbeam_without_root_rights(
    file: str,
) -> None:
    documents = list(yaml.safe_load_all((ROOT / f"deploy/kubernetes/{file}.yaml").read_text()))
    for version in sorted({major_minor(one) for one in all_versions()}):
        for document in documents:
            named = copy.deepcopy(document)
            named["metadata"].setdefault("name", "made-by-generateName")
            kubernetes_validate.validate(named, version, strict=True)
    work = documents[-1]["spec"]
    pod = work.get("jobTemplate", {"spec": work})["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["args"][:3] == ["slotbeam", "backup", {"backup": "make"}.get(file, file)]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["enableServiceLinks"] is False
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    [claim] = [volume for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert mounts[str(Path(container["args"][3]).parent)] == claim["name"] == "backups"
    assert claim["persistentVolumeClaim"]["claimName"] == "slotbeam-backups"
    known = {f"SLOTBEAM_{name.upper()}" for name in Settings.model_fields}
    assert {entry["name"] for entry in container["env"]} - {"REDIS_PASSWORD"} <= known
