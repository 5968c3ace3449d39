"""`slotbeam tokens`, from the shell to a running service; and where secrets never are."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from slotbeam.cli.client import PlaneClient
from slotbeam.errors import SetupError
from support.processes import HANG_S, Up, wait_for


def test_a_secret_is_printed_once_alone_and_works_until_it_is_revoked_and_is_nowhere_else(
    tmp_path: Path, tiny_artifact: Path
) -> None:
    said: list[str] = []
    with Up(tmp_path / "data", tiny_artifact, log_level="debug", admin_rate=1) as up:
        admin, reader = up.token, up.cli("tokens", "create", "reader", "-s", "slots:read", "--days", "1")
        assert re.fullmatch(r"sbt_[\w-]{43}\n", reader.stdout), reader
        assert "t_" in reader.stderr
        assert reader.stdout.strip() not in reader.stderr
        writer = json.loads(up.cli("tokens", "create", "ops", "-s", "slots:read", "-s", "slots:write", "--json").stdout)
        secrets = [admin, reader.stdout.strip(), writer["token"], "sbt_" + "w" * 43]
        ids = {row["name"]: row["id"] for row in json.loads(up.cli("tokens", "list", "--json").stdout)}
        listed = up.cli("tokens", "list").stdout
        said += [reader.stderr, listed]
        assert all(name in listed and key in listed for name, key in ids.items())

        data, control = str(up.record["data"]), str(up.record["admin"])
        with httpx.Client(verify=False, timeout=HANG_S) as http:

            def ask(method: str, url: str, value: str, **request: Any) -> int:
                response = http.request(method, url, headers={b"authorization": value.encode()}, **request)
                said.append(response.text + str(response.headers))
                return response.status_code

            slots = f"{control}/admin/slots"
            assert [ask("GET", slots, f"Bearer {secret}") for secret in secrets] == [200, 200, 200, 401]
            body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003"]}}
            assert [ask("POST", slots, f"Bearer {secret}", json=body) for secret in secrets[1:]] == [403, 201, 401]
            for secret in secrets:
                for value in (secret, f"Basic {secret}", f"Bearer {secret} {secret}", f"Bearer {secret}\u00e9"):
                    assert ask("GET", slots, value) == 401
                ask("GET", f"{slots}?token={secret}", f"Bearer {secret}")
                ask("PATCH", f"{slots}/9-9", f"Bearer {secret}", content=b'{"words": NaN')
                for plane in (data, control):
                    for path in ("/metrics", "/info", "/openapi.json", "/readyz", "/nothing", "/admin/nothing"):
                        ask("GET", plane + path, f"Bearer {secret}")
                ask("POST", f"{data}/retrieve", f"Bearer {secret}", content=b"{")
            wait_for(lambda: ask("GET", slots, f"Bearer {secrets[1]}") == 429)
            assert up.cli("tokens", "revoke", "reader").stdout == f"{ids['reader']} of reader is revoked\n"
            assert ask("GET", slots, f"Bearer {secrets[1]}") == 401
            (up.data_dir / "tokens.json").write_text(f'{{"tokens": "{secrets[2]}"')
            assert ask("GET", slots, f"Bearer {secrets[2]}") == 401
            (up.data_dir / "tokens.json").unlink()
            metrics = http.get(f"{control}/metrics").text
        up.process.send_signal(signal.SIGTERM)
        wait_for(lambda: up.process.poll() is not None)

    known = [json.loads(line) for line in (up.data_dir / "audit.jsonl").read_text().splitlines()]
    made = {(row["name"], row["token"], row["outcome"], row["why"]) for row in known}
    assert ("ops", ids["ops"], "accepted", None) in made
    assert ("reader", ids["reader"], "refused", "scope") in made
    assert ("reader", ids["reader"], "refused", "rate") in made
    unknown = [json.loads(line)["why"] for line in (up.data_dir / "audit-unknown.jsonl").read_text().splitlines()]
    assert {"unknown", "malformed"} <= set(unknown)
    counted = dict(re.findall(r'slotbeam_admin_attempts_total\{outcome="(\w+)"\} (\S+)', metrics))
    assert sum(map(float, counted.values())) == len(known) + len(unknown)
    assert "tokens.json cannot be used" in up.errors  # the log was read, and at this place it speaks of tokens

    files = [path for path in up.data_dir.rglob("*") if path.is_file() and path.name != "admin.token"]
    places = [text.encode() for text in (*said, metrics, up.output, up.errors)] + [path.read_bytes() for path in files]
    for secret in secrets:
        for part in (secret, secret[4:24], secret[-20:]):
            assert not [place[:200] for place in places if part.encode() in place]


@pytest.mark.parametrize("token", ["two\nlines-of-a-file", "esc\x1b-in-the-middle", "a\x00b"])
def test_a_token_that_cannot_be_sent_is_not_told(token: str) -> None:
    with pytest.raises(SetupError, match="holds a control character") as error:
        PlaneClient("http://127.0.0.1:1", token)
    assert token[:3] not in str(error.value)
