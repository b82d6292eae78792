"""The main job through HTTP.

Practise, the fifth answer trains, the model goes live, a restart keeps it.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.world import STUDYSMART, World, running

UNKNOWNS: list[dict[str, str]] = [
    {"subject": "Basket weaving", "topic": "Underwater 🧺", "difficulty": "expert"},
    {"topic": "Waves", "difficulty": "expert"},
    {"difficulty": "no such word"},
    {"skill": "nobody.knows"},
    {},
]


def check_unknowns(world: World) -> None:
    """Whatever is asked gets a sensible forecast, at every stage."""
    reply = world.http.post("/api/predict", json={"items": UNKNOWNS})
    assert reply.status_code == 200, reply.text
    forecasts = reply.json()["forecasts"]
    assert len(UNKNOWNS) == len(forecasts)
    for forecast in forecasts:
        assert 0 < forecast["p_correct"] < 1
        assert 0 < forecast["time_low_s"] <= forecast["time_median_s"] <= forecast["time_high_s"]
        assert forecast["reason"]
    task = world.draw(subject="Basket weaving", topic="Underwater 🧺", difficulty="expert")
    assert ("Underwater 🧺", "expert") == (task["topic"], task["difficulty"])


def test_the_whole_story_through_http(tmp_path: Path):
    """Fresh folder, five answers, background training, a new model live, restart, still live."""
    with running(tmp_path / "data") as world:
        assert {"message", "version", "docs"} == set(world.http.get("/api").json())
        first = world.draw(topic="Algebra", difficulty="easy", seed=1)
        assert ("constant", 0.5, 60.0) == (
            first["forecast"]["model"],
            first["predicted_correct"],
            pytest.approx(first["predicted_time_seconds"]),
        )
        assert first["solution_content"] is None
        assert first["answer_content"] is None
        check_unknowns(world)

        for n in range(4):
            receipt = world.answer(right=n % 2 == 0, topic="Algebra", difficulty="easy")
            assert receipt["recorded"]
            assert receipt["solution_content"]
        assert 4 == world.training()["completed_since_training"]
        check_unknowns(world)
        between = world.draw(topic="Algebra", difficulty="easy")
        assert "prior" == between["forecast"]["model"], "there is evidence, so no constants"

        started = time.perf_counter()
        fifth = world.answer(topic="Waves", difficulty="medium")
        assert time.perf_counter() - started < 2.0, "the triggering answer waits for nobody"
        assert fifth["forecast_after"]["p_correct"] >= fifth["forecast_before"]["p_correct"]

        status = world.trained()
        assert "live" == status["last_result"]["outcome"], status
        assert 0 == status["completed_since_training"]
        assert 5 == status["samples_last_training"] == status["total_completed"]
        version = status["live_model"]["version"]
        wait_for_version(world, version)
        facts = world.http.get(f"/api/models/{version}").json()
        assert (4, None) == (facts["manifest"]["fitted_seq"], facts["fault"])
        check_unknowns(world)
        task = world.draw(topic="Algebra", difficulty="easy")
        assert version == task["model_version"] == task["forecast"]["model_version"]
        kept = task["id"]
        assert "jaxlib" not in loaded_by(world), "the web process never loads the framework"

    with running(tmp_path / "data") as world:
        status = world.training()
        assert version == status["live_model"]["version"]
        assert 5 == status["total_completed"]
        assert version == world.draw(topic="Algebra")["model_version"]
        assert kept == world.http.get(f"/api/practice-tasks/{kept}").json()["id"]
        check_unknowns(world)


def loaded_by(world: World) -> str:
    """Every file that the web process has in its memory."""
    return Path(f"/proc/{world.child('studysmart.web').pid}/maps").read_text()


def test_training_is_told_as_it_happens(tmp_path: Path):
    """Server-sent events: the counter moves, a run begins and ends; nobody asks again."""
    with running(tmp_path / "data") as world:
        seen = []
        with world.http.stream("GET", "/api/training/events") as stream:
            assert "text/event-stream" in stream.headers["content-type"]
            for line in stream.iter_lines():
                if not line.startswith("data: "):
                    continue
                status = json.loads(line.removeprefix("data: "))
                if not seen:
                    for _ in range(5):
                        world.answer(topic="Waves")
                seen.append(status)
                if status["live_model"]:
                    break
        assert 0 == seen[0]["total_completed"]
        assert any(status["running"] for status in seen)
        assert "live" == seen[-1]["last_result"]["outcome"]


def wait_for_version(world: World, version: int) -> None:
    """The web process answers from a new model within a second of its publication."""
    deadline = time.monotonic() + 1.0
    while True:
        reply = world.http.post("/api/predict", json={"items": [{}]}).json()
        if reply["forecasts"][0]["model_version"] == version:
            return
        assert time.monotonic() < deadline, "the new model is not live after a second"
        time.sleep(0.02)


def test_an_answer_is_graded_once_and_its_receipt_is_kept(tmp_path: Path):
    """A retry gets the same receipt; another body under the id, or a second answer, is refused."""
    with running(tmp_path / "data") as world:
        task = world.draw(topic="Algebra", difficulty="easy", seed=7)
        unreadable = world.attempt(task, "?? not a number ??").json()
        assert ("invalid", False) == (unreadable["verdict"], unreadable["recorded"])
        assert 0 == world.training()["total_completed"]

        body = {"id": "0196f7c2-1111-7000-8000-000000000001", "response_time_s": 9.5}
        answer = "1" if task["options"] else "123456.5"
        first = world.attempt(task, answer, **body)
        again = world.attempt(task, answer, **body)
        assert 200 == first.status_code == again.status_code
        assert first.json() == again.json()
        assert 1 == world.training()["total_completed"]

        changed = world.attempt(task, answer, **body | {"response_time_s": 9.6})
        assert (409, "attempt_id_reused") == (changed.status_code, changed.json()["code"])
        second = world.attempt(task, answer)
        assert (409, "task_completed") == (second.status_code, second.json()["code"])
        assert 1 == world.training()["total_completed"]


def test_the_data_does_not_depend_on_where_the_server_is_started(tmp_path: Path):
    """Three working directories, one platform folder: the same data."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "XDG_DATA_HOME": str(home / "share"), "STUDYSMART_PORT": "0"}
    seen = []
    for name in ("one", "two", "three"):
        folder = tmp_path / name
        folder.mkdir()
        with running(tmp_path / f"log-{name}", cwd=folder, env=env, platform=True) as world:
            world.answer(topic="Algebra")
            seen.append(world.training()["total_completed"])
            assert not list(folder.iterdir()), "nothing is written into the working directory"
    assert [1, 2, 3] == seen


def test_status_tells_the_same_without_numpy_or_jax(tmp_path: Path):
    """`status --json` agrees with the API, and its exit code says when no worker beats."""
    data = tmp_path / "data"
    with running(data) as world:
        for _ in range(5):
            world.answer(topic="Waves")
        api = world.trained()
        live = status_json(data)
        assert api["live_model"]["version"] == live["live_model"]["version"]
        assert live["worker"]["alive"]
    done = subprocess.run(
        [str(STUDYSMART), "status", "--data-dir", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 3 == done.returncode
    assert "silent" in done.stdout


def status_json(data: Path) -> dict[str, Any]:
    """What the command prints for programs."""
    done = subprocess.run(
        [str(STUDYSMART), "status", "--json", "--data-dir", str(data)],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))
