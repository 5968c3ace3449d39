"""What the page tells of queries: which trigger what, and which nobody takes anything from."""

from __future__ import annotations

import re
from typing import Any

from slotbeam.suggestions.reporting import TrendReporter

from .conftest import BOUND, TOKEN

Browser = Any


async def test_bound_words_that_nobody_clicks_are_told(browser: Browser) -> None:
    ids = {}
    for word in ("labubu", "crocs"):
        bound = await browser.post("/ops/slots/new", **{**BOUND, "words": word})
        [found] = re.findall(r'href="/ops/slots/([^"]+)"', bound.text)
        held = await browser.client.get(f"/admin/slots/{found}", headers={"authorization": f"Bearer {TOKEN}"})
        ids[word] = held.json()["id"]
    counts = {ids["labubu"]: [40, 10, 0], ids["crocs"]: [30, 0, 0], "b_gone": [99, 0, 0]}
    await browser.client.plane.store.publish_stats("r1", {"bindings": counts})
    told = (await browser.get("/ops/queries")).text
    assert re.findall(r'href="/ops/slots/b_[^"]+">(\w+)</a>', told) == ["crocs"]
    assert re.findall(r"(\d+) % <small>of (\d+)</small>", (await browser.get("/")).text) == [("25", "40"), ("0", "30")]


async def test_a_click_that_a_data_plane_knows_without_its_query_is_no_share(browser: Browser) -> None:
    """One that began anew is told of clicks on answers of its life before."""
    bound = await browser.post("/ops/slots/new", **BOUND)
    [slot] = re.findall(r'href="/ops/slots/([^"]+)"', bound.text)
    held = await browser.client.get(f"/admin/slots/{slot}", headers={"authorization": f"Bearer {TOKEN}"})
    await browser.client.plane.store.publish_stats("r1", {"bindings": {held.json()["id"]: [0, 1, 0]}})
    told = await browser.get("/")
    assert told.status_code == 200
    assert not re.findall(r"% <small>of", told.text)


async def test_bindings_and_rules_have_a_bar_of_the_sampled_queries_that_trigger_them(browser: Browser) -> None:
    await browser.post("/ops/slots/new", **BOUND)
    await browser.post("/ops/rules/new", words="shoe", hide="i003")
    reporter = TrendReporter(browser.client.plane.clock)
    for query in ("labubu mug", "red labubu", "red shoe", "shoe", "shoes"):
        reporter.note(query, [])
    await reporter.report(browser.client.plane.store, "r1")
    for path, count in (("/", 2), ("/ops/rules", 3)):
        told = (await browser.get(path)).text
        assert re.findall(r"</svg> <small>(\d+)</small>", told) == [str(count)]
        assert "of 5 queries sampled" in told
