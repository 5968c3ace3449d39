"""A binding gets a field: one line of `BindingSpec`. The slotbeam with that line is made here, of the real sources."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings import binding as today
from slotbeam.bindings import spec
from slotbeam.bindings.binding import Binding, state_digest
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.times import LAST_MS
from slotbeam.errors import BindingError
from support.live import make_binding

GOLDEN = Path(__file__).parent / "golden"
LAST_LINE = '    reason: str = ""\n'
LATER = {"audience": ("str", "all"), "loud": ("bool", False), "until": ("int | None", None)}
LATER |= {"markets": ("tuple[str, ...]", ())}
NEW_LINES = "".join(f"    {name}: {kind} = later({default!r})\n" for name, (kind, default) in LATER.items())

values = st.fixed_dictionaries(
    {
        "audience": st.sampled_from(["all", "", "vip"]),
        "loud": st.booleans(),
        "until": st.none() | st.integers(0, LAST_MS),
        "markets": st.lists(st.text(st.characters(codec="utf-8")), max_size=3).map(tuple),
    }
)
words = st.lists(st.text("abcdef", min_size=1, max_size=8), min_size=1, max_size=4, unique=True)


def source() -> str:
    """Return `bindings/spec.py` with a field of each kind more."""
    text = Path(spec.__file__).read_text(encoding="utf-8")
    assert text.count(LAST_LINE) == 1
    return text.replace(LAST_LINE, LAST_LINE + NEW_LINES)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`bindings/binding.py` over that source; every other module stays today's."""
    file = tmp_path_factory.mktemp("newer") / "spec.py"
    file.write_text(source(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        loaded(patch, spec.__name__, file)
        yield loaded(patch, "newer_binding", Path(today.__file__))


def loaded(patch: pytest.MonkeyPatch, name: str, file: Path) -> ModuleType:
    """Run `file` as the module `name`, for as long as `patch` lives."""
    found = spec_from_file_location(name, file)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    patch.setitem(sys.modules, name, module)
    found.loader.exec_module(module)
    return module


def fields_of(binding: Any) -> dict[str, Any]:
    return {name: getattr(binding, name) for name in (*spec.FIELDS, "id", "items", "item_count", "revision")}


@given(words=words)
def test_a_record_of_today_is_read_and_written_as_it_is(newer: Any, words: list[str]) -> None:
    record = make_binding(*words).record()
    binding = newer.Binding.from_record(record)
    assert {name: getattr(binding, name) for name in LATER} == {name: default for name, (_, default) in LATER.items()}
    assert binding.record() == record
    assert newer.state_digest({binding.id: binding.record()}) == state_digest({binding.id: record})


def test_the_golden_records_are_read_and_written_as_they_are(newer: Any) -> None:
    for name in ("crocs", "labubu"):
        golden = (GOLDEN / f"{name}.json").read_bytes()
        assert newer.Binding.from_record(golden).record() == golden


@given(words=words, said=values)
def test_a_record_says_the_new_fields_that_are_not_at_their_default(
    newer: Any, words: list[str], said: dict[str, Any]
) -> None:
    binding = newer.Binding(**fields_of(make_binding(*words)), **said)
    record = binding.record()
    told = {name for name in said if said[name] != LATER[name][1]}
    assert json.loads(record).keys() & LATER.keys() == told
    assert newer.Binding.from_record(record) == binding
    if told:
        with pytest.raises(BindingError, match="written by a newer slotbeam"):
            Binding.from_record(record)
    else:
        assert Binding.from_record(record).record() == record


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"loud": False}, "canonical"),
        ({"markets": []}, "canonical"),
        ({"loud": 1}, "wrong type"),
        ({"markets": [1]}, "not text"),
    ],
    ids=str,
)
def test_a_new_field_has_one_form_in_records(newer: Any, said: dict[str, Any], why: str) -> None:
    record = today.canonical({**json.loads(make_binding("crocs").record()), **said})
    with pytest.raises(BindingError, match=why):
        newer.Binding.from_record(record)


def test_a_record_that_lacks_a_field_of_the_first_ones_is_refused() -> None:
    data = json.loads(make_binding("crocs").record())
    for name in sorted(data):
        with pytest.raises(BindingError, match=f"lacks the field '{name}'"):
            Binding.from_record(today.canonical({key: value for key, value in data.items() if key != name}))


def test_a_replica_that_does_not_know_a_field_serves_the_other_bindings_and_says_why(newer: Any) -> None:
    plain = make_binding("crocs")
    other = newer.Binding(**fields_of(make_binding("labubu")), audience="vip")
    records = {plain.id: plain.record(), other.id: other.record()}
    listing = Listing("e1", 1, state_digest(records), records, {})
    assert listing.verify()
    assert set(listing.bindings) == {plain.id}
    assert listing.malformed == {
        other.id: "a binding record has the field 'audience', which this version of slotbeam does not know: it was "
        "written by a newer slotbeam; upgrade this process"
    }


EVERYWHERE = """
import sys
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

found = spec_from_file_location("slotbeam.bindings.spec", sys.argv[1])
sys.modules[found.name] = module = module_from_spec(found)
found.loader.exec_module(module)

from slotbeam.api.admin.forms import BindForm, PatchForm, RowForm, said
from slotbeam.api.admin.models.audit import BindingRecord
from slotbeam.api.admin.models.slots import BoundSlot
from slotbeam.api.admin.rows import COLUMNS, MEMBERS, parse_csv
from slotbeam.bindings.edits.wanted import Wanted
from slotbeam.bindings.recovery.backup import from_file

name = "audience"
forms, refused = parse_csv(b"words,category,audience\\ncrocs,brand,vip\\n")
assert not refused and said(forms[2])[name] == "vip"
assert all(name in form.model_fields for form in (BindForm, PatchForm, RowForm, BoundSlot, BindingRecord))
assert name in COLUMNS and name in MEMBERS and name in {field.name for field in fields(Wanted)}
assert BoundSlot.model_fields[name].is_required() and not BindingRecord.model_fields[name].is_required()
backup = from_file(Path(sys.argv[2]))
assert [binding.record() for binding in backup.bindings.values()] == [Path(sys.argv[3]).read_bytes()]
"""


def test_one_line_is_enough_for_bodies_files_answers_and_backups(tmp_path: Path) -> None:
    """With a field of text; an export from before it is a backup still, and gives the records of then."""
    line = "    audience: str = later('all')\n"
    (tmp_path / "spec.py").write_text(source().replace(NEW_LINES, line), encoding="utf-8")
    binding = make_binding("crocs", ids=["i001"])
    (tmp_path / "record").write_bytes(binding.record())
    times = {"starts_at": None, "ends_at": None, "created_at": None}
    row = {name: value for name, value in json.loads(binding.record()).items() if name not in ("item_count", "draft")}
    export = [{**row, **times, "items": ["i001"], "state": "active", "slot": "1-4"}]
    (tmp_path / "export.json").write_text(json.dumps(export))
    files = [str(tmp_path / name) for name in ("spec.py", "export.json", "record")]
    done = subprocess.run([sys.executable, "-c", EVERYWHERE, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
