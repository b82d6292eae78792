"""The main job in a real browser: keyboard only, training in the background, offline, restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.world import World, running, wait_for

PAGES = (
    "/dashboard", "/dashboard/tasks", "/dashboard/analytics", "/dashboard/training",
    "/dashboard/settings",
)  # fmt: skip
# Without these Chromium looks for its maker's servers at every start.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page whose every complaint is kept.

    Args:
        browser: to open it in.
        world: whose page.
        options: of the browser context.
    """

    def __init__(self, browser: Browser, world: World, **options: Any) -> None:
        self.world = world
        self.complaints: list[str] = []
        self.context = browser.new_context(base_url=world.url, **options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._on_failed)
        self.page.on("response", self._on_response)
        self.page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _on_failed(self, request: Any) -> None:
        # What a page still waits for ends with it: the stream of training events above all.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.world.url, "data:", "blob:")):
            self.complaints.append(f"foreign: {request.url}")

    def at(self, name: str) -> Any:
        """An element by its test id."""
        return self.page.get_by_test_id(name)


def answer_by_keyboard(watched: Watched) -> None:
    """Answer the task on screen, right or wrong, without a pointer, and go to the next one."""
    page = watched.page
    expect(watched.at("task-prompt")).to_be_visible()
    if watched.at("answer-input").count():
        expect(watched.at("answer-input")).to_be_focused()
        page.keyboard.type("12")
    else:
        page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(watched.at("verdict")).to_be_visible()
    before = watched.at("task-prompt").inner_html()
    page.keyboard.press("Enter")
    expect(watched.at("verdict")).to_have_count(0)
    assert watched.at("task-prompt").inner_html() != before


def indicator(watched: Watched, name: str) -> str | None:
    """One figure of the training indicator."""
    return watched.at("training-indicator").first.get_attribute(f"data-{name}")


def test_the_whole_story_in_a_browser(browser: Browser, tmp_path: Path):
    """Fresh folder, five answers by keyboard, unnoticed training, new model, restart."""
    with running(tmp_path / "data") as world:
        watched = Watched(browser, world)
        page = watched.page
        page.goto("/dashboard")
        watched.at("start-practice").first.click()
        expect(watched.at("forecast-line")).to_be_visible()
        # The longest time between two frames: a frozen page would show here.
        page.evaluate(
            """() => { let last = performance.now(); window.longest = 0;
                 const tick = () => { const now = performance.now();
                   window.longest = Math.max(window.longest, now - last); last = now;
                   requestAnimationFrame(tick); }; tick(); }"""
        )
        for n in range(4):
            answer_by_keyboard(watched)
            wait_for(
                lambda n=n: world.training()["total_completed"] == n + 1,
                seconds=10,
                hint=f"answer {n + 1} in the database",
            )
        wait_for(lambda: indicator(watched, "count") == "4", seconds=10, hint="4 of 5 on screen")
        answer_by_keyboard(watched)
        answer_by_keyboard(watched)  # practice goes on while the training runs
        status = world.trained()
        version = status["live_model"]["version"]
        wait_for(
            lambda: indicator(watched, "version") == str(version), seconds=10, hint="the version"
        )
        assert page.evaluate("window.longest") < 1000, "the page froze"
        assert 6 == world.training()["total_completed"]
        assert version == world.draw(topic="Algebra")["model_version"]
        assert [] == watched.complaints
        watched.context.close()
    with running(tmp_path / "data") as world:
        watched = Watched(browser, world)
        watched.page.goto("/dashboard/tasks")
        expect(watched.at("task-prompt")).to_be_visible()
        wait_for(lambda: indicator(watched, "version") == str(version), seconds=10, hint="version")
        assert 6 == world.training()["total_completed"]
        assert [] == watched.complaints
        watched.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_loads_without_a_complaint(
    browser: Browser, tmp_path: Path, scheme: str, width: int
):
    """No console message, no failed or foreign request, nothing wider than the screen."""
    with running(tmp_path / "data") as world:
        for right in (True, False):
            world.answer(topic="Waves", right=right)
        watched = Watched(
            browser, world, color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        for path in PAGES:
            watched.page.goto(path)
            expect(watched.page.locator("h1, h2, [data-testid=task-prompt]").first).to_be_visible()
            watched.page.wait_for_timeout(500)
            wide = watched.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide"
        assert [] == watched.complaints
        watched.context.close()


def test_answers_given_offline_are_kept_and_arrive(browser: Browser, tmp_path: Path):
    """The network goes away before the key press; after a reload and its return nothing is lost."""
    with running(tmp_path / "data") as world:
        watched = Watched(browser, world)
        watched.page.goto("/dashboard/tasks")
        expect(watched.at("task-prompt")).to_be_visible()
        watched.page.wait_for_timeout(500)
        watched.context.set_offline(True)
        if watched.at("answer-input").count():
            watched.page.keyboard.type("12")
        else:
            watched.page.keyboard.press("1")
        watched.page.keyboard.press("Enter")
        expect(watched.at("sync-state")).to_contain_text("1")
        assert 0 == world.training()["total_completed"]
        watched.context.set_offline(False)
        wait_for(
            lambda: world.training()["total_completed"] == 1, seconds=30, hint="the kept answer"
        )
        watched.context.close()


def test_a_server_restart_between_question_and_answer_loses_nothing(
    browser: Browser, tmp_path: Path
):
    """The web process is killed while the task is on screen; the answer still arrives, once."""
    with running(tmp_path / "data") as world:
        watched = Watched(browser, world)
        watched.page.goto("/dashboard/tasks")
        expect(watched.at("task-prompt")).to_be_visible()
        world.child("studysmart.web").kill()
        if watched.at("answer-input").count():
            watched.page.keyboard.type("12")
        else:
            watched.page.keyboard.press("1")
        watched.page.keyboard.press("Enter")
        wait_for(lambda: world.training()["total_completed"] == 1, seconds=30, hint="the answer")
        expect(watched.at("verdict")).to_be_visible()
        assert 1 == world.training()["total_completed"]
        watched.context.close()


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path):
    """Task text, topic and answers with markup run no script and break no page."""
    hostile = (
        "<img src=x onerror=alert(1)><script>alert(2)</script>$\\href{javascript:alert(3)}{x}$"
    )
    with running(tmp_path / "data") as world:
        task = world.draw(
            subject="Chemistry", topic=hostile[:60], difficulty="easy", task_content=hostile,
            solution_content=hostile, answer_content=hostile,
        )  # fmt: skip
        world.http.patch(
            f"/api/practice-tasks/{task['id']}",
            json={"is_correct": True, "actual_time_seconds": 5},
        )
        watched = Watched(browser, world)
        alerts: list[str] = []
        watched.page.on("dialog", lambda dialog: alerts.append(dialog.message))
        for path in PAGES:
            watched.page.goto(path)
            watched.page.wait_for_timeout(400)
        assert [] == alerts
        assert [] == watched.complaints
        watched.context.close()


def do(watched: Watched, button: Any, why: str) -> None:
    """Press a button of the training page, say why, and wait until it is done."""
    page = watched.page
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    expect(dialog.get_by_role("button").last).to_be_disabled()
    page.keyboard.type(why)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)


def test_an_operator_trains_pins_and_rolls_back(tmp_path: Path, browser: Browser):
    """Each act asks why, is done, is said, and stands in the audit."""
    with running(tmp_path / "data") as world:
        for n in range(5):
            world.answer(topic="Algebra", right=n > 1)
        world.trained()
        watched = Watched(browser, world)
        page = watched.page
        page.goto("/dashboard/training")
        expect(watched.at("version-1")).to_contain_text("live")
        expect(page.get_by_text("0 of 5")).to_have_count(2)  # the indicator, and the page
        do(watched, watched.at("do-run"), "to see another")
        expect(watched.at("said")).to_have_text("A training is on its way.")
        world.trained(2)
        expect(watched.at("version-2")).to_be_visible()
        first = watched.at("version-1")
        do(watched, first.get_by_role("button", name="Pin version 1"), "before the exam")
        expect(first).to_contain_text("pinned")
        assert 1 == world.training()["pinned_version"]
        do(watched, first.get_by_role("button", name="Unpin"), "after the exam")
        expect(first).not_to_contain_text("pinned")
        do(watched, watched.at("do-pause"), "exam week")
        expect(page.get_by_role("heading", name="Training is paused")).to_be_visible()
        do(watched, watched.at("do-resume"), "over")
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(watched.at("comparison")).to_contain_text("95 % interval")
        page.get_by_label("New experiment").fill("first try")
        do(watched, page.get_by_role("button", name="Start", exact=True), "which is better here")
        trial = watched.at("experiment-first try")
        expect(trial).to_contain_text("50 answers are needed")
        for reason in ("to see another", "before the exam", "exam week", "which is better here"):
            expect(page.get_by_text(reason)).to_be_visible()
        assert [] == watched.complaints
