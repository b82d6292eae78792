"""Take a picture of every page, on a phone and a desktop, light and dark, into `screenshots/`.

    .venv/bin/python -m tools.screenshots

Starts a server of its own with some simulated practice; look at what comes out before shipping.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.acceptance.test_page import PAGES, QUIET
from tests.acceptance.world import World, running
from tests.conftest import BROWSERS, installed_browser

FOLDER = Path(__file__).parents[1] / "screenshots"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
ANSWERS = 45


def main() -> None:
    """Practise a little, then photograph."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as world:
        practise(world)
        browser_path = installed_browser()
        if browser_path is None:
            raise SystemExit(f"no browser: looked for {', '.join(BROWSERS)}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
            for device, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    context = browser.new_context(
                        base_url=world.url,
                        color_scheme=scheme,
                        viewport={"width": width, "height": height},
                    )
                    page = context.new_page()
                    for path in PAGES:
                        page.goto(path)
                        page.wait_for_timeout(1200)
                        page.screenshot(path=FOLDER / f"{device}-{scheme}{name(path)}.png")
                    page.goto("/dashboard/tasks")
                    answer(page)
                    page.screenshot(path=FOLDER / f"{device}-{scheme}-verdict.png")
                    context.close()
            browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


def practise(world: World) -> None:
    """Answers of somebody who is good at some topics and slow at others."""
    rng = random.Random(4)
    for _ in range(ANSWERS):
        topic = rng.choice(["Algebra", "Waves", "Calculus", "Statistics"])
        right = rng.random() < {"Algebra": 0.9, "Waves": 0.45}.get(topic, 0.7)
        world.answer(topic=topic, right=right, time_s=rng.lognormvariate(3.7, 0.5))
    world.trained()


def answer(page: Page) -> None:
    """Give some answer to the task on screen."""
    page.get_by_test_id("task-prompt").wait_for()
    if page.get_by_test_id("answer-input").count():
        page.keyboard.type("12")
    else:
        page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_test_id("verdict").wait_for()
    page.wait_for_timeout(400)


def name(path: str) -> str:
    """`/dashboard/tasks` -> `-tasks`."""
    return "-" + path.rsplit("/", 1)[1]


if __name__ == "__main__":
    main()
