"""Bearer tokens."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.requests import Request

from slotbeam.access.auth import Rate, Tokens, admin_token
from slotbeam.access.tokens import SCOPES, TokenFile
from slotbeam.errors import Forbidden, RateLimited, SetupError, Unauthorized
from slotbeam.settings import Settings

TOKEN = "s" * 24


def request(*values: bytes) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", v) for v in values]})


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(Settings(data_dir=tmp_path, admin_token=SecretStr(TOKEN)), clock=lambda: 1000.0)


def keep(tmp_path: Path, *rows: dict[str, Any]) -> None:
    listed = [{**row, "sha256": hashlib.sha256(row.pop("token").encode()).hexdigest()} for row in rows]
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": listed}))


def test_the_admin_token_has_every_scope(tokens: Tokens) -> None:
    for scope in SCOPES:
        assert tokens.principal(request(b"Bearer " + TOKEN.encode()), scope).name == "admin"
    assert tokens.principal(request(b"bearer  " + TOKEN.encode()), "slots:read").name == "admin"


@pytest.mark.parametrize(
    "values",
    [
        [],
        [b""],
        [b"Bearer"],
        [b"Bearer "],
        [b"Bearer x"],
        [b"Bearer " + TOKEN[:-1].encode()],
        [b"Bearer " + TOKEN.encode() + b"x"],
        [b"Basic " + TOKEN.encode()],
        [TOKEN.encode()],
        ["Bearer ключ".encode()],
        [b"Bearer \xff\xfe"],
        [b"Bearer " + TOKEN.encode(), b"Bearer " + TOKEN.encode()],
        [b"Bearer expired-expired-expired"],
    ],
    ids=ascii,
)
def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(
    tmp_path: Path, tokens: Tokens, values: list[bytes]
) -> None:
    keep(tmp_path, {"name": "old", "token": "expired-expired-expired", "scopes": ["slots:read"], "expires_at": 999.0})
    with pytest.raises(Unauthorized) as error:
        tokens.principal(request(*values), "slots:read")
    assert str(error.value).startswith("a valid bearer token is needed")
    assert error.value.details == {}


def test_a_token_of_the_file_has_its_own_scopes_until_it_is_revoked(tmp_path: Path, tokens: Tokens) -> None:
    reader = request(b"Bearer reader-reader-reader")
    keep(
        tmp_path,
        {"name": "reader", "token": "reader-reader-reader", "scopes": ["slots:read", "made:up"], "expires_at": 1001.0},
    )
    found = tokens.principal(reader, "slots:read")
    assert (found.name, found.scopes) == ("reader", frozenset({"slots:read"}))
    with pytest.raises(Forbidden, match="this token may slots:read; slots:write is needed"):
        tokens.principal(reader, "slots:write")
    keep(tmp_path)
    with pytest.raises(Unauthorized):
        tokens.principal(reader, "slots:read")
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(Unauthorized):
        tokens.principal(reader, "slots:read")
    assert tokens.principal(request(b"Bearer " + TOKEN.encode()), "slots:read")


@pytest.mark.parametrize(
    "row",
    [
        {"expires_at": float("nan")},
        {"expires_at": "2030-01-01"},
        {"expires_at": True},
        {"scopes": None},
        {"scopes": 7},
        {"sha256": "00"},
        {"sha256": "zz" * 32},
        {"sha256": 5},
    ],
    ids=str,
)
def test_a_row_that_is_not_understood_gives_no_access_and_keeps_nobody_else_out(
    tmp_path: Path, tokens: Tokens, row: dict[str, Any]
) -> None:
    good = {"name": "a", "sha256": hashlib.sha256(b"reader-reader-reader").hexdigest(), "scopes": ["slots:read"]}
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [good]}))
    assert tokens.principal(request(b"Bearer reader-reader-reader"), "slots:read").name == "a"
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [{**good, **row}]}))
    with pytest.raises(Unauthorized):
        tokens.principal(request(b"Bearer reader-reader-reader"), "slots:read")
    assert tokens.principal(request(b"Bearer " + TOKEN.encode()), "slots:read").name == "admin"


def test_every_attempt_compares_with_every_token(
    tmp_path: Path, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same work for whatever is sent: nothing to measure from outside."""
    file = TokenFile(tmp_path)
    secrets = [file.create(name, ["slots:read"], 1, now)[1] for name, now in (("a", 0), ("b", 500), ("c", -90_000))]
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    for value in (*secrets, TOKEN, "x", "é", "", "sbt_" + "x" * 43):
        for values in ([b"Bearer " + value.encode()], [value.encode()], []):
            compared.clear()
            with contextlib.suppress(Unauthorized, Forbidden):
                tokens.principal(request(*values), "slots:write")
            assert len(compared) == 4
            assert {len(side) for pair in compared for side in pair} == {32}


def test_each_token_has_a_rate_of_its_own(tmp_path: Path) -> None:
    now = [1000.0]
    slow = Settings(data_dir=tmp_path, admin_token=SecretStr(TOKEN), admin_rate=2)
    tokens = Tokens(slow, clock=lambda: now[0])
    file = TokenFile(tmp_path)
    one, other = (request(b"Bearer " + file.create("ci", ["slots:read"], None, 0)[1].encode()) for _ in range(2))
    for _ in range(10):
        tokens.principal(one, "slots:read")
    with pytest.raises(RateLimited, match="token ci may send 2 requests a second") as error:
        tokens.principal(one, "slots:read")
    assert error.value.details == {"retry_after_s": 1}
    assert tokens.principal(other, "slots:read").name == "ci"
    for _ in range(100):
        with pytest.raises(Unauthorized):
            tokens.principal(request(b"Bearer wrong"), "slots:read")
    assert tokens.principal(request(b"Bearer " + TOKEN.encode()), "slots:read").name == "admin"
    now[0] -= 3600  # a clock that is set back gives nothing and takes nothing
    with pytest.raises(RateLimited):
        tokens.principal(one, "slots:read")
    now[0] += 0.5
    assert tokens.principal(one, "slots:read")
    with pytest.raises(RateLimited):
        tokens.principal(one, "slots:read")


@given(
    st.floats(0.1, 50),
    st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_in_no_stretch_of_time_are_more_requests_let_through_than_burst_and_rate(
    per_s: float, pauses: list[float]
) -> None:
    now = [0.0]
    rate = Rate(per_s, lambda: now[0])
    passed = []
    for pause in pauses:
        now[0] += pause
        wait_s = rate.take("t")
        if not wait_s:
            passed.append(now[0])
    burst = max(1.0, 5 * per_s)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - start) * per_s + 1e-6


def test_a_rate_of_zero_is_no_limit() -> None:
    rate = Rate(0, lambda: 0.0)
    assert not any(rate.take("t") for _ in range(10_000))


def test_the_token_file_is_made_once_private_and_reused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    token = admin_token(settings)
    path = tmp_path / "new" / "admin.token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() == token
    assert len(token) >= 32
    assert admin_token(settings) == token
    assert os.listdir(tmp_path / "new") == ["admin.token"]


def test_a_token_that_can_be_guessed_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has 5 characters; give at least 16"):
        admin_token(Settings(data_dir=tmp_path, admin_token=SecretStr("short")))
    (tmp_path / "admin.token").write_text("\n")
    with pytest.raises(SetupError, match="delete the file"):
        admin_token(Settings(data_dir=tmp_path))
