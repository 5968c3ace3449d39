"""The ops page in Debian's Chromium: each flow, at desktop and phone width, light and dark, with axe's findings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from support.pointers import ROOT
from support.processes import CLI, environment, wait_for

SCREENS = ROOT / "build" / "screens"
WIDTHS = {"desktop": ViewportSize(width=1280, height=800), "phone": ViewportSize(width=390, height=844)}
VIEWS = ["", "ops/slots/new", "ops/try?q=labubu", "ops/suggestions", "ops/queries", "ops/items?q=labubu", "ops/history",
         "ops/import", "ops/replicas"]  # fmt: skip
TOKEN = "t" * 32


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[dict[str, str]]:
    """Of the planes of a `slotbeam up`."""
    data = tmp_path_factory.mktemp("page") / "data"
    variables = environment(
        port=0, admin_port=0, data_dir=data, artifact=tiny_artifact, log_level="error", admin_token=TOKEN
    )
    with subprocess.Popen([*CLI, "up"], env=variables, stdout=subprocess.DEVNULL) as up:
        try:
            wait_for(lambda: (data / "up.json").exists() or up.poll() is not None)
            yield json.loads((data / "up.json").read_text())
        finally:
            up.terminate()


@pytest.fixture(scope="module")
def origin(addresses: dict[str, str]) -> str:
    return addresses["admin"]


@pytest.fixture(scope="module")
def data_plane(addresses: dict[str, str]) -> str:
    return addresses["data"]


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, chromium: Browser, origin: str) -> Iterator[Page]:
    """A page that is signed in; whatever it asked for was of its own origin, and no script of it failed."""
    context = chromium.new_context(viewport=WIDTHS[request.param], base_url=origin, timezone_id="Europe/Berlin")
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto("/")
    shot(page, request.param, "sign-in")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bindings")).to_be_visible()
    page.width = request.param  # type: ignore[attr-defined]
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(origin)] == []
    assert wrong == []


def shot(page: Page, width: str, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}-{width}.png")


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
    expect(page.get_by_role("link", name="crocs")).to_have_count(0)
    done = subprocess.run(line, env=admin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    expect(page.get_by_role("link", name="crocs")).to_be_visible()
    page.get_by_role("link", name="crocs").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unbind").click()
    expect(page.get_by_role("status")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for view in VIEWS:
        page.goto(f"/{view}")
        found = Axe().run(page).response["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], view
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, view
        shot(page, page.width, f"{view.partition('?')[0].replace('/', '-') or 'home'}-{scheme}")  # type: ignore[attr-defined]


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
    expect(page.locator("#hits li").first).to_be_visible()
    with page.expect_response(lambda answer: "onerror" in answer.url and answer.url.endswith("%3E&k=20")):
        page.get_by_label("Search").press_sequentially(" <img src=x onerror=alert(1)>")
    expect(page.locator("#said")).to_contain_text("unknown")
    assert page.locator("main img").count() == 0
    shot(page, width, "search")
    found = [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert found == []
    assert [url for url in asked if not url.startswith(data_plane)] == []
    assert wrong == []
    page.close()
