"""The logs of a running installation, at their most talkative."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.acceptance.world import STUDYSMART, running, wait_for


def test_nothing_that_people_type_is_in_the_logs_of_a_server(tmp_path: Path):
    """Passwords, tokens, cookies, answers, tasks of one's own: not in a file, not on the screen."""
    data = tmp_path / "data"
    typed = {"password": "canary battery staple", "answer": "4711 canary", "task": "canary text"}
    with running(data, env={"STUDYSMART_LOG_LEVEL": "DEBUG"}) as world:
        person = {"email": "ada@example.org", "password": typed["password"]}
        assert 201 == world.http.post("/api/auth/register", json=person | {"name": "A"}).status_code
        world.http.post("/api/auth/login", json=person | {"password": "wrong canary"})
        token = world.http.post("/api/auth/tokens", json={"name": "canary"}).json()["token"]
        cookie = world.http.cookies["studysmart_session"]
        world.attempt(world.draw(topic="Waves"), typed["answer"])
        world.draw(task_content=typed["task"], answer_content="canary")
        world.http.get("/api/training", headers={"authorization": f"Bearer {token}"})
        world.http.get("/api/training", headers={"authorization": "Bearer canary"})
        world.http.post("/api/predict", content=b'{"canary', headers={"content-type": "x"})
        world.child("studysmart.web").kill()
        wait_for(world._alive, seconds=20, hint="a new web process")
        shown = subprocess.run(
            [str(STUDYSMART), "logs", "--data-dir", str(data), "--level", "debug", "--json"],
            capture_output=True, text=True, check=True, timeout=30,
        ).stdout  # fmt: skip
        written = "".join(path.read_text() for path in (data / "logs").iterdir())
        told = world.output()
    assert "/attempts" in written, "requests are logged"
    for text in (written, told, shown):
        assert [] == [secret for secret in ("canary", token, cookie) if secret in text]
    events = {json.loads(line)["event"] for line in shown.splitlines()}
    assert {"request", "child_died", "child_started"} <= events


def test_two_workers_on_one_data_folder_share_a_file(tmp_path: Path):
    """Each line is whole and names the process that wrote it."""
    data = tmp_path / "data"
    with running(data) as world:
        other = subprocess.Popen(
            [str(STUDYSMART), "worker", "--data-dir", str(data)],
            env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(5):
                world.answer(topic="Waves")
            world.trained()

            def roles() -> bool:
                lines = [
                    json.loads(line)
                    for path in (data / "logs").glob("*.jsonl")
                    for line in path.read_text().splitlines()
                ]
                writers = {(line["role"], line["pid"]) for line in lines}
                return {"supervisor", "web", "worker", "worker-supervisor"} == dict(writers).keys()

            assert wait_for(roles, seconds=20, hint="lines of all processes")
        finally:
            other.terminate()
            other.wait(timeout=20)
