"""What the page shows, does and lets a browser load."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any

import pytest

from slotbeam.api.page.render import ASSETS, POLICY, environment

from .conftest import BOUND, VIEWS, etag_of

Browser = Any
SCRIPTS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "</textarea><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% for x in y %}",
]  # fmt: skip


PYTHON = r"&lt;built-in|&lt;function|object at 0x|\{&#39;|\[&#39;|>(None|True|False)<"
"""What only a program that forgot to say something would show."""


async def test_every_view_may_load_from_this_origin_alone_and_holds_no_script_or_style(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND, draft="on")
    await browser.post("/ops/rules/new", words="", boost='[{"test": {"price": {"lte": 20}}, "weight": 1.5}]')
    for path in VIEWS:
        answer = await browser.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(PYTHON, answer.text), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>|https?://", answer.text), path
    assert "unsafe" not in POLICY


async def test_the_assets_are_packaged_and_nothing_else_is_given_out(browser: Browser) -> None:
    for name, kind in ASSETS.items():
        answer = await browser.get(f"/ops/assets/{name}")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    for name in ("nothing.js", "..%2frender.py", "%2e%2e/render.py"):
        assert (await browser.get(f"/ops/assets/{name}")).status_code == 404


def test_every_template_escapes() -> None:
    made = environment()
    assert made.autoescape is True
    for name in made.list_templates():
        source = made.loader.get_source(made, name)[0]  # type: ignore[union-attr]
        assert "safe" not in re.findall(r"\|\s*(\w+)", source), name


@pytest.mark.parametrize("text", SCRIPTS)
async def test_what_is_typed_is_shown_as_text(browser: Browser, text: str) -> None:
    def is_text(answer: str) -> bool:
        return text not in answer if escape(text) != text else True

    for path in ("/", "/ops/try", "/ops/items"):
        answer = await browser.client.get(path, params={"q": text})
        assert is_text(answer.text), path
    assert is_text((await browser.client.get("/ops/history", params={"word": text})).text)
    fields = {**BOUND, "owner": text, "reason": text, "words": f"labubu\n{text}", "samples": text}
    for path in ("/ops/slots/new/preview", "/ops/slots/new"):
        assert is_text((await browser.post(path, **fields)).text), path
    bound = await browser.post("/ops/slots/new", **{**BOUND, "owner": text, "reason": text})
    assert is_text(bound.text)
    for path in ("/", "/ops/history", "/ops/slots/1-4"):
        assert is_text((await browser.get(path)).text), path
    for path in ("/ops/slots/", "/ops/items/"):
        answer = await browser.client.get(path + text.replace("/", "%2f"))
        is_problem = answer.headers["content-type"] == "application/problem+json"
        assert is_problem or is_text(answer.text), path


async def test_the_dry_run_beside_the_form_says_what_the_bind_would_do_and_writes_nothing(browser: Browser) -> None:
    told = await browser.post(
        "/ops/slots/new/preview", **{**BOUND, "items": "i003\nnowhere", "samples": "labubu keychain"}
    )
    assert told.status_code == 200
    assert "<mark>labubu</mark> keychain" in told.text
    assert "1 found" in told.text
    assert "1 missing" in told.text
    assert "<code>nowhere</code>" in told.text
    assert "<h4>Before</h4>" in told.text
    assert "labubu" not in (await browser.get("/")).text
    refused = await browser.post("/ops/slots/new/preview", **{**BOUND, "category": "nothing"})
    assert 'role="alert"' in refused.text


async def test_a_word_is_bound_edited_and_unbound(browser: Browser) -> None:
    bound = await browser.post("/ops/slots/new", **BOUND)
    assert "live</b> on 1 of 1 replicas" in bound.text
    found = re.search(r'href="/ops/slots/([^"]+)"', bound.text)
    assert found is not None
    at = f"/ops/slots/{found[1]}"
    assert "labubu" in (await browser.get("/")).text
    assert "bound" in (await browser.get("/ops/try?q=labubu")).text
    form = (await browser.get(at)).text
    edited = await browser.post(at, **{**BOUND, "owner": "plush"}, etag=etag_of(form))
    assert edited.status_code == 200, edited.text
    history = (await browser.get("/ops/history?word=labubu")).text
    assert '<td class="old">toys</td><td class="fresh">plush</td>' in history
    stale = await browser.post(at, **BOUND, etag=etag_of(form))
    assert stale.status_code == 412
    gone = await browser.post(f"{at}/unbind", etag=etag_of((await browser.get(at)).text))
    assert gone.status_code == 200
    assert "Nothing is bound" in (await browser.get("/")).text


async def test_what_is_wrong_is_said_beside_its_field(browser: Browser) -> None:
    mistakes = {"words": "", "ends_at": "2090-01-01T00:00", "owner": "x" * 300, "samples": "a\n" * 9}
    for name, text in mistakes.items():
        told = await browser.post("/ops/slots/new", **{**BOUND, name: text})
        assert told.status_code == 422
        assert re.findall(r'<span class="wrong" id="wrong-([^"]+)"', told.text) == [name]
        assert re.search(rf'name="{name}"[^>]*aria-invalid="true" aria-describedby="wrong-{name}"', told.text)


async def test_a_form_that_is_sent_twice_binds_once(browser: Browser) -> None:
    for _ in range(2):
        assert "live" in (await browser.post("/ops/slots/new", **BOUND, key="k" * 16)).text
    assert (await browser.get("/ops/history")).text.count("<b>bind</b>") == 1


async def test_a_refused_bind_keeps_what_was_typed_and_names_the_holder(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND)
    again = await browser.post("/ops/slots/new", **{**BOUND, "reason": "once more"})
    assert again.status_code == 409
    assert "once more" in again.text
    assert not re.search(PYTHON, again.text)
    assert re.search(r'href="/ops/slots/1-\d+">Look at what holds it', again.text)
    assert "labubu" in again.text


async def test_times_are_taken_in_the_zone_that_is_named(browser: Browser) -> None:
    fields = {**BOUND, "ends_at": "2030-06-01T09:00", "zone": "Europe/Berlin"}
    assert "2030-06-01T07:00:00.000Z" in (await browser.post("/ops/slots/new/preview", **fields)).text


async def test_an_import_is_reported_by_line_and_is_all_or_nothing(browser: Browser) -> None:
    good, bad = (
        "words,category,items\nlabubu,brand,i003\n",
        "words,category,items\nlabubu,brand,i003\ncrocs,none,i004\n",
    )
    refused = await browser.post("/ops/import", file=bad)
    assert refused.status_code == 422
    assert "refused" in refused.text
    assert not re.search(PYTHON, refused.text)
    assert unescape(refused.text).count(bad) == 1, "what is to be mended is still in the form"
    checked = await browser.post("/ops/import/preview", file=good)
    assert "It would be imported" in checked.text
    assert "Nothing is bound" in (await browser.get("/")).text
    assert "Imported" in (await browser.post("/ops/import", file=good)).text
    assert "labubu" in (await browser.get("/")).text
    assert (await browser.post("/ops/import", file="[not json")).status_code == 400


async def test_a_query_is_answered_with_bindings_and_without(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND)
    await browser.post("/ops/rules/new", words="labubu", positions="i005")
    told = (await browser.get("/ops/try?q=labubu")).text
    assert re.findall(r'<b class="tag">(bound|rule)</b>', told) == ["rule", "bound", "bound"]
    assert "With bindings" in told
    assert "“labubu”: 1 range, 2 items" in told
    assert 'role="alert"' in (await browser.get(f"/ops/try?q={'x' * 300}")).text


async def test_a_rule_is_made_edited_and_removed_beside_its_dry_run(browser: Browser) -> None:
    rule = {"words": "red shoe", "trigger": "contains", "hide": "i003", "reason": "recall"}
    told = await browser.post("/ops/rules/new/preview", **rule)
    assert "Before and after the same" in told.text, "the item was not among them"
    assert "is not JSON" in (await browser.post("/ops/rules/new/preview", **rule, filter="{")).text
    typo = {"boost-field-0": "department", "boost-is-0": "is", "boost-value-0": "Toys"}
    told = await browser.post("/ops/rules/new/preview", **rule, **typo)
    assert "did you mean &#34;toys&#34;?" in told.text
    made = await browser.post("/ops/rules/new", **rule)
    assert "of 1 replicas" in made.text
    found = re.search(r'href="(/ops/rules/b_[^"]+)"', (await browser.get("/ops/rules")).text)
    assert found is not None
    etag = etag_of((await browser.get(found[1])).text)
    edited = await browser.post(found[1], **{**rule, "reason": "sold out"}, etag=etag)
    assert edited.status_code == 200, edited.text
    gone = await browser.post(f"{found[1]}/unbind", etag=etag_of((await browser.get(found[1])).text))
    assert gone.status_code == 200
    assert "No rule" in (await browser.get("/ops/rules")).text


async def test_a_revision_is_undone_from_the_history(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND)
    assert "Undo this" in (await browser.get("/ops/history")).text
    assert "labubu" in (await browser.get("/")).text
    undone = await browser.post("/ops/history/1/revert")
    assert (undone.status_code, "Undone: labubu" in undone.text) == (200, True)
    assert "labubu" not in (await browser.get("/")).text
    refused = await browser.post("/ops/history/1/revert")
    assert (refused.status_code, "no longer as revision 1 left it" in refused.text) == (409, True)


async def test_a_query_is_tried_with_drafts_and_what_is_scheduled_and_nothing_of_it_is_served(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND, draft="on")
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
    await browser.post("/ops/rules/new", words="crocs", hide="i003", starts_at=tomorrow)
    await browser.post("/ops/slots/new", **{**BOUND, "words": "dragon"})
    await browser.post("/ops/slots/new", **{**BOUND, "words": "dragon", "items": "i005"}, draft="on")
    told = (await browser.get("/ops/try?q=labubu&drafts=on")).text
    assert told.count('<b class="tag">bound</b>') == 2
    assert "could not be published" in told
    assert "dragon" in told
    assert "<code>b_" in told
    served = (await browser.get("/ops/try?q=labubu")).text
    assert '<b class="tag">bound</b>' not in served
    ruled = (await browser.get("/ops/try?q=crocs&drafts=on")).text
    assert re.search(r'href="/ops/rules/b_[a-z2-7]+">crocs</a> rule', ruled)


@pytest.mark.parametrize(
    ("at", "held", "rows", "told"),
    [
        ("/", "slots", "words,category,items,state", "brand,i003,draft"),
        ("/ops/rules", "rules", "words,hide,state", "i003,active"),
    ],
)
async def test_a_long_list_is_paged_and_found_by_a_word(
    browser: Browser, at: str, held: str, rows: str, told: str
) -> None:
    words = [f"word{number}" for number in range(210)]
    loaded = await browser.post("/ops/import", file="\n".join([rows, *(f"{word},{told}" for word in words)]))
    assert loaded.status_code == 200, loaded.text
    seen: list[list[str]] = []
    path = at
    while path:
        shown = (await browser.get(path)).text
        seen.append(re.findall(rf'<a href="/ops/{held}/b_[^"]+">(word[0-9]+)</a>', shown))
        found = re.search(r'href="([^"]+)">Next page</a>', shown)
        path = unescape(found[1]) if found else ""
    assert [len(page) for page in seen] == [200, 10]
    assert sorted(word for page in seen for word in page) == sorted(words)
    for word in (seen[0][0], seen[1][0]):
        assert word in re.findall(r">(word[0-9]+)</a>", (await browser.get(f"{at}?q={word}")).text)
    state, other = ("draft", "active") if held == "slots" else ("active", "draft")
    assert "Next page" in (await browser.get(f"{at}?state={state}")).text
    assert "that fits" in (await browser.get(f"{at}?state={other}")).text
