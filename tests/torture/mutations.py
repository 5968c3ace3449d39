"""The mutants of `make mutants`: what is taken away, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass

RACES = "tests/bindings/store/test_races.py"
COMMIT = "tests/bindings/store/test_commit.py"
VERDICTS = "tests/bindings/replica/test_overlay.py::test_the_verdict_of_the_protocol"
FORGED = "tests/bindings/replica/test_forged.py"
LASTGOOD = "tests/bindings/replica/test_lastgood.py"
ITEMS = "tests/items"


@dataclass(frozen=True)
class Mutation:
    """One textual change of a file under `service/slotbeam`; each text must be there exactly once.

    `five`: one of those that issue and release depend on.
    """

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]
    five: bool = False


def _one(name: str, file: str, old: str, new: str, *tests: str, five: bool = False) -> Mutation:
    return Mutation(name, file, ((old, new),), tests, five)


MUTATIONS: tuple[Mutation, ...] = (
    _one(
        *("no stale-revision check in the script", "bindings/store/commit.lua"),
        *("if revision ~= plan.before then", "if false then"),
        f"{RACES}::test_an_edit_planned_on_an_older_revision_is_planned_again",
        five=True,
    ),
    _one(
        *("a read without MULTI", "bindings/store/store.py"),
        *("async with client.pipeline(transaction=True)", "async with client.pipeline(transaction=False)"),
        f"{RACES}::test_a_commit_in_the_middle_of_a_read_is_seen_whole_or_not_at_all",
        five=True,
    ),
    _one(
        *("the embedded store syncs every second", "embedded/server.py"),
        *('"appendfsync": "always"', '"appendfsync": "everysec"'),
        "tests/torture/test_disk.py::"
        "test_a_power_cut_under_the_settings_of_the_embedded_store_loses_no_acknowledged_write",
        five=True,
    ),
    _one(
        *("no idempotency check in the script", "bindings/store/commit.lua"),
        *("if seen then return", "if false then return"),
        f"{RACES}::test_a_key_that_is_used_between_looking_for_it_and_reading_is_not_used_twice",
        five=True,
    ),
    _one(
        *("the last-known-good file is not synced", "files.py"),
        *("os.fsync(file.fileno())", "file.fileno()"),
        f"{LASTGOOD}::test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bindings_whole",
        "tests/torture/test_disk.py::test_a_saved_last_known_good_file_survives_a_power_cut",
        five=True,
    ),
    # ---- the commit
    _one(
        *("no look for the key before a commit", "bindings/store/commit.py"),
        *("if done is not None:", "if False:"),
        f"{COMMIT}::test_the_same_key_and_request_answers_again_and_does_nothing",
    ),
    _one(
        *("a key answers for any request", "bindings/store/commit.py"),
        *("if used_for != fingerprint:", "if False:"),
        f"{COMMIT}::test_the_same_key_and_request_answers_again_and_does_nothing",
    ),
    _one(
        *("no word-taken check in the script", "bindings/store/commit.lua"),
        *("== 1 then return {'word', pair[1], holder} end", "== 2 then return {'word', pair[1], holder} end"),
        f"{COMMIT}::test_the_script_itself_refuses_what_was_written_past_us",
    ),
    _one(
        *("no slot-taken check in the script", "bindings/store/commit.lua"),
        *("== 1 then return {'slot', pair[1], holder} end", "== 2 then return {'slot', pair[1], holder} end"),
        f"{RACES}::test_a_slot_that_is_held_past_the_reader_is_not_given_twice",
    ),
    _one(
        *("no epoch check in the script", "bindings/store/commit.lua"),
        *("if epoch ~= plan.epoch then", "if false then"),
        "tests/bindings/recovery/test_restore.py::test_a_commit_planned_before_a_restore_is_refused",
    ),
    _one(
        *("no check that the item lists are there", "bindings/store/commit.lua"),
        *("if redis.call('EXISTS', KEYS[i]) == 0 then", "if false then"),
        f"{RACES}::test_a_commit_whose_item_list_is_gone_writes_it_again",
    ),
    _one(
        *("a client that sends again by itself", "bindings/store/connection.py"),
        *("retry=Retry(NoBackoff(), 0),", "retry=Retry(NoBackoff(), 3),"),
        f"{RACES}::test_a_commit_whose_reply_is_lost_is_sent_once",
    ),
    _one(
        *("no look-up after a lost reply", "bindings/store/connection.py"),
        *("while asyncio.get_running_loop().time() < deadline:", "while False:"),
        f"{COMMIT}::test_a_lost_reply_is_looked_up_and_acknowledged",
    ),
    _one(
        *("a strict store takes writes that it could lose", "bindings/store/store.py"),
        *("if self.strict and not found.ok:", "if False:"),
        f"{COMMIT}::test_a_strict_store_refuses_writes_it_could_lose",
    ),
    _one(
        *("eviction is no danger", "bindings/store/replies.py"),
        *('if settings.get("maxmemory-policy") != "noeviction":', "if False:"),
        f"{COMMIT}::test_a_strict_store_refuses_writes_it_could_lose",
    ),
    # ---- the verdict
    _one(
        *("records need not add up to the state", "bindings/replica/serving.py"),
        *("if not seen.verify() or not seen.logged():", "if not seen.logged():"),
        *(VERDICTS, FORGED),
    ),
    _one(
        *("the log need not tell of the revision", "bindings/replica/serving.py"),
        *("if not seen.verify() or not seen.logged():", "if not seen.verify():"),
        *(VERDICTS, FORGED),
    ),
    _one(
        *("a record may hold another", "bindings/listing.py"),
        *("return whole and state_digest", "return state_digest"),
        VERDICTS,
    ),
    _one(
        *("a lower revision is served", "bindings/replica/serving.py"),
        *("if seen.revision < known.revision:", "if False:"),
        VERDICTS,
    ),
    _one(
        *("another state at the known revision is the same", "bindings/replica/serving.py"),
        *("return Verdict.SAME if same else Verdict.DIVERGED", "return Verdict.SAME"),
        VERDICTS,
    ),
    _one(
        *("slots may change without a revision", "bindings/replica/serving.py"),
        *("(seen.epoch, seen.state, seen.slots) ==", "(seen.epoch, seen.state, known.slots) =="),
        VERDICTS,
    ),
    _one(
        *("the log's state at the known revision does not matter", "bindings/replica/serving.py"),
        *("if seen.epoch == known.epoch and seen.known_state not in (None, known.state):", "if False:"),
        VERDICTS,
    ),
    _one(
        *("any new epoch is a restore", "bindings/replica/serving.py"),
        *("if seen.epoch != known.epoch and not known.revision < seen.began <= seen.revision:", "if False:"),
        VERDICTS,
    ),
    # ---- the replica
    Mutation(
        "served before it is on disk",
        "bindings/replica/serving.py",
        (
            (
                "            unkept = await self._save(good) if state is ServingState.LIVE else None\n"
                "            self.good, self.compiled = good, compiled\n",
                "            unkept = None\n            self.good, self.compiled = good, compiled\n",
            ),
            (
                "        applied_at = self._now_ms()\n",
                "        unkept = await self._save(good) if state is ServingState.LIVE else None\n"
                "        applied_at = self._now_ms()\n",
            ),
        ),
        (f"{RACES}::test_a_revision_is_on_disk_before_it_is_served_and_reported",),
    ),
    _one(
        *("a head alone ends a hold", "bindings/replica/watch.py"),
        *("self._held = verdict.hold is not None", "self._held = False"),
        "tests/bindings/replica/test_watch.py::test_a_head_as_before_does_not_end_a_hold",
    ),
    _one(
        *("no note while a listing is compiled", "bindings/replica/crashguard.py"),
        *("note.applying = state\n", "note.applying = ''\n"),
        "tests/bindings/replica/test_crashguard.py::test_deaths_without_a_binding_are_counted_and_then_refused",
        "tests/bindings/replica/test_crashguard.py::test_a_listing_that_no_binding_explains_is_held_and_the_next_one_is_tried",
    ),
    _one(
        *("an item list need not fit its hash", "bindings/binding.py"),
        *("if hashlib.sha256(data).hexdigest() != sha:", "if False:"),
        *("tests/bindings/replica/test_watch.py::test_a_tampered_item_list_is_reported", FORGED),
    ),
    # ---- the last-known-good file
    _one(
        *("its directory is not synced", "files.py"),
        *("os.fsync(directory)", "pass"),
        f"{LASTGOOD}::test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bindings_whole",
    ),
    _one(
        *("its SHA-256 need not fit", "bindings/replica/lastgood.py"),
        *("if hashlib.sha256(body).hexdigest().encode() != digest:", "if False:"),
        f"{LASTGOOD}::test_one_flipped_byte_falls_back_to_the_older_generation",
    ),
    _one(
        *("it may be of another codebook", "bindings/replica/lastgood.py"),
        *("if codebook != codebook_sha:", "if False:"),
        f"{LASTGOOD}::test_a_file_of_another_codebook_is_not_used",
    ),
    _one(
        *("its fields may have any type", "bindings/replica/lastgood.py"),
        *("type(revision) is not int or revision < 0", "False"),
        f"{FORGED}::test_no_forged_file_is_booted_from",
    ),
    # ---- live items
    _one(
        *("no stale check in the script of items", "items/store/commit.lua"),
        *("if before ~= plan.before then", "if false then"),
        f"{ITEMS}/test_faults.py::test_an_edit_that_somebody_made_meanwhile_is_planned_on",
    ),
    _one(
        *("no idempotency check of items", "items/store/commit.py"),
        *("if done is not None:", "if False:"),
        "tests/api/admin/test_admin_items.py::test_the_same_key_answers_again_and_does_nothing_again",
    ),
    _one(
        *("an entry of the feed is believed whatever its digest", "items/replica/judging.py"),
        *(
            "follows = (entry.seq, entry.epoch, entry.digest) ==",
            "follows = True or (entry.seq, entry.epoch, entry.digest) ==",
        ),
        f"{ITEMS}/test_watching.py::test_an_entry_that_does_not_follow_is_not_applied_and_everything_is_read_again",
    ),
    _one(
        *("an entry that comes twice is applied twice", "items/replica/judging.py"),
        *("if entry.seq <= head.seq:", "if False:"),
        f"{ITEMS}/test_watching.py::test_an_event_that_comes_twice_after_a_reconnect_is_applied_once",
    ),
    _one(
        *("a list of items is believed whatever its digest", "items/replica/follower.py"),
        *("if digest != seen.head.digest:", "if False:"),
        f"{ITEMS}/test_follower.py::test_a_record_changed_past_the_feed_is_found_when_everything_is_listed",
    ),
    _one(
        *("a store of items that was set back is followed", "items/replica/judging.py"),
        *("if seen.head.seq < known.seq:", "if False:"),
        f"{ITEMS}/test_follower.py::test_an_older_replica_promoted_is_held_against_until_the_store_is_back",
    ),
    _one(
        *("another history of items is joined", "items/replica/judging.py"),
        *("seen.known_digest not in (None, known.digest)", "False"),
        f"{ITEMS}/test_follower.py::test_another_history_at_a_known_seq_is_held_against",
    ),
    _one(
        *("the journal of items is not read", "items/replica/lastgood.py"),
        *("return self._replay(good), problems", "return good, problems"),
        f"{ITEMS}/test_follower.py::test_a_replica_boots_from_its_file_and_journal_when_the_store_is_dead",
    ),
    _one(
        *("a line of the journal is believed whatever its digest", "items/replica/lastgood.py"),
        *('or told.decode(errors="replace") != str(digest):', "or False:"),
        f"{ITEMS}/test_lastgood.py::test_a_line_that_was_changed_ends_the_journal",
    ),
    _one(
        *("a lost reply is never looked up", "items/store/commit.py"),
        *("if raw is not None and replies.text(raw) == outcome:", "if False:"),
        f"{ITEMS}/test_faults.py::test_a_lost_reply_is_looked_up_and_a_client_that_sends_again_does_nothing_twice",
    ),
    _one(
        *("items are written to a store that could lose them", "items/store/commit.py"),
        *("(await store.store.durable()).how", "(await store.store.durability()).how"),
        f"{ITEMS}/test_faults.py::test_a_store_that_could_lose_an_edit_is_not_written_to",
    ),
    # ---- who may
    _one(
        *("tokens compared byte by byte", "access/auth.py"),
        *("if hmac.compare_digest(digest, given):", "if digest == given:"),
        "tests/access/test_auth.py::test_every_attempt_compares_with_every_token",
    ),
    _one(
        *("tokens kept as they are", "access/tokens.py"),
        *("hashlib.sha256(secret.encode()).hexdigest()", 'secret.encode().ljust(32, b"=")[-32:].hex()'),
        "tests/access/test_tokens.py::test_only_the_hash_of_a_secret_is_kept_and_nobody_else_reads_it",
    ),
    _one(
        *("an expired token is good", "access/auth.py"),
        *("if caller.expires_at is not None and caller.expires_at <= self._clock():", "if False:"),
        "tests/access/test_auth.py::test_whatever_is_wrong_with_a_token_the_answer_is_the_same",
    ),
    _one(
        *("any token may do anything", "access/auth.py"),
        *("if scope not in caller.scopes:", "if False:"),
        "tests/access/test_auth.py::test_a_token_of_the_file_has_its_own_scopes_until_it_is_revoked",
    ),
    _one(
        *("request ids need no signature", "api/retrieve/requestid.py"),
        *(
            "if not genuine or payload[0] not in (VERSION, _NAMED_SLOTS):",
            "if payload[0] not in (VERSION, _NAMED_SLOTS):",
        ),
        "tests/api/retrieve/test_requestid.py",
    ),
)
