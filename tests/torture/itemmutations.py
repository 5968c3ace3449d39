"""The mutants of live items."""

from __future__ import annotations

from torture.mutation import Mutation, one

ITEMS = "tests/items"
RACES = f"{ITEMS}/test_races.py"

OF_ITEMS: tuple[Mutation, ...] = (
    one(
        *("no stale check in the script of items", "items/store/commit.lua"),
        *("if before ~= plan.before then", "if false then"),
        f"{ITEMS}/test_faults.py::test_an_edit_that_somebody_made_meanwhile_is_planned_on",
    ),
    one(
        *("no idempotency check of items", "items/store/commit.py"),
        *("if done is not None:", "if False:"),
        "tests/api/admin/test_admin_items.py::test_the_same_key_answers_again_and_does_nothing_again",
    ),
    one(
        *("an entry of the feed is believed whatever its digest", "items/replica/judging.py"),
        *(
            "follows = (entry.seq, entry.epoch, entry.digest) ==",
            "follows = True or (entry.seq, entry.epoch, entry.digest) ==",
        ),
        f"{ITEMS}/test_watching.py::test_an_entry_that_does_not_follow_is_not_applied_and_everything_is_read_again",
    ),
    one(
        *("an entry that comes twice is applied twice", "items/replica/judging.py"),
        *("if entry.seq <= head.seq:", "if False:"),
        f"{ITEMS}/test_watching.py::test_an_event_that_comes_twice_after_a_reconnect_is_applied_once",
    ),
    one(
        *("a list of items is believed whatever its digest", "items/store/store.py"),
        *("return str(Digest.of(records.values())) == self.head.digest", "return True"),
        f"{ITEMS}/test_follower.py::test_a_record_changed_past_the_feed_is_found_when_everything_is_listed",
    ),
    one(
        *("a store of items that was set back is followed", "items/replica/judging.py"),
        *("if seen.head.seq < known.seq:", "if False:"),
        f"{ITEMS}/test_follower.py::test_an_older_replica_promoted_is_held_against_until_the_store_is_back",
    ),
    one(
        *("another history of items is joined", "items/replica/judging.py"),
        *("seen.known_digest not in (None, known.digest)", "False"),
        f"{ITEMS}/test_follower.py::test_another_history_at_a_known_seq_is_held_against",
    ),
    one(
        *("the journal of items is not read", "items/replica/lastgood.py"),
        *("return self._replay(good), problems", "return good, problems"),
        f"{ITEMS}/test_follower.py::test_a_replica_boots_from_its_file_and_journal_when_the_store_is_dead",
    ),
    one(
        *("a line of the journal is believed whatever its digest", "items/replica/lastgood.py"),
        *('or told.decode(errors="replace") != str(digest):', "or False:"),
        f"{ITEMS}/test_lastgood.py::test_a_line_that_was_changed_ends_the_journal",
    ),
    one(
        *("a lost reply is never looked up", "items/store/commit.py"),
        *("if raw is not None and replies.text(raw) == outcome:", "if False:"),
        f"{ITEMS}/test_faults.py::test_a_lost_reply_is_looked_up_and_a_client_that_sends_again_does_nothing_twice",
    ),
    one(
        *("items are written to a store that could lose them", "items/store/commit.py"),
        *("(await store.store.durable()).how", "(await store.store.durability()).how"),
        f"{ITEMS}/test_faults.py::test_a_store_that_could_lose_an_edit_is_not_written_to",
    ),
    one(
        *("no epoch check in the script of items", "items/store/commit.lua"),
        *("if epoch ~= plan.epoch then", "if false then"),
        f"{RACES}::test_an_edit_planned_before_a_restore_is_refused",
    ),
    one(
        *("no idempotency check in the script of items", "items/store/commit.lua"),
        *("if seen then return", "if false then return"),
        f"{RACES}::test_a_key_that_a_lookup_missed_is_not_used_twice",
    ),
    Mutation(
        "the key is looked up before the items are read",
        "items/store/commit.py",
        (
            (
                "                seen, plan = await plan_items(store, operations, rules)\n",
                "                done = await earlier_items(store, operations, key, fingerprint)\n"
                "                if done is not None:\n                    return done\n"
                "                seen, plan = await plan_items(store, operations, rules)\n",
            ),
            (
                "                done = await earlier_items(store, operations, key, fingerprint)\n"
                "                if done is not None:\n                    return done\n"
                "                if not plan.writes:",
                "                if not plan.writes:",
            ),
        ),
        (f"{RACES}::test_the_same_request_at_two_control_planes_at_once_is_one_edit_told_twice",),
    ),
    one(
        *("what is so already is not asked of the disk", "items/store/commit.py"),
        *('known = await _on_disk(store, "imeta", "digest", seen.head.digest, how, seen.head.seq)', "known = how"),
        f"{ITEMS}/test_faults.py::test_what_is_so_already_is_not_acknowledged_before_it_is_on_disk",
    ),
    Mutation(
        "an item is served before it is on disk",
        "items/replica/serving.py",
        (
            (
                "            unkept = await self._keeping.step(head, step.lines, self.records)\n        elif",
                "            pass\n        elif",
            ),
            (
                "        if failed is None:\n            self._status.hold",
                "        if step is not None:\n"
                "            unkept = await self._keeping.step(head, step.lines, self.records)\n"
                "        if failed is None:\n            self._status.hold",
            ),
        ),
        (f"{RACES}::test_an_edit_is_on_disk_before_it_is_served",),
    ),
    one(
        *("the journal of items is not synced", "files.py"),
        *("os.fsync(descriptor)", "pass"),
        "tests/torture/test_disk.py::test_edits_that_were_appended_to_the_last_known_good_items_survive_a_power_cut",
    ),
    one(
        *("a store without edits leaves no last-known-good items", "items/replica/serving.py"),
        *("elif state is ServingState.LIVE:", "elif state is ServingState.LIVE and head.seq:"),
        f"{RACES}::test_a_replica_whose_store_has_no_edits_is_ready_from_its_file_when_the_store_is_dead",
    ),
)
