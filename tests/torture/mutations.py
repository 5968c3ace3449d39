"""The mutants of `make mutants`: what is taken away, and the tests that must notice."""

from __future__ import annotations

from torture.backupmutations import OF_BACKUPS
from torture.indexmutations import OF_INDEXES
from torture.itemmutations import OF_ITEMS
from torture.mutation import Mutation, one
from torture.rulemutations import OF_RULES

RACES = "tests/bindings/store/test_races.py"
COMMIT = "tests/bindings/store/test_commit.py"
VERDICTS = "tests/bindings/replica/test_overlay.py::test_the_verdict_of_the_protocol"
FORGED = "tests/bindings/replica/test_forged.py"
LASTGOOD = "tests/bindings/replica/test_lastgood.py"


MUTATIONS: tuple[Mutation, ...] = (
    one(
        *("no stale-revision check in the script", "bindings/store/commit.lua"),
        *("if revision ~= plan.before then", "if false then"),
        f"{RACES}::test_an_edit_planned_on_an_older_revision_is_planned_again",
        five=True,
    ),
    one(
        *("a read without MULTI", "bindings/store/reading.py"),
        *("async with client.pipeline(transaction=True)", "async with client.pipeline(transaction=False)"),
        f"{RACES}::test_a_commit_in_the_middle_of_a_read_is_seen_whole_or_not_at_all",
        five=True,
    ),
    one(
        *("the embedded store syncs every second", "embedded/server.py"),
        *('"appendfsync": "always"', '"appendfsync": "everysec"'),
        "tests/torture/test_disk.py::"
        "test_a_power_cut_under_the_settings_of_the_embedded_store_loses_no_acknowledged_write",
        five=True,
    ),
    one(
        *("no idempotency check in the script", "bindings/store/commit.lua"),
        *("if seen then return", "if false then return"),
        f"{RACES}::test_a_key_that_a_lookup_missed_is_not_used_twice",
        five=True,
    ),
    one(
        *("the last-known-good file is not synced", "files.py"),
        *("os.fsync(file.fileno())", "file.fileno()"),
        f"{LASTGOOD}::test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bindings_whole",
        "tests/torture/test_disk.py::test_a_saved_last_known_good_file_survives_a_power_cut",
        five=True,
    ),
    # ---- the commit
    one(
        *("no look for the key before a commit", "bindings/store/commit.py"),
        *("if done is not None:", "if False:"),
        f"{COMMIT}::test_the_same_key_and_request_answers_again_and_does_nothing",
    ),
    Mutation(
        "the key is looked up before the listing is read",
        "bindings/store/commit.py",
        (
            (
                "        listing = await store.read(codebook_sha, to_write=True, whole=False)\n",
                "        done = await earlier(store, idempotency_key, fingerprint)\n"
                "        if done is not None:\n            return done\n"
                "        listing = await store.read(codebook_sha, to_write=True, whole=False)\n",
            ),
            (
                "        done = await earlier(store, idempotency_key, fingerprint)\n"
                "        if done is not None:\n            return done\n"
                "        if listing is None:",
                "        if listing is None:",
            ),
        ),
        (f"{RACES}::test_the_same_request_at_two_control_planes_at_once_is_one_edit_told_twice",),
    ),
    one(
        *("what was found again is not asked of the disk", "bindings/store/connection.py"),
        *("return None if written is None else known_on_disk(strict, how, confirmed, unsure)", "return how"),
        "tests/items/test_faults.py::test_what_is_so_already_is_not_acknowledged_before_it_is_on_disk",
    ),
    one(
        *("a key answers for any request", "bindings/store/commit.py"),
        *("if used_for != fingerprint:", "if False:"),
        f"{COMMIT}::test_the_same_key_and_request_answers_again_and_does_nothing",
    ),
    one(
        *("no word-taken check in the script", "bindings/store/commit.lua"),
        *("== 1 then return {'word', pair[1], holder} end", "== 2 then return {'word', pair[1], holder} end"),
        f"{COMMIT}::test_the_script_itself_refuses_what_was_written_past_us",
    ),
    one(
        *("no slot-taken check in the script", "bindings/store/commit.lua"),
        *("== 1 then return {'slot', pair[1], holder} end", "== 2 then return {'slot', pair[1], holder} end"),
        f"{RACES}::test_a_slot_that_is_held_past_the_reader_is_not_given_twice",
    ),
    one(
        *("no epoch check in the script", "bindings/store/commit.lua"),
        *("if epoch ~= plan.epoch then", "if false then"),
        "tests/bindings/recovery/test_restore.py::test_a_commit_planned_before_a_restore_is_refused",
    ),
    one(
        *("no check that the item lists are there", "bindings/store/commit.lua"),
        *("if redis.call('EXISTS', KEYS[i]) == 0 then", "if false then"),
        f"{RACES}::test_a_commit_whose_item_list_is_gone_writes_it_again",
    ),
    one(
        *("a client that sends again by itself", "bindings/store/connection.py"),
        *("retry=Retry(NoBackoff(), 0),", "retry=Retry(NoBackoff(), 3),"),
        f"{RACES}::test_a_commit_whose_reply_is_lost_is_sent_once",
    ),
    one(
        *("no look-up after a lost reply", "bindings/store/connection.py"),
        *("while asyncio.get_running_loop().time() < deadline:", "while False:"),
        f"{COMMIT}::test_a_lost_reply_is_looked_up_and_acknowledged",
    ),
    one(
        *("a strict store takes writes that it could lose", "bindings/store/store.py"),
        *("if self.strict and not found.ok:", "if False:"),
        f"{COMMIT}::test_a_strict_store_refuses_writes_it_could_lose",
    ),
    one(
        *("eviction is no danger", "bindings/store/replies.py"),
        *('if settings.get("maxmemory-policy") != "noeviction":', "if False:"),
        f"{COMMIT}::test_a_strict_store_refuses_writes_it_could_lose",
    ),
    # ---- the verdict
    one(
        *("records need not add up to the state", "bindings/replica/serving.py"),
        *("if not seen.verify() or not seen.logged():", "if not seen.logged():"),
        *(VERDICTS, FORGED),
    ),
    one(
        *("the log need not tell of the revision", "bindings/replica/serving.py"),
        *("if not seen.verify() or not seen.logged():", "if not seen.verify():"),
        *(VERDICTS, FORGED),
    ),
    one(
        *("a record may hold another", "bindings/listing.py"),
        *("return whole and state_digest", "return state_digest"),
        VERDICTS,
    ),
    one(
        *("a lower revision is served", "bindings/replica/serving.py"),
        *("if seen.revision < known.revision:", "if False:"),
        VERDICTS,
    ),
    one(
        *("another state at the known revision is the same", "bindings/replica/serving.py"),
        *("return Verdict.SAME if same else Verdict.DIVERGED", "return Verdict.SAME"),
        VERDICTS,
    ),
    one(
        *("slots may change without a revision", "bindings/replica/serving.py"),
        *("(seen.epoch, seen.state, seen.slots) ==", "(seen.epoch, seen.state, known.slots) =="),
        VERDICTS,
    ),
    one(
        *("the log's state at the known revision does not matter", "bindings/replica/serving.py"),
        *("if seen.epoch == known.epoch and seen.known_state not in (None, known.state):", "if False:"),
        VERDICTS,
    ),
    one(
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
    one(
        *("a head alone ends a hold", "bindings/replica/watch.py"),
        *("self._held = verdict.hold is not None", "self._held = False"),
        "tests/bindings/replica/test_watch.py::test_a_head_as_before_does_not_end_a_hold",
    ),
    one(
        *("no note while a listing is compiled", "bindings/replica/crashguard.py"),
        *("note.applying = state\n", "note.applying = ''\n"),
        "tests/bindings/replica/test_crashguard.py::test_deaths_without_a_binding_are_counted_and_then_refused",
        "tests/bindings/replica/test_crashguard.py::test_a_listing_that_no_binding_explains_is_held_and_the_next_one_is_tried",
    ),
    one(
        *("an item list need not fit its hash", "bindings/binding.py"),
        *("if hashlib.sha256(data).hexdigest() != sha:", "if False:"),
        *("tests/bindings/replica/test_watch.py::test_a_tampered_item_list_is_reported", FORGED),
    ),
    # ---- the last-known-good file
    one(
        *("its directory is not synced", "files.py"),
        *("os.fsync(directory)", "pass"),
        f"{LASTGOOD}::test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bindings_whole",
    ),
    one(
        *("its SHA-256 need not fit", "bindings/replica/lastgood.py"),
        *("if hashlib.sha256(body).hexdigest().encode() != digest:", "if False:"),
        f"{LASTGOOD}::test_one_flipped_byte_falls_back_to_the_older_generation",
    ),
    one(
        *("it may be of another codebook", "bindings/replica/lastgood.py"),
        *("if codebook != codebook_sha:", "if False:"),
        f"{LASTGOOD}::test_a_file_of_another_codebook_is_not_used",
    ),
    one(
        *("its fields may have any type", "bindings/replica/lastgood.py"),
        *("type(revision) is not int or revision < 0", "False"),
        f"{FORGED}::test_no_forged_file_is_booted_from",
    ),
    # ---- live items
    *OF_ITEMS,
    *OF_INDEXES,
    # ---- rules
    *OF_RULES,
    *OF_BACKUPS,
    # ---- who may
    one(
        *("tokens compared byte by byte", "access/auth.py"),
        *("if hmac.compare_digest(digest, given):", "if digest == given:"),
        "tests/access/test_auth.py::test_every_attempt_compares_with_every_token",
    ),
    one(
        *("tokens kept as they are", "access/tokens.py"),
        *("hashlib.sha256(secret.encode()).hexdigest()", 'secret.encode().ljust(32, b"=")[-32:].hex()'),
        "tests/access/test_tokens.py::test_only_the_hash_of_a_secret_is_kept_and_nobody_else_reads_it",
    ),
    one(
        *("an expired token is good", "access/auth.py"),
        *("if caller.expires_at is not None and caller.expires_at <= self._clock():", "if False:"),
        "tests/access/test_auth.py::test_whatever_is_wrong_with_a_token_the_answer_is_the_same",
    ),
    one(
        *("any token may do anything", "access/auth.py"),
        *("if caller.scopes.isdisjoint(scopes):", "if False:"),
        "tests/access/test_auth.py::test_a_token_of_the_file_has_its_own_scopes_until_it_is_revoked",
    ),
    one(
        *("who drafts publishes", "api/admin/scopes.py"),
        *("for scope in needed(edit) - who.scopes:", "for scope in ():"),
        "tests/api/admin/test_admin_scopes.py",
    ),
    one(
        *("request ids need no signature", "api/retrieve/requestid.py"),
        *(
            "if not genuine or payload[0] not in (VERSION, _UNMARKED, _NAMED_SLOTS):",
            "if payload[0] not in (VERSION, _UNMARKED, _NAMED_SLOTS):",
        ),
        "tests/api/retrieve/test_requestid.py",
    ),
)
