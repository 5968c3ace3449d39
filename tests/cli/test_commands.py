"""The command line: what is lazy, what is said, and with which status it ends."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer

from slotbeam import cli
from support.processes import CLI, environment
from support.shop import make_items


@contextmanager
def own_logging() -> Iterator[None]:
    """Undo what a service does to the logging of its process."""
    root, structured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        for owner, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
            patch.setattr(owner, hook, getattr(owner, hook))
        try:
            yield
        finally:
            logging.captureWarnings(False)
            structlog.configure(**structured)
            root.handlers[:] = handlers
            root.setLevel(level)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return status, standard output, standard error."""
    with pytest.MonkeyPatch.context() as patch, own_logging():
        patch.setattr(sys, "argv", ["slotbeam", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def ended(err: str) -> str:
    """Return the error that ended a command: a service's is the last event of its log, any other's a line of text."""
    if not err.startswith("{"):
        return err.removeprefix("slotbeam: ")
    event = json.loads(err.splitlines()[-1])
    assert event["level"] == "critical"
    return str(event["event"])


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    return set(done.stdout.split())


def test_the_command_line_loads_nothing_heavy() -> None:
    loaded = modules_after("import slotbeam.cli")
    assert not loaded & {"torch", "onnxruntime", "fastapi", "numpy", "uvicorn", "httpx", "redis"}


def test_a_variable_for_the_version_that_somebody_deploys_is_no_flag(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOTBEAM_VERSION", "0.2.0")
    status, out, _ = run(capsys, "tokens", "--help")
    assert (status, "revoke" in out) == (0, True)


def test_serving_never_loads_pytorch() -> None:
    loaded = modules_after("import slotbeam.api.retrieve.app, slotbeam.api.admin, slotbeam.cli.supervisor, uvicorn")
    assert not {name for name in loaded if name.split(".")[0] in ("torch", "sklearn", "pyarrow", "matplotlib", "onnx")}


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for command in (
        "up",
        "serve",
        "admin",
        "train",
        "eval",
        "bench",
        "world",
        "kae",
        "slots",
        "items",
        "suggestions",
        "tokens",
        "query",
        "doctor",
    ):
        assert f" {command} " in out


def test_a_command_stands_in_the_file_of_its_name() -> None:
    from typer.core import TyperGroup
    from typer.main import get_command

    slotbeam = get_command(cli.app)
    assert isinstance(slotbeam, TyperGroup)
    for name, command in slotbeam.commands.items():
        folder = f"slotbeam.cli.{name}"
        for child_name, child in getattr(command, "commands", {"": command}).items():
            module = child.callback.__module__.removesuffix("_")  # `import` is no name of a module
            assert module in (folder, f"{folder}.{child_name}"), f"slotbeam {name} {child_name}"


def test_every_flag_of_every_command_has_a_variable() -> None:
    from typer.main import get_command

    prefixes = []

    def walk(command: Any, parent: Any, name: str) -> None:
        context = command.context_class(command, info_name=name, parent=parent, **command.context_settings)
        for child_name, child in getattr(command, "commands", {}).items():
            walk(child, context, child_name)
        flags = [p for p in command.params if p.opts[0].startswith("-") and p.name not in ("help", "version")]
        assert all(p.envvar or p.allow_from_autoenv for p in flags)
        prefixes.append(context.auto_envvar_prefix)

    walk(get_command(cli.app), None, "slotbeam")
    assert {"SLOTBEAM_TRAIN", "SLOTBEAM_SLOTS_BIND", "SLOTBEAM_KAE_EXPLAIN"} <= set(prefixes)
    assert all(prefix.startswith("SLOTBEAM") for prefix in prefixes)


def test_a_flag_may_come_from_its_variable(tiny_artifact: Path) -> None:
    variables = environment(artifact=tiny_artifact) | {
        "SLOTBEAM_KAE_EXPLAIN_JSON": "1",
        "SLOTBEAM_JSON": "1",
    }
    done = subprocess.run([*CLI, "kae", "explain", "mug"], env=variables, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["canonical"] == "mug"


def test_serve_without_a_store_says_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_artifact: Path
) -> None:
    status, out, err = run(capsys, "serve", "--data-dir", str(tmp_path), "--artifact", str(tiny_artifact))
    assert (status, out) == (1, "")
    assert 'run "slotbeam up"' in ended(err)
    assert "SLOTBEAM_REDIS_URL" in ended(err)


def test_a_damaged_artifact_is_refused_with_the_name_of_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_artifact: Path
) -> None:
    damaged = tmp_path / "artifact"
    shutil.copytree(tiny_artifact, damaged)
    path = damaged / "model" / "decoder.onnx"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    url = "redis://127.0.0.1:1/0"
    status, _, err = run(capsys, "serve", "--port", "0", "--redis-url", url, "--artifact", str(damaged))
    assert status == 1
    assert "model/decoder.onnx has sha256" in err
    assert err.count("\n") == 1


def test_up_says_which_plane_did_not_start(tmp_path: Path) -> None:
    variables = environment(artifact=tmp_path / "none", data_dir=tmp_path / "data", port=0, admin_port=0)
    done = subprocess.run([*CLI, "up"], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "holds no manifest.json" in done.stderr
    assert "before it was ready" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_names_the_setting(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from slotbeam.cli.listening import listen

    with listen("127.0.0.1", 0, "SLOTBEAM_PORT") as taken:
        port = str(taken.getsockname()[1])
        status, _, err = run(capsys, "up", "--port", port, "--data-dir", str(tmp_path))
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in err
    assert "set SLOTBEAM_PORT" in err


def test_up_names_a_data_directory_that_cannot_be_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "up", "--data-dir", str(tmp_path / "file" / "data"))
    assert status == 1
    assert "set SLOTBEAM_DATA_DIR" in err


def test_a_file_that_cannot_be_written_is_named_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_artifact: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "items.jsonl").write_text('{"id": "B07", "title": "mug"}')
    inside = tmp_path / "file" / "out"
    status, out, err = run(capsys, "world", "--out", str(inside))
    assert (status, out, ended(err.strip())) == (1, "", f"{inside}: Not a directory")
    catalog = ("--model", str(tiny_artifact), "--catalog", str(tmp_path / "items.jsonl"))
    status, out, err = run(capsys, "index", *catalog, "--out", str(inside))
    assert (status, ended(err.strip())) == (1, f"{inside} cannot be written: Not a directory; nothing is left of it")


def test_what_is_typed_in_another_encoding_is_refused_and_a_terminal_of_another_one_is_told_all(
    capsys: pytest.CaptureFixture[str], tiny_artifact: Path
) -> None:
    status, _, err = run(capsys, "query", "lab\udcffubu", "--url", "http://127.0.0.1:1")
    assert (status, "'lab\\udcffubu': no text, for it holds bytes that are not UTF-8" in err) == (1, True)
    plain = {**environment(), "PYTHONIOENCODING": "ascii"}
    explain = [*CLI, "kae", "explain", "red mug", "--artifact", str(tiny_artifact)]
    done = subprocess.run(explain, capture_output=True, env=plain, timeout=60)
    assert (done.returncode, b"\\u2013" in done.stdout) == (0, True), done.stderr


def test_an_index_of_nothing_says_which_rows_were_left_out_and_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_artifact: Path
) -> None:
    (tmp_path / "items.csv").write_text("id;title;fields.sale\nB07;;\n")
    given = ("--model", str(tiny_artifact), "--catalog", str(tmp_path / "items.csv"), "--skip-bad", "1")
    status, _, err = run(capsys, "index", *given, "--out", str(tmp_path / "out"))
    assert status == 1
    assert "items.csv:2: title: is missing" in err
    assert f"slotbeam: there is no item in {tmp_path}/items.csv; rows left out: 1" in err


def test_a_wrong_setting_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_WORKERS", "many")
    status, _, err = run(capsys, "kae", "explain", "mug")
    assert status == 1
    assert "SLOTBEAM_WORKERS is 'many'" in err
    assert err.count("\n") == 1


def test_slots_without_a_service_say_what_to_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = run(capsys, "slots", "list", "--data-dir", str(tmp_path))
    assert status == 1
    assert "SLOTBEAM_ADMIN_TOKEN" in err
    monkeypatch.setenv("SLOTBEAM_ADMIN_TOKEN", "x" * 20)
    status, _, err = run(capsys, "slots", "list", "--data-dir", str(tmp_path), "--url", "http://127.0.0.1:1")
    assert status == 1
    assert 'start "slotbeam up"' in err


def test_bind_asks_which_items(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "slots", "bind", "crocs", "-c", "brand")
    assert status == 1
    assert "--match or --match-live" in err


def test_kae_explain_shows_groups_slots_and_why(capsys: pytest.CaptureFixture[str], tiny_artifact: Path) -> None:
    status, out, _ = run(capsys, "kae", "explain", "Red USB-C lamp", "--artifact", str(tiny_artifact))
    assert status == 0
    assert "canonical  red usb-c lamp" in out
    assert "represents its position" in out


def test_doctor_fails_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_artifact: Path
) -> None:
    status, out, _ = run(capsys, "doctor", "--json", "--artifact", str(tmp_path), "--data-dir", str(tmp_path / "d"))
    assert status == 1
    found = {finding["check"]: finding["mark"] for finding in json.loads(out)}
    assert found["artifact"] == "✗"
    assert found["store"] == "!"  # what is wrong is said once
    assert found["python"] == "✓"


def test_world_writes_what_it_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ("world", "--out", str(tmp_path / "world"), "--items", "1000", "--requests-per-item", "0.5", "--json")
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert json.loads(out)["counts"]["items"] == 1000
    assert (tmp_path / "world" / "items.jsonl").exists()


def test_kae_groups_shows_the_curve_and_draws_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    catalog, plot = tmp_path / "items.jsonl", tmp_path / "curve.svg"
    rows = [{"id": item.id, "title": item.title, "attributes": {"brand": ["acme"]}} for item in make_items(60)]
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("kae", "groups", "--catalog", str(catalog), "--groups", "5", "--plot", str(plot), "--json")
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert len(json.loads(out)["groups"]) == 5
    assert plot.read_text().startswith("<?xml")


def test_text_for_the_terminal_holds_no_escape_codes(capsys: pytest.CaptureFixture[str]) -> None:
    from slotbeam.cli.console import say

    say("a\x1b[31mred\u202e")
    assert capsys.readouterr().out == "a\\x1b[31mred\\u202e\n"


@pytest.mark.parametrize("url", ["redis://:TopSecret/part2@h", "http://u:TopSecret@h", "redis://:TopSecret@h?x=1"])
@pytest.mark.parametrize("command", [["serve"], ["admin"], ["up"], ["doctor"], ["slots", "restore", "--from", "1"]])
def test_a_store_url_that_cannot_be_used_is_one_line_without_the_password(
    command: list[str], url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLOTBEAM_DATA_DIR", str(tmp_path))
    for given in (["--redis-url", url], []):
        if not given:
            monkeypatch.setenv("SLOTBEAM_REDIS_URL", url)
        status, out, err = run(capsys, *command, *given)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert ended(err).startswith("SLOTBEAM_REDIS_URL (not shown: it may hold a password) cannot be used: ")
        assert "Allowed: redis://" in err
        assert not [text for text in ("TopSecret", "part2", "bug", "Traceback") if text in err]
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_the_page_of_the_command_line_names_every_command_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| to \| commands \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    named, group = set(), ""
    for row in table.splitlines()[1:]:
        for text in re.findall(r"`([^`]+)`", row):
            first, _, rest = text.partition(" ")
            named.add(f"{first} {rest}" if rest else f"{group} {first}".strip())
            group = first if rest else group
        group = ""
    known = set()
    root = typer.main.get_command(cli.app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        known |= {name} if inner is None or command.invoke_without_command else set()
        known |= {f"{name} {one}" for one in inner or ()}
    assert named == known


def test_a_shell_completes_commands_and_a_mistyped_one_is_answered_with_what_comes_close(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_SLOTBEAM_COMPLETE", "complete_bash")
        patch.setenv("COMP_WORDS", "slotbeam slots un")
        patch.setenv("COMP_CWORD", "2")
        with pytest.raises(SystemExit, match="0"):
            cli.app(prog_name="slotbeam")
    assert capsys.readouterr().out.split() == ["unbind"]
    status, out, err = run(capsys, "slots", "unbnd")
    assert (status, out) == (2, "")
    assert "'unbind'" in err
