"""The file of hashed tokens."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slotbeam.access.tokens import MAX_TOKENS, SCOPES, TokenFile
from slotbeam.errors import InputError, NotFound, SetupError

DAY = 86_400


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "data")


def test_only_the_hash_of_a_secret_is_kept_and_nobody_else_reads_it(file: TokenFile) -> None:
    made, secret = file.create("ci", ["slots:write", "slots:read", "slots:read"], 2, 1000.9)
    assert made.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert (made.scopes, made.created_at, made.expires_at) == (("slots:read", "slots:write"), 1000, 1000 + 2 * DAY)
    assert file.read() == (made,)
    for path in file.path.parent.iterdir():
        assert secret.removeprefix("sbt_").encode() not in path.read_bytes()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert len(secret) > 40


def test_secrets_are_never_alike(file: TokenFile) -> None:
    made = [file.create(f"t{number}", ["slots:read"], None, 0) for number in range(20)]
    assert len({secret for _, secret in made}) == len({token.id for token, _ in made}) == 20


def test_a_name_has_two_live_tokens_for_rotation_and_no_third(file: TokenFile) -> None:
    old, _ = file.create("ci", ["slots:read"], None, 0)
    new, _ = file.create("ci", ["slots:read"], 1, 0)
    with pytest.raises(InputError, match=f"{old.id}, {new.id}; revoke one first"):
        file.create("ci", ["slots:read"], None, DAY - 1)
    with pytest.raises(InputError, match="name one, or give --all"):
        file.revoke("ci")
    assert file.revoke(old.id) == [old]
    assert file.read() == (new,)
    newer, _ = file.create("ci", ["slots:read"], None, 0)
    assert file.revoke("ci", every=True) == [new, newer]
    assert file.read() == ()


def test_an_expired_token_makes_room(file: TokenFile) -> None:
    for number in range(MAX_TOKENS):
        file.create(f"name-{number}", ["slots:read"], 1, 0)
    with pytest.raises(InputError, match=f"there are {MAX_TOKENS} live tokens, the most allowed"):
        file.create("d", ["slots:read"], None, DAY - 1)
    made, _ = file.create("d", ["slots:read"], None, DAY)
    assert file.read() == (made,)


@pytest.mark.parametrize("name", ["", "admin", "expiry", "A", "a b", "ä", "a" * 33, "t\n", "a\n", "-a", "t_0", "../x"])
def test_a_name_that_could_be_taken_for_another_is_refused(file: TokenFile, name: str) -> None:
    with pytest.raises(InputError, match=r"(?s)the name is .*; allowed: 1 to 32 of a-z"):
        file.create(name, ["slots:read"], None, 0)
    assert not file.path.exists()


@pytest.mark.parametrize("scopes", [[], ["slots"], ["slots:read", "slots:*"]])
def test_a_scope_that_does_not_exist_is_refused(file: TokenFile, scopes: list[str]) -> None:
    with pytest.raises(InputError, match="allowed: " + ", ".join(SCOPES)):
        file.create("ci", scopes, None, 0)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_life_is_a_day_to_ten_years(file: TokenFile, days: int) -> None:
    with pytest.raises(InputError, match="allowed: 1 to 3650"):
        file.create("ci", ["slots:read"], days, 0)


def test_revoking_what_is_not_there_says_so_and_does_not_repeat_it(file: TokenFile) -> None:
    with pytest.raises(NotFound, match="no token has this id or name") as error:
        file.revoke("sbt_pasted-by-mistake")
    assert "pasted" not in str(error.value)


def test_what_commands_do_at_the_same_time_is_all_kept(file: TokenFile) -> None:
    gone, _ = file.create("gone", ["slots:read"], None, 0)
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(file.create, f"n{number}", ["slots:read"], None, 0) for number in range(12)]
        revoked = pool.submit(file.revoke, gone.id)
    assert revoked.result() == [gone]
    assert {token.id for token in file.read()} == {one.result()[0].id for one in made}


def test_a_write_that_fails_changes_nothing(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.create("ci", ["slots:read"], None, 0)
    before, names = file.path.read_bytes(), set(os.listdir(file.path.parent))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            with pytest.raises(SetupError, match="No space left on device"):
                file.create("other", ["slots:read"], None, 0)
        assert file.path.read_bytes() == before
        assert set(os.listdir(file.path.parent)) == names


def test_a_file_that_is_not_ours_is_never_written_over(file: TokenFile) -> None:
    file.path.parent.mkdir()
    for text in ("{", "[]", '{"tokens": {}', '{"tokens": [1]}', json.dumps({"tokens": [{"name": "a"}]}), "[" * 100_000):
        file.path.write_text(text)
        for use in (lambda: file.create("ci", ["slots:read"], None, 0), lambda: file.revoke("ci"), file.read):
            with pytest.raises(SetupError, match="repair it, or remove it"):
                use()
        assert file.path.read_text() == text
