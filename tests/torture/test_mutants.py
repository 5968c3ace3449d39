"""The mutation checks: their texts are in the source, their tests exist, and the copy is what is tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torture.mutants import GREEN, RED, ROOT, Outdated, changed, copied, run
from torture.mutation import Mutation
from torture.mutations import MUTATIONS

PACKAGE = ROOT / "service" / "slotbeam"
TEST = """
from slotbeam.embedded.server import SETTINGS
def test_the_setting():
    assert SETTINGS["appendfsync"] == "always"
"""


def test_every_mutation_fits_the_source_and_changes_it() -> None:
    for mutation in MUTATIONS:
        assert changed(PACKAGE, mutation) != (PACKAGE / mutation.file).read_text(encoding="utf-8")
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert sum(mutation.five for mutation in MUTATIONS) == 5


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_tests_of_a_mutation_exist(mutation: Mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", text, re.M), test


def test_a_text_that_the_source_no_longer_holds_is_said() -> None:
    outdated = Mutation("gone", "bindings/store/store.py", (("no such line", ""),), ("tests",))
    with pytest.raises(Outdated, match="holds 0 times, not once"):
        changed(PACKAGE, outdated)
    twice = Mutation("twice", "bindings/store/store.py", (("with self.errors():", ""),), ("tests",))
    with pytest.raises(Outdated, match="not once"):
        changed(PACKAGE, twice)


def test_a_test_sees_the_mutant_and_not_what_is_installed(tmp_path: Path) -> None:
    test = tmp_path / "test_setting.py"
    test.write_text(TEST, encoding="utf-8")
    mutation = next(one for one in MUTATIONS if one.file == "embedded/server.py")
    good, bad = tmp_path / "good", tmp_path / "bad"
    copied(good)
    (copied(bad) / mutation.file).write_text(changed(PACKAGE, mutation), encoding="utf-8")
    assert run(good, [str(test)])[0] == GREEN
    assert run(bad, [str(test)])[0] == RED


def test_a_copy_that_is_not_imported_is_no_verdict(tmp_path: Path) -> None:
    test = tmp_path / "test_setting.py"
    test.write_text(TEST, encoding="utf-8")
    (copied(tmp_path / "copy") / "__init__.py").unlink()
    (tmp_path / "copy" / "service" / "slotbeam").rename(tmp_path / "copy" / "service" / "elsewhere")
    status, words = run(tmp_path / "copy", [str(test)])
    assert status not in (GREEN, RED)
    assert "not the copy" in words or "No module named 'slotbeam'" in words
