"""No text from outside moves the cursor, forges a line or turns a terminal's colours on: on the screen or in a log."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from slotbeam.cli import console

EVIL = {
    "a new line": "mug\nslotbeam: all is well",
    "a carriage return": "mug\rslot",
    "an escape code": "\x1b[2Jmug",
    "a C1 control": "\x9b2Jmug",
    "a right-to-left override": "\u202egum",
    "a zero-width space": "mu\u200bg",
    "a line separator": "mug\u2028slot",
    "a tag character": "mug\U000e0041",
    "a lone surrogate": "mug\ud800",
}
every = pytest.mark.parametrize("text", EVIL.values(), ids=EVIL.keys())


@every
def test_what_is_said_is_one_visible_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.say(text)
    with pytest.raises(SystemExit):
        console.fail(text)
    out, err = capsys.readouterr()
    for line in (out, err):
        assert line.endswith("\n")
        assert line[:-1].isprintable()


@every
def test_a_cell_stays_in_its_row(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.table(("slot", "words"), [("1-4", "mug"), ("1-5", text)])
    out = capsys.readouterr().out
    console.table(("slot", "words"), [("1-4", "mug"), ("1-5", "mug")])
    assert all(line.isprintable() for line in out.split("\n"))
    assert out.count("\n") == capsys.readouterr().out.count("\n")


@pytest.mark.parametrize("text", [text for text in EVIL.values() if "\ud800" not in text])
def test_printed_json_is_visible_and_has_the_same_meaning(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.show_json({text: [text, "拉布布"]})
    out = capsys.readouterr().out
    assert json.loads(out) == {text: [text, "拉布布"]}
    assert all(line.isprintable() for line in out.split("\n"))
    assert "拉布布" in out


PROGRAM = """
import logging, structlog, sys
from slotbeam.cli.logs import configure_logging
configure_logging("info")
for text in {texts}:
    structlog.get_logger("ours").error(text, field=text)
    logging.getLogger("uvicorn.error").warning("%s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("ours").exception("caught")
        logging.getLogger("asyncio").exception(text)
"""


def test_every_line_of_the_log_is_one_event_of_plain_ascii_json() -> None:
    program = PROGRAM.format(texts=ascii(list(EVIL.values())))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    lines = done.stderr.decode("ascii").splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        event for text in EVIL.values() for event in (text, text, "caught", text)
    ]
    assert all({"level", "timestamp"} <= set(json.loads(line)) for line in lines)
