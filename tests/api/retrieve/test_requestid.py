"""Request ids: only what this service issued is read again, by every replica with its key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from slotbeam.access.secret import set_or_kept
from slotbeam.api.retrieve import requestid
from slotbeam.api.retrieve.requestid import LIFE_S, Issued, RequestIds, events_key, mark_of
from slotbeam.errors import RequestIdExpired, SetupError, UnknownRequestId
from slotbeam.settings import Settings

KEY = "k" * 32
NOW = 1_800_000_000
BINDINGS = ("b_labubu", "b_crocs")
IDS = RequestIds(KEY, clock=lambda: NOW)

bindings = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=16)
issued = st.builds(IDS.issue, st.integers(1, 1000), bindings)


def refused(text: str) -> None:
    with pytest.raises(UnknownRequestId, match="this service did not issue it"):
        IDS.read(text)


@given(k=st.integers(1, 1000), bindings=bindings, now=st.integers(0, 2**40))
def test_an_id_says_when_it_was_issued_for_how_many_items_and_which_bindings(
    k: int, bindings: list[str], now: int
) -> None:
    ids = RequestIds(KEY, clock=lambda: now)
    mark = ids.mark_of_query("red mug")
    assert ids.read(ids.issue(k, bindings, mark)) == Issued(now, k, tuple(map(mark_of, bindings)), mark)


@given(k=st.integers(1, 1000), bindings=bindings)
def test_an_id_is_what_its_description_says(k: int, bindings: list[str]) -> None:
    mark = IDS.mark_of_query("red mug")
    text = IDS.issue(k, bindings, mark)
    raw = base64.b64decode(text + "==", altchars="-_")
    payload, mac = raw[:-16], raw[-16:]
    key = hmac.new(KEY.encode(), b"slotbeam request id", hashlib.sha256).digest()
    assert mark == hashlib.blake2b(b"red mug", digest_size=5, key=key).digest()
    assert mac == hmac.new(key, payload, hashlib.sha256).digest()[:16]
    assert payload[:9] + payload[17:24] == struct.pack(">BQH5s", 3, NOW, k, mark)
    assert payload[24:] == b"".join(hashlib.blake2b(one.encode(), digest_size=5).digest() for one in bindings)


@pytest.mark.parametrize(
    ("version", "told", "marks"),
    [(1, struct.pack(">BI", 1, 2049), ()), (2, mark_of("b_a") + mark_of("b_b"), (mark_of("b_a"), mark_of("b_b")))],
    ids=["of slots, and so of no binding", "of bindings, and of no query"],
)
def test_an_id_of_a_version_before_is_read(version: int, told: bytes, marks: tuple[bytes, ...]) -> None:
    payload = struct.pack(">BQ8sH", version, NOW, bytes(8), 10) + told
    key = hmac.new(KEY.encode(), b"slotbeam request id", hashlib.sha256).digest()
    mac = hmac.new(key, payload, hashlib.sha256).digest()[:16]
    text = base64.urlsafe_b64encode(payload + mac).rstrip(b"=").decode()
    assert IDS.read(text) == Issued(NOW, 10, marks)


def test_an_id_is_short_url_safe_and_never_the_same() -> None:
    texts = [IDS.issue(1000) for _ in range(5000)]
    assert len(set(texts)) == len(texts)
    assert {len(text) for text in texts} == {54}
    assert all(text.replace("-", "").replace("_", "").isalnum() for text in texts)
    assert len(IDS.issue(1000, ["b_" + "z" * 32] * 16)) <= 256


@given(text=issued, data=st.data())
def test_an_id_with_any_character_changed_is_refused(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.one_of(
            st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/"), st.characters()
        )
    )
    assume(other != text[place])
    refused(text[:place] + other + text[place + 1 :])


def test_every_other_last_character_is_refused_although_some_spell_the_same_bytes() -> None:
    for bound in range(3):
        text = IDS.issue(10, BINDINGS[:1] * bound)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for other in set(alphabet) - {text[-1]}:
            refused(text[:-1] + other)


@given(text=issued, data=st.data())
def test_an_id_cut_anywhere_is_refused(text: str, data: st.DataObject) -> None:
    refused(text[: data.draw(st.integers(0, len(text) - 1))])
    refused(text[data.draw(st.integers(1, len(text))) :])


@given(text=issued, more=st.text(min_size=1))
def test_an_id_with_more_around_it_is_refused(text: str, more: str) -> None:
    refused(text + more)
    refused(more + text)


@given(text=st.text())
def test_text_that_is_no_id_is_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize("text", ["", "=", "A", "A" * 47, "A" * 100_000, "é" * 47, "\ud800", "５" * 47, "\0" * 47])
def test_odd_text_is_refused(text: str) -> None:
    refused(text)


def test_an_id_of_another_key_is_refused() -> None:
    refused(RequestIds("j" * 32, clock=lambda: NOW).issue(10))


def test_what_the_secret_itself_signed_is_refused() -> None:
    payload = struct.pack(">BQ8sH", 1, NOW, bytes(8), 10)
    mac = hmac.new(KEY.encode(), payload, hashlib.sha256).digest()[:16]
    refused(base64.urlsafe_b64encode(payload + mac).rstrip(b"=").decode())


def test_an_id_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(requestid, "VERSION", 4)
        text = IDS.issue(10)
        assert IDS.read(text).k == 10
    refused(text)


def test_an_id_is_good_for_24_hours_and_then_says_so() -> None:
    now = [float(NOW)]
    ids = RequestIds(KEY, clock=lambda: now[0])
    text = ids.issue(10)
    now[0] = NOW + LIFE_S
    assert ids.read(text).at == NOW
    now[0] += 1
    with pytest.raises(RequestIdExpired, match="more than 24 hours ago"):
        ids.read(text)
    with pytest.raises(UnknownRequestId):
        ids.read(text[::-1])
    now[0] = NOW - 3600  # the clock of another replica may be behind
    assert ids.read(text).at == NOW


def test_an_absurd_clock_stops_no_answer() -> None:
    for now in (-1e9, 0.0, 1e18):
        ids = RequestIds(KEY, clock=partial(float, now))
        assert ids.read(ids.issue(10)).k == 10


def test_the_key_file_is_made_once_private_and_reused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    key = events_key(settings)
    path = tmp_path / "new" / "events.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key)) == 32
    assert path.read_text().strip() == events_key(settings) == key
    assert os.listdir(tmp_path / "new") == ["events.key"]


def test_processes_that_start_at_once_in_one_directory_end_with_one_key(tmp_path: Path) -> None:
    count = 8
    all_saw_no_file = threading.Barrier(count)

    def start(number: int) -> str:
        def make() -> str:
            all_saw_no_file.wait(30)
            return f"{number:032d}"

        return set_or_kept(None, "SLOTBEAM_EVENTS_KEY", tmp_path / "events.key", make)

    with ThreadPoolExecutor(count) as pool:
        keys = set(pool.map(start, range(count)))
    assert keys == {(tmp_path / "events.key").read_text().strip()}
    assert os.listdir(tmp_path) == ["events.key"]


def test_the_setting_wins_and_no_file_is_made(tmp_path: Path) -> None:
    assert events_key(Settings(data_dir=tmp_path, events_key=SecretStr(KEY))) == KEY
    assert os.listdir(tmp_path) == []


def test_a_key_that_can_be_guessed_is_refused_at_start_and_not_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="SLOTBEAM_EVENTS_KEY has 5 characters; give at least 16") as error:
        events_key(Settings(data_dir=tmp_path, events_key=SecretStr("short")))
    assert "short" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"", b"short\n", b"\xff" * 64])
def test_a_key_that_cannot_be_kept_lives_as_long_as_the_process(
    tmp_path: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "data"
    if content is None:
        directory.write_bytes(b"a file where the directory should be")
    else:
        directory.mkdir()
        (directory / "events.key").write_bytes(content)
    first, second = (events_key(Settings(data_dir=directory)) for _ in range(2))
    assert len(first) == len(second) == 64
    assert first != second
    said = "".join(capfd.readouterr())
    assert "this process's own answers only" in said
    assert "set SLOTBEAM_EVENTS_KEY" in said or "delete the file" in said
    assert first not in said
