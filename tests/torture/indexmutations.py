"""Mutants of the switch of the index: what keeps every edit, whichever index a replica serves."""

from __future__ import annotations

from torture.mutation import Mutation, one

SWITCH = "tests/items/test_switch.py"
SWITCHING = "tests/items/test_switching.py"
HELD = (
    f"{SWITCHING}::test_records_that_every_index_in_use_holds_are_let_go_and_an_older_index_holds",
    f"{SWITCH}::test_records_go_up_to_the_older_watermark_once_no_replica_serves_another_index",
)

OF_INDEXES: tuple[Mutation, ...] = (
    one(
        *("a plane starts with SLOTBEAM_ARTIFACT, whatever took its place", "cli/plane.py"),
        *("load_index(settings)", 'load_index(settings.model_copy(update={"data_dir": settings.data_dir / "new"}))'),
        "tests/cli/test_plane.py::test_a_plane_is_made_of_the_index_that_took_the_artifacts_place",
    ),
    one(
        *("a replica is ready before it looked which index is active", "items/replica/switching.py"),
        *("return await happened(self._looked, timeout_s)", "return True"),
        "tests/items/test_switching.py::"
        "test_a_replica_that_never_served_the_active_index_is_ready_once_it_does_or_cannot",
    ),
    one(
        *("an index that lacks edits is activated", "items/switch.py"),
        *("if seq < base.trimmed:", "if False:"),
        f"{SWITCH}::test_an_index_without_edits_whose_records_are_gone_is_refused",
    ),
    one(
        *("records go that the index before lacks", "items/replica/trimming.py"),
        *("return min(mark.watermark.seq for mark in both)", "return max(mark.watermark.seq for mark in both)"),
        *HELD,
    ),
    one(
        *("records go while a replica serves another index", "items/replica/trimming.py"),
        *("not {mark.sha for mark in both}.issuperset(served) or any(", "any("),
        *HELD,
    ),
    one(
        *("a replica does not ask what its index lacks", "items/replica/judging.py"),
        *("if seen.trimmed > watermark.seq:", "if False:"),
        f"{SWITCHING}::test_records_that_every_index_in_use_holds_are_let_go_and_an_older_index_holds",
    ),
    one(
        *("the last good items are served over any index", "items/replica/serving.py"),
        *("if good is not None and good.trimmed > held:", "if False:"),
        f"{SWITCHING}::test_records_that_every_index_in_use_holds_are_let_go_and_an_older_index_holds",
    ),
    one(
        *("edits that come while an index is made ready are left out", "items/replica/follower.py"),
        *(
            "head, records, trimmed = self.serving.known, dict(self.records), self.serving.trimmed",
            "records, trimmed = dict(ready.records), ready.trimmed",
        ),
        f"{SWITCHING}::test_what_is_edited_while_an_index_is_made_ready_is_served_with_it",
    ),
    one(
        *("an index is served unverified", "items/replica/switching.py"),
        *("        verify(directory, manifest)\n", ""),
        f"{SWITCHING}::test_an_index_that_cannot_be_served_is_told_and_the_one_before_is_served_on",
    ),
    one(
        *("two switches of the index at once are one", "items/store/switch.lua"),
        *("is(index, 'number', plan.before) and ", ""),
        f"{SWITCHING}::test_a_switch_that_somebody_made_meanwhile_is_planned_on",
    ),
)
