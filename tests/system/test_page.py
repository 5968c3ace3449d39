"""The ops page and the search box in Debian's Chromium: desktop and phone, light and dark, with axe's findings."""

from __future__ import annotations

import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from support.processes import CLI, environment

from .browsing import TOKEN, WIDTHS, serious, shot

VIEWS = ["", "ops/slots/new", "ops/rules", "ops/rules/new", "ops/try?q=labubu", "ops/try?q=red mug&drafts=on",
         "ops/suggestions", "ops/queries", "ops/items?q=labubu", "ops/history", "ops/import",
         "ops/replicas"]  # fmt: skip


def test_a_word_is_bound_with_its_dry_run_in_sight_and_unbound(page: Page) -> None:
    width = page.width  # type: ignore[attr-defined]
    page.keyboard.press("n")
    page.locator("[name=words]").fill("labubu")
    page.locator("[name=items]").fill("i003\ni004")
    page.get_by_label("Reason").fill("viral")
    preview = page.locator("#preview")
    expect(preview.get_by_text("2 found")).to_be_visible()
    expect(preview.locator("mark").first).to_have_text("labubu")
    shot(page, width, "bind")
    page.get_by_role("button", name="Bind", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("on 2 of 2 replicas in")
    shot(page, width, "live")
    page.goto("/ops/try?q=labubu")
    expect(page.get_by_text("bound", exact=True).first).to_be_visible()
    shot(page, width, "try")
    page.goto("/")
    shot(page, width, "bindings")
    page.get_by_role("link", name="labubu").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unbind").click()
    expect(page.get_by_role("status")).to_contain_text("2 of 2")
    page.goto("/ops/history?word=labubu")
    expect(page.get_by_text("unbind").first).to_be_visible()
    shot(page, width, "history")


def test_an_edit_that_someone_else_makes_appears_by_itself(page: Page, origin: str) -> None:
    line = [*CLI, "slots", "bind", "crocs", "-c", "brand", "--item", "i003"]
    admin = environment(admin_url=origin, admin_token=TOKEN)
    expect(page.get_by_role("link", name="crocs", exact=True)).to_have_count(0)
    done = subprocess.run(line, env=admin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    expect(page.get_by_role("link", name="crocs", exact=True)).to_be_visible()
    page.get_by_role("link", name="crocs", exact=True).click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unbind").click()
    expect(page.get_by_role("status")).to_be_visible()


def test_axe_finds_nothing_serious_in_any_view(page: Page) -> None:
    for view in VIEWS:
        page.goto(f"/{view}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert serious(page) == [], (view, scheme)
            shot(page, page.width, f"{view.partition('?')[0].replace('/', '-') or 'home'}-{scheme}")  # type: ignore[attr-defined]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, view


@pytest.mark.parametrize("width", WIDTHS)
def test_the_search_box_finds_while_one_types_and_runs_nothing_that_is_typed(
    chromium: Browser, data_plane: str, width: str
) -> None:
    page = chromium.new_page(viewport=WIDTHS[width], base_url=data_plane)
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto("/")
    page.locator("#examples button").first.click()
    with page.expect_response(lambda answer: answer.url.endswith("/events")) as reported:
        page.locator("#hits li").first.click()
    assert reported.value.status == 202, "a click is reported past no policy"
    with page.expect_response(lambda answer: "onerror" in answer.url and answer.url.endswith("%3E&k=20")):
        page.get_by_label("Search").press("End")
        page.get_by_label("Search").press_sequentially(" <img src=x onerror=alert(1)>")
    expect(page.locator("#said")).to_contain_text("unknown")
    assert page.locator("main img").count() == 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == [], scheme
        shot(page, width, f"search-{scheme}")
    assert [url for url in asked if not url.startswith(data_plane)] == []
    assert wrong == []
    page.close()
