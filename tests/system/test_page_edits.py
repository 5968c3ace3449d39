"""What is edited on the ops page in Debian's Chromium: rules, items, files, suggestions, drafts."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from slotbeam.access.tokens import TokenFile
from slotbeam.bindings.store.store import Store
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S

from .browsing import WIDTHS, shot, sign_in

SCRIPT = "\"'></textarea><img src=x onerror=alert(1)>"
TOYS = {"boost-field-0": "department", "boost-value-0": "toys", "boost-weight-0": "2"}
CHEAP = {"bury-field-0": "price", "bury-is-0": "lte", "bury-value-0": "20"}
RULES = [
    {"hide": "i003", "positions": "i004\ni005", **TOYS, **CHEAP, "metadata-banner": "free"},
    {"filter-field-0": "price", "filter-is-0": "lte", "filter-value-0": "50"},
    {"replace": "red mug"},
    {"alias": "mug"},
]
"""Together every action that there is."""
DROPPED = """(text) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], "bindings.csv", {type: "text/csv"}));
    return dropped;
}"""


async def report_burst(url: str, word: str) -> None:
    """Report as one more replica would a day without `word`, and an hour with it."""
    now = time.time()
    at = [now - 24 * BUCKET_S]
    reporter = TrendReporter(lambda: at[0])
    while at[0] < now:
        for number in range(20):
            reporter.note(f"red mug {number}", [])
        reporter.drain()
        at[0] += BUCKET_S
    for number in range(30):
        reporter.note(f"{word} mug {number % 6}", [word])
    reported = Store(url)
    assert await reporter.report(reported, f"burst-{word}")
    await reported.close()


def add(page: Page, path: str, fields: dict[str, str], button: str) -> None:
    """Fill a form, wait for its dry run, send it, and see it live everywhere."""
    page.goto(path)
    for name, text in fields.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("one => one.matches('select')"):
            field.select_option(text)
        else:
            field.fill(text)
    expect(page.locator("#preview .sample").first).to_be_visible()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")


def test_each_action_of_a_rule_is_made_in_its_form_beside_its_dry_run(page: Page) -> None:
    width = page.width  # type: ignore[attr-defined]
    for number, actions in enumerate(RULES):
        add(page, "/ops/rules/new", {"words": f"red {width} {number}", **actions, "reason": "campaign"}, "Make it")
    page.goto(f"/ops/rules?q={width}")
    shot(page, width, "rules")
    for action in ("replace", "filter", "alias", "hide", "boost", "bury", "positions", "metadata"):
        expect(page.locator("#rules .tag", has_text=action).first).to_be_visible()
    page.get_by_role("link", name=f"red {width} 0").click()
    expect(page.locator("#preview mark").first).to_have_text(f"red {width} 0")
    expect(page.locator("[name=boost-field-0]")).to_have_value("department")
    expect(page.locator("[name=metadata-banner]")).to_have_value("free")
    page.get_by_label("Boost: value").first.fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#wrong-boost")).to_contain_text("does not say what department is compared with")
    shot(page, width, "rule")
    page.get_by_label("Boost: value").first.fill("toys")
    page.locator("[name=boost-field-1]").select_option("price")
    page.locator("[name=boost-is-1]").select_option("is known")
    expect(page.locator("[name=boost-field-2]")).to_have_value("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")
    page.goto(f"/ops/rules?q={width}")
    page.get_by_role("link", name=f"red {width} 1").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")


def test_an_item_is_found_edited_and_hidden(page: Page) -> None:
    width = page.width  # type: ignore[attr-defined]
    page.goto("/ops/items")
    page.get_by_label("Find items").fill("i010")
    page.keyboard.press("Enter")
    page.locator("td.words a").first.click()
    page.locator("[name=title]").fill(f"Red lamp of the {width}")
    page.locator("[name=field-price]").fill("cheap")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("price")
    expect(page.locator("[name=title]")).to_have_value(f"Red lamp of the {width}")
    page.locator("[name=field-price]").fill("12.5")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")
    page.goto("/ops/items/i010")
    expect(page.get_by_role("heading", name=f"Red lamp of the {width}")).to_be_visible()
    expect(page.locator("[name=field-price]")).to_have_value("12.5")
    shot(page, width, "item")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Hide it by a rule").click()
    page.locator("[name=words]").fill(f"lamp {width}")
    expect(page.locator("[name=hide]")).to_have_value("i010")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")


def test_items_that_are_chosen_in_the_list_are_bound_or_hidden(page: Page) -> None:
    width = page.width  # type: ignore[attr-defined]
    page.goto("/ops/items?q=mug")
    boxes = page.locator("[name=items]")
    ids = [boxes.nth(number).get_attribute("value") for number in (0, 2)]
    for number in (0, 2):
        boxes.nth(number).check()
    shot(page, width, "items")
    page.get_by_role("button", name="Bind words to those chosen").click()
    expect(page.get_by_label("Items", exact=False).first).to_have_value("\n".join(map(str, ids)))
    page.locator("[name=words]").fill(f"chosen {width}")
    expect(page.locator("#preview").get_by_text("2 found")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Hide those chosen by a rule").click()
    expect(page.locator("[name=hide]")).to_have_value("\n".join(map(str, ids)))


def test_a_file_is_dropped_checked_and_imported_with_a_report_by_line(page: Page) -> None:
    width = page.width  # type: ignore[attr-defined]
    head, good, bad = "words,category,items,state\n", f"drop {width},brand,i003,draft\n", "crocs,none,i004,draft\n"
    for text, button, said in (
        (head + good + bad, "Import", "Nothing was imported"),
        (head + good, "Check", "would be"),
    ):
        page.goto("/ops/import")
        file = page.evaluate_handle(DROPPED, text)
        page.locator("[name=file]").dispatch_event("drop", {"dataTransfer": file})
        expect(page.locator("[name=file]")).to_have_value(text)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading")).to_contain_text(said)
        expect(page.locator("tbody tr")).to_have_count(text.count("\n") - 1)
        shot(page, width, f"report-{button.lower()}")


def test_a_suggestion_is_accepted_as_a_draft(page: Page, page_store: str) -> None:
    width = page.width  # type: ignore[attr-defined]
    word = {"desktop": "number", "phone": "thing"}[width]
    with ThreadPoolExecutor(1) as beside:  # this thread has the loop of the browser
        beside.submit(lambda: asyncio.run(report_burst(page_store, word))).result()
    page.goto("/ops/suggestions")
    card = page.locator("article", has_text=word)
    shot(page, width, "suggestion")
    card.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading")).to_contain_text("draft")
    page.goto("/?state=draft")
    expect(page.get_by_role("link", name=word)).to_be_visible()


def test_who_drafts_is_not_offered_to_publish_and_who_publishes_does(
    chromium: Browser, origin: str, page_data: Path
) -> None:
    wrong: list[str] = []
    pages = {}
    for scope in ("slots:draft", "slots:publish"):
        _, secret = TokenFile(page_data).create(scope.replace(":", "-"), ["slots:read", scope], None, time.time())
        pages[scope] = chromium.new_context(viewport=WIDTHS["desktop"], base_url=origin).new_page()
        pages[scope].on("pageerror", lambda error: wrong.append(str(error)))
        sign_in(pages[scope], secret)
    drafting, publishing = pages.values()
    drafting.goto("/ops/slots/new")
    expect(drafting.get_by_role("button", name="Bind")).to_have_count(0)
    drafting.locator("[name=words]").fill("crocs draft")
    drafting.locator("[name=items]").fill("i003")
    expect(drafting.locator("#preview").get_by_text("1 found")).to_be_visible()
    shot(drafting, "desktop", "drafting")
    drafting.get_by_role("button", name="Save the draft").click()
    expect(drafting.get_by_role("heading", name="crocs draft")).to_contain_text("draft")
    drafting.goto("/ops/try?q=crocs draft&drafts=on")
    expect(drafting.get_by_role("heading", name="With drafts")).to_be_visible()
    expect(drafting.get_by_text("bound", exact=True)).to_have_count(1)
    drafting.goto("/?q=crocs draft")
    drafting.get_by_role("link", name="crocs draft").click()
    expect(drafting.get_by_role("button", name="Publish as it is")).to_have_count(0)
    publishing.goto("/?q=crocs draft")
    publishing.get_by_role("link", name="crocs draft").click()
    expect(publishing.get_by_role("button", name="Save")).to_have_count(0)
    expect(publishing.locator("#preview mark").first).to_have_text("crocs draft")
    shot(publishing, "desktop", "publishing")
    publishing.get_by_role("button", name="Publish as it is").click()
    expect(publishing.get_by_role("status")).to_contain_text("on 2 of 2 replicas in")
    drafting.reload()
    expect(drafting.get_by_text("may not change what is live")).to_be_visible()
    assert wrong == []
    for one in pages.values():
        one.context.close()


def test_nothing_that_is_typed_runs_in_rules_items_or_their_dry_runs(page: Page) -> None:
    page.on("dialog", lambda dialog: page.evaluate("message => { throw Error(message) }", dialog.message))
    width = page.width  # type: ignore[attr-defined]
    words = f"red {width} script"
    fields = {"words": f"{words}\n{width}{SCRIPT}", "owner": SCRIPT, "reason": SCRIPT, "samples": f"{words}\n{SCRIPT}"}
    add(page, "/ops/rules/new", {**fields, "hide": "i003", "metadata-banner": SCRIPT}, "Make it")
    page.goto("/ops/items/i011")
    page.get_by_text("as JSON").click()
    field = page.get_by_label("The whole item")
    field.fill(json.dumps({**json.loads(field.input_value()), "title": SCRIPT, "description": SCRIPT}))
    page.get_by_role("button", name="Save the whole item").click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")
    forged = quote(SCRIPT)
    for path in ("/ops/rules", "/ops/items?q=i011", "/ops/items/i011", "/ops/history", f"/ops/try?q={words}",
                 f"/ops/rules/new?items={forged}", f"/?q={forged}"):  # fmt: skip
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        assert page.locator("main img, main script, [onerror]").count() == 0, path
