import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_make_check_is_what_continuous_integration_calls() -> None:
    """The prerequisites of `check` and the targets that `.ci/run` makes: the same ones in the same order."""
    makefile, run = (ROOT / "Makefile").read_text(), (ROOT / ".ci/run").read_text()
    checked = re.search(r"^check:(.*)$", makefile, re.MULTILINE)
    assert checked is not None
    made = re.findall(r"^make (.+)$", run, re.MULTILINE)
    assert made == checked[1].split()
    assert made[0] == "test"
