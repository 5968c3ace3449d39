"""Who may say what bindings and rules are, and who may say that they count."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from slotbeam.access.tokens import TokenFile, effective
from slotbeam.settings import Settings

As = Callable[..., None]
DRAFTED = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003"]}, "draft": True}
RULE = {"words": ["shoe"], "hide": ["i003"], "draft": True}
LIVE: dict[str, Any] = {"draft": False}
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")


@pytest.fixture
def act_as(admin: httpx.AsyncClient, settings: Settings) -> As:
    """Sends what follows with a token of these scopes, and `slots:read`; of none: as the admin."""
    whole, file = admin.headers["authorization"], TokenFile(settings.data_dir)

    def change(*scopes: str) -> None:
        name = "-".join(scopes).replace(":", ".")
        secret = file.create(name, ["slots:read", *scopes], None, 0)[1] if scopes else ""
        admin.headers["authorization"] = f"Bearer {secret}" if scopes else whole

    return change


async def refused(answer: httpx.Response, scope: str) -> None:
    assert (answer.status_code, answer.json().get("scope")) == (403, scope), answer.text
    assert f"{scope} is needed" in answer.json()["detail"]


async def made(admin: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return where a binding or a rule is that was made, by its id, and the condition of its next edit."""
    answer = await admin.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['id']}", {"if-match": answer.headers["etag"]}


def test_to_write_is_to_draft_and_to_publish() -> None:
    assert effective(["slots:write"]) == effective(["slots:draft", "slots:publish"])
    assert effective(["slots:draft", "items:write"]) == {"slots:draft", "items:write"}
    assert effective([]) == set()


@pytest.mark.parametrize(("path", "body"), [("/admin/slots", DRAFTED), ("/admin/rules", RULE)])
async def test_who_may_draft_makes_changes_and_removes_drafts_and_nothing_that_counts(
    admin: httpx.AsyncClient, act_as: As, path: str, body: dict[str, Any]
) -> None:
    live, is_live = await made(admin, path, {**body, "words": ["crocs"], "draft": False})
    act_as("slots:draft")
    draft, is_draft = await made(admin, path, body)
    for dry in ("", "?dry_run=true"):
        await refused(await admin.post(path + dry, json={**body, "words": ["moo"], "draft": False}), "slots:publish")
        for at, condition in ((draft, is_draft), (live, is_live)):
            for change in (LIVE, {"draft": False, "ends_at": TOMORROW}):
                await refused(await admin.patch(at + dry, json=change, headers=condition), "slots:publish")
            await refused(await admin.put(at + dry, json={**body, "draft": False}, headers=condition), "slots:publish")
        for other in ({"draft": True}, {"reason": "a word"}):
            await refused(await admin.patch(live + dry, json=other, headers=is_live), "slots:publish")
        await refused(await admin.delete(live + dry, headers=is_live), "slots:publish")
        scheduled = {**body, "words": ["moo"], "draft": False, "starts_at": TOMORROW}
        await refused(await admin.post(path + dry, json=scheduled), "slots:publish")
    edited = await admin.patch(draft, json={"reason": "a word"}, headers=is_draft)
    assert (edited.status_code, edited.json()["state"]) == (200, "draft")
    again = await admin.put(draft, json=body, headers={"if-match": edited.headers["etag"]})
    assert again.status_code == 200, again.text
    assert (await admin.delete(draft, headers={"if-match": again.headers["etag"]})).status_code == 200
    assert (await admin.get(live)).json()["state"] == "active"


@pytest.mark.parametrize(("path", "body"), [("/admin/slots", DRAFTED), ("/admin/rules", RULE)])
async def test_who_may_publish_turns_what_others_made_live_and_off_and_says_nothing_else(
    admin: httpx.AsyncClient, act_as: As, path: str, body: dict[str, Any]
) -> None:
    at, condition = await made(admin, path, body)
    act_as("slots:publish")
    await refused(await admin.post(path, json={**body, "words": ["moo"]}), "slots:draft")
    await refused(await admin.patch(at, json={"draft": False, "reason": "x"}, headers=condition), "slots:draft")
    for draft, state in ((False, "active"), (True, "draft")):
        turned = await admin.patch(at, json={"draft": draft}, headers=condition)
        assert (turned.status_code, turned.json()["state"]) == (200, state), turned.text
        condition = {"if-match": turned.headers["etag"]}
    await refused(await admin.delete(at, headers=condition), "slots:draft")


async def test_a_file_counts_row_by_row(admin: httpx.AsyncClient, act_as: As) -> None:
    rows = [
        {"words": ["labubu"], "category": "brand", "items": ["i003"], "state": "draft"},
        {"words": ["shoe"], "hide": ["i003"], "draft": True},
    ]
    act_as("slots:draft")
    for dry in ("false", "true"):
        file = [*rows, {"words": ["crocs"], "category": "brand", "items": ["i004"]}]
        await refused(await admin.post(f"/admin/slots:import?dry_run={dry}", json=file), "slots:publish")
    loaded = await admin.post("/admin/slots:import", json=rows)
    assert (loaded.status_code, loaded.json()["created"]) == (200, 2), loaded.text


async def test_what_undoes_a_revision_needs_what_its_edits_need(admin: httpx.AsyncClient, act_as: As) -> None:
    await made(admin, "/admin/slots", {**DRAFTED, "draft": False})
    await made(admin, "/admin/rules", RULE)
    act_as("slots:draft")
    await refused(await admin.post("/admin/revisions/1:revert"), "slots:publish")
    assert (await admin.post("/admin/revisions/2:revert")).status_code == 200


async def test_a_suggestion_is_accepted_as_a_draft_and_dismissed_by_who_may_do_both(
    admin: httpx.AsyncClient, act_as: As
) -> None:
    body = {"category": "brand", "items": {"ids": ["i003"]}}
    act_as("slots:publish")
    await refused(await admin.post("/admin/suggestions/labubu:accept", json=body), "slots:draft")
    act_as("slots:draft")
    accepted = await admin.post("/admin/suggestions/labubu:accept", json=body)
    assert (accepted.status_code, accepted.json()["state"]) == (201, "draft")
    await refused(await admin.post("/admin/suggestions/moo:dismiss"), "slots:write")
    act_as("slots:draft", "slots:publish")
    assert (await admin.post("/admin/suggestions/moo:dismiss")).status_code == 200


async def test_the_audit_says_which_scope_was_missing(admin: httpx.AsyncClient, act_as: As, settings: Settings) -> None:
    act_as("slots:draft")
    await admin.post("/admin/slots", json={**DRAFTED, "draft": False})
    row = json.loads((settings.data_dir / "audit.jsonl").read_text().splitlines()[-1])
    assert (row["why"], row["scope"], row["status"]) == ("scope", "slots:publish", 403)
