"""Who is signed in, and what a page of another site can do with that: nothing."""

from __future__ import annotations

from typing import Any

from slotbeam.access.tokens import TokenFile
from slotbeam.api.page.sessions import COOKIE, LASTS_S, MAX_SESSIONS, Sessions

Browser = Any
VIEWS = ["/", "/ops/slots", "/ops/slots/new", "/ops/try", "/ops/suggestions", "/ops/queries", "/ops/items",
         "/ops/history", "/ops/import", "/ops/replicas", "/ops/rules", "/ops/rules/new"]  # fmt: skip
POSTS = ["/ops/sign-out", "/ops/slots/new", "/ops/slots/new/preview", "/ops/slots/1-4", "/ops/slots/1-4/preview",
         "/ops/slots/1-4/unbind", "/ops/slots/1-4/publish", "/ops/slots/1-4/publish/preview", "/ops/rules/b_aaaa",
         "/ops/suggestions/labubu/accept", "/ops/items/i003", "/ops/import", "/ops/import/preview"]  # fmt: skip


async def test_who_is_not_signed_in_sees_the_sign_in_and_nothing_else(stranger: Browser) -> None:
    first = await stranger.get("/")
    assert first.status_code == 200
    assert 'type="password"' in first.text
    for path in [*VIEWS[1:], "/ops/live", "/ops/slots/1-4", "/ops/items/i003"]:
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), path
        assert "revision" not in answer.text
    for path in POSTS:
        assert (await stranger.client.post(path, data={"csrf": "x"})).status_code == 303, path


async def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(stranger: Browser) -> None:
    answer = await stranger.sign_in()
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert "t" * 32 not in cookie


async def test_over_tls_the_cookie_goes_no_other_way(stranger: Browser) -> None:
    stranger.client.base_url = "https://t"
    answer = await stranger.sign_in()
    assert all("Secure" in one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE))


async def test_a_token_that_is_not_taken_signs_nobody_in(stranger: Browser) -> None:
    for token in ("", "wrong", "t" * 31, "é" * 32, "a\nb", "\x00"):
        answer = await stranger.sign_in(token)
        assert answer.status_code == 401, token
        assert "a valid bearer token is needed" in answer.text
        assert COOKIE not in stranger.client.cookies


async def test_every_form_without_the_csrf_token_of_its_session_is_refused(browser: Browser) -> None:
    for path in POSTS:
        for fields in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
            answer = await browser.client.post(path, data={"words": "labubu", **fields})
            assert answer.status_code == 403, path
    assert "labubu" not in (await browser.get("/")).text


async def test_what_another_site_sends_is_refused_cookie_and_csrf_token_or_not(browser: Browser) -> None:
    browser.client.headers["sec-fetch-site"] = "cross-site"
    bound = await browser.post("/ops/slots/new", words="labubu", category="brand", items="i003")
    assert bound.status_code == 403
    assert (await browser.post("/ops/sign-in", token="t" * 32)).status_code == 403


async def test_nobody_is_signed_in_after_signing_out(browser: Browser) -> None:
    held = browser.client.cookies[COOKIE]
    assert (await browser.post("/ops/sign-out")).status_code == 303
    browser.client.cookies.set(COOKIE, held)
    assert (await browser.get("/ops/history")).status_code == 303


async def test_a_token_that_is_revoked_ends_its_sessions(stranger: Browser) -> None:
    tokens = TokenFile(stranger.client.plane.settings.data_dir)
    _, secret = tokens.create("reader", ["slots:read"], None, 0.0)
    await stranger.sign_in(secret)
    assert (await stranger.get("/ops/history")).status_code == 200
    tokens.revoke("reader")
    assert (await stranger.get("/ops/history")).status_code == 303


async def test_what_the_page_does_is_in_the_trail_of_attempts(browser: Browser) -> None:
    before = browser.client.plane.trail.counts["accepted"]
    await browser.post("/ops/slots/new", words="labubu", category="brand", items="i003")
    assert browser.client.plane.trail.counts["accepted"] > before


def test_a_session_ends_after_its_time_and_the_oldest_goes_where_there_are_too_many() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])

    class Asking:
        def __init__(self, name: str) -> None:
            self.cookies = {COOKIE: name}

    first = sessions.open("a")
    names = [sessions.open("b") for _ in range(MAX_SESSIONS)]
    assert sessions.of(Asking(first)) is None  # type: ignore[arg-type]
    assert sessions.of(Asking(names[-1])) is not None  # type: ignore[arg-type]
    now[0] = LASTS_S
    assert sessions.of(Asking(names[-1])) is None  # type: ignore[arg-type]
