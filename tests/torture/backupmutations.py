"""Mutants of backups: what keeps the newest file one that brings everything back."""

from __future__ import annotations

from torture.mutation import Mutation, one

ARCHIVE = "tests/backup/test_archive.py"

OF_BACKUPS: tuple[Mutation, ...] = (
    one(
        *("a backup counts before it was read again", "backup/archive.py"),
        *("                with opened(Path(file.name)):\n                    pass\n", ""),
        f"{ARCHIVE}::test_a_backup_whose_digest_is_not_that_of_what_it_holds_is_refused",
    ),
    one(
        *("a backup is not held to what it says", "backup/archive.py"),
        *("if wrong := [name for name, value in held.items() if facts.get(name) != value]:", "if wrong := []:"),
        f"{ARCHIVE}::test_a_backup_whose_digest_is_not_that_of_what_it_holds_is_refused",
    ),
    one(
        *("a backup is not read to its checksum", "backup/archive.py"),
        *("        while raw.read(2**20):  # to its checksum\n            pass\n", ""),
        f"{ARCHIVE}::test_a_backup_that_was_cut_or_changed_anywhere_is_refused_and_named",
    ),
    one(
        *("whatever a backup holds is unpacked", "backup/archive.py"),
        *("if not (member.isreg() and _MEMBER.fullmatch(member.name)):", "if not member.isreg():"),
        f"{ARCHIVE}::test_a_file_that_is_no_backup_of_ours_unpacks_nothing",
    ),
    one(
        *("a store that lost edits pushes better backups out", "backup/archive.py"),
        *("    if revision < before or seq < before_seq:", "    if False:"),
        f"{ARCHIVE}::test_no_backup_of_a_store_that_lost_edits_pushes_a_better_one_out",
    ),
    one(
        *("the newest backups go and the oldest stay", "backup/archive.py"),
        *("removed = older[: max(0, len(older) + 1 - keep)]", "removed = older[keep - 1 :]"),
        f"{ARCHIVE}::test_the_newest_stay_and_what_a_killed_one_left_goes",
    ),
    one(
        *("bindings that do not add up are backed up", "backup/copying.py"),
        *("if not (listing.verify() and listing.logged()):", "if False:"),
        f"{ARCHIVE}::test_a_store_that_does_not_add_up_is_not_backed_up",
    ),
    one(
        *("items that do not add up are backed up", "backup/copying.py"),
        *("if not (seen.adds_up(records) and seen.logged()):", "if False:"),
        f"{ARCHIVE}::test_a_store_that_does_not_add_up_is_not_backed_up",
    ),
    Mutation(
        "the active index is read after the items",
        "backup/copying.py",
        (
            ("    switch = await read_switch(items)\n", ""),
            ("    return {**await", "    switch = await read_switch(items)\n    return {**await"),
        ),
        (f"{ARCHIVE}::test_no_backup_holds_an_index_with_edits_that_it_lacks",),
    ),
    one(
        *("what was let go of items is forgotten", "backup/copying.py"),
        *("ItemsGood(seen.head, records, seen.trimmed)", "ItemsGood(seen.head, records)"),
        f"{ARCHIVE}::test_an_empty_store_gets_back_what_it_held_and_which_index_was_active",
    ),
    one(
        *("the slots of one codebook are all that is kept", "backup/copying.py"),
        *(
            "return sorted(sha for sha in (key[len(prefix) :] for key in keys) if _CODEBOOK.fullmatch(sha))",
            "return sorted(sha for sha in (key[len(prefix) :] for key in keys) if _CODEBOOK.fullmatch(sha))[:1]",
        ),
        f"{ARCHIVE}::test_the_slots_of_every_codebook_are_kept",
    ),
)
