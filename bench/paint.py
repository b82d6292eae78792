"""How soon the next task is on the screen after the key press, idle and while a training runs.

A real browser answers and goes on; from the key event to the frame in which the next task stands.
The target: 95 % within 100 ms while a training burns a core.

    .venv/bin/python -m bench.paint [--tasks 60]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench.retrain import fill
from bench.serve import ANSWERS, train
from studysmart.store import Store
from tests.acceptance.test_page import QUIET
from tests.acceptance.world import World, wait_for
from tests.conftest import installed_browser

# From the event's own time stamp, which is when the key went down, to the frame after the change.
WATCH = """() => {
  window.painted = [];
  let pressed = null, shown = null;
  addEventListener('keydown', (event) => {
    const prompt = document.querySelector('[data-testid=task-prompt]');
    pressed = event.timeStamp;
    shown = prompt?.dataset.taskId;
  }, true);
  new MutationObserver(() => {
    const now = document.querySelector('[data-testid=task-prompt]')?.dataset.taskId;
    if (pressed === null || now === undefined || now === shown) return;
    const began = pressed;
    pressed = null;
    requestAnimationFrame(() => requestAnimationFrame((at) => window.painted.push(at - began)));
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=60)
    tasks = parser.parse_args().tasks
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        world = World(data, env={"STUDYSMART_TRAIN_EVERY": "1000000"})
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=QUIET)
        try:
            fill(Store(data / "studysmart.sqlite3"), ANSWERS, seed=1)
            train(world)
            wait_for(lambda: not world.training()["running"], seconds=300, hint="the first model")
            page = browser.new_page(base_url=world.url)
            page.goto("/dashboard/tasks")
            page.evaluate(WATCH)
            practise(page, 5)
            found: dict[str, list[float]] = {"idle": [], "while fitting": []}
            for _ in range(3):
                found["idle"] += practise(page, tasks // 3)
                train(world)
                found["while fitting"] += practise(page, tasks // 3)
                assert world.training()["running"], "the training ended early: raise ANSWERS"
                wait_for(lambda: not world.training()["running"], seconds=300, hint="its end")
            for when, times in found.items():
                p50, p95 = np.percentile(times, (50, 95))
                print(f"{when}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, worst {max(times):.0f} ms "
                      f"(n = {len(times)})")  # fmt: skip
        finally:
            browser.close()
            world.stop()


def practise(page: Page, tasks: int) -> list[float]:
    """Answer so many tasks; milliseconds from each last key press to the next task."""
    page.evaluate("() => { window.painted = []; }")
    for done in range(1, tasks + 1):
        page.get_by_test_id("task-prompt").wait_for()
        if page.get_by_test_id("answer-input").count():
            page.keyboard.type("12")
        else:
            page.keyboard.press("1")
        page.keyboard.press("Enter")
        page.get_by_test_id("verdict").wait_for()
        page.wait_for_timeout(300)  # somebody reads the verdict
        page.keyboard.press("Enter")
        page.wait_for_function("n => window.painted.length >= n", arg=done)
    return [float(ms) for ms in page.evaluate("() => window.painted")]


if __name__ == "__main__":
    main()
