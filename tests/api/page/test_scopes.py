"""What the page offers to whom: what a token may not do has no button, and is refused when it is sent all the same."""

from __future__ import annotations

import re
from typing import Any

from slotbeam.access.tokens import TokenFile

from .conftest import BOUND, VIEWS, etag_of

Browser = Any


async def as_token(browser: Browser, *scopes: str) -> None:
    """Sign in with a token of these scopes and `slots:read`."""
    file = TokenFile(browser.client.plane.settings.data_dir)
    _, secret = file.create("someone", ["slots:read", *scopes], None, 0.0)
    await browser.post("/ops/sign-out")
    assert (await browser.sign_in(secret)).status_code == 303


def offered(text: str) -> set[str]:
    """What there is to press, beside looking and leaving."""
    return set(re.findall(r"<button[^>]*>([^<]+)</button>", text)) - {"Sign out", "Find", "Answer"}


async def test_who_may_draft_is_offered_drafts_and_what_is_live_stays_as_it_is(browser: Browser) -> None:
    bound = await browser.post("/ops/slots/new", **BOUND)
    found = re.search(r'href="(/ops/slots/[^"]+)"', bound.text)
    assert found is not None
    await as_token(browser, "slots:draft")
    form = await browser.get("/ops/slots/new")
    assert 'type="hidden" name="draft" value="on"' in form.text
    assert offered(form.text) == {"Save the draft"}
    held = await browser.get(found[1])
    assert (offered(held.text), "may not change what is live" in held.text) == (set(), True)
    assert "Undo this" not in (await browser.get("/ops/history")).text
    forged = await browser.post(f"{found[1]}/unbind", etag=etag_of(held.text))
    assert (forged.status_code, "slots:publish is needed" in forged.text) == (403, True)
    refused = await browser.post("/ops/slots/new", **{**BOUND, "words": "crocs"})
    assert (refused.status_code, "slots:publish is needed" in refused.text) == (403, True)
    drafted = await browser.post("/ops/slots/new", **{**BOUND, "words": "crocs", "draft": "on"})
    assert "crocs" in drafted.text
    assert "Undo this" in (await browser.get("/ops/history")).text


async def test_who_may_publish_is_offered_to_turn_what_is_there_live_and_nothing_else(browser: Browser) -> None:
    drafted = await browser.post("/ops/slots/new", **BOUND, draft="on")
    found = re.search(r'href="(/ops/slots/[^"]+)"', drafted.text)
    assert found is not None
    await as_token(browser, "slots:publish")
    assert "Bind words" not in (await browser.get("/")).text
    held = await browser.get(found[1])
    assert offered(held.text) == {"Publish as it is"}
    told = await browser.post(f"{found[1]}/publish/preview", etag=etag_of(held.text))
    assert "<mark>labubu</mark>" in told.text
    live = await browser.post(f"{found[1]}/publish", etag=etag_of(held.text))
    assert "live</b> on 1 of 1 replicas" in live.text
    held = await browser.get(found[1])
    assert offered(held.text) == {"Make it a draft again"}
    off = await browser.post(f"{found[1]}/publish", etag=etag_of(held.text), draft="on")
    assert (off.status_code, "bound" in (await browser.get("/ops/try?q=labubu")).text) == (200, False)


async def test_who_may_only_read_is_offered_nothing_to_change(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND)
    await as_token(browser)
    for path in [*VIEWS, "/ops/slots/1-4"]:
        told = offered((await browser.get(path)).text)
        assert told == set(), path


async def test_the_state_of_store_index_and_replicas_is_told_to_who_may_read_it(browser: Browser) -> None:
    told = (await browser.get("/ops/replicas")).text
    for text in ("appendfsync", "Edited since", "of 200000 allowed", "the-admin"):
        assert text in told, text
    await as_token(browser)
    told = (await browser.get("/ops/replicas")).text
    assert "indexes:read is needed" in told
    assert "Edited since" not in told
