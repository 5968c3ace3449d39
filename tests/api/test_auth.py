"""Bearer tokens."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from slotbeam.api.auth import SCOPES, Tokens, admin_token
from slotbeam.errors import Forbidden, SetupError, Unauthorized
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
    assert (found.name, found.scopes) == ("reader", {"slots:read"})
    with pytest.raises(Forbidden, match="this token may slots:read; slots:write is needed"):
        tokens.principal(reader, "slots:write")
    keep(tmp_path)
    with pytest.raises(Unauthorized):
        tokens.principal(reader, "slots:read")
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(Unauthorized):
        tokens.principal(reader, "slots:read")
    assert tokens.principal(request(b"Bearer " + TOKEN.encode()), "slots:read")


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
