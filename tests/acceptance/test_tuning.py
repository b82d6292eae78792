"""A search by the real worker, through a kill, from the command line to the gate's word."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from bench.retrain import fill
from studysmart import defaults
from studysmart.store import Store
from tests.acceptance.world import STUDYSMART, running, wait_for


def test_a_search_survives_a_kill_and_what_it_finds_is_judged(tmp_path: Path):
    """Three trials, one of them ended by a kill and tried again, then a training that tries it."""
    data = tmp_path / "data"
    with running(data) as world:
        fill(Store(data / defaults.DATABASE), 240, seed=1)
        world.trained()

        def tune(*words: str) -> Any:
            command = [str(STUDYSMART), "tune", "--data-dir", str(data), "--json", *words]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        tune("--budget", "5m", "--trials", "3", "--reason", "is there something better?")
        wait_for(lambda: tune()["trials"], seconds=60, hint="the first trial")
        world.child("studysmart.jobs").kill()
        found = wait_for(
            lambda: tune() if tune()["ended_at"] else None, seconds=120, hint="its end"
        )
        assert [0, 1, 2] == [trial["number"] for trial in found["trials"]]
        assert all(trial["loss"] is not None for trial in found["trials"])
        losses = [trial["loss"] for trial in found["trials"]]
        if min(losses) < losses[0]:
            assert "trainings try it from now on" in found["reason"]
            runs = wait_for(
                lambda: [
                    run for run in world.http.get("/api/training/runs").json()
                    if run["trigger"] == "asked" and run["outcome"]
                ], seconds=60, hint="the training that tries it",
            )  # fmt: skip
            assert "tuned 1" in runs[0]["metrics"]["configurations"]
        else:
            assert "the built-in settings remain" in found["reason"]
        triggers = [run["trigger"] for run in world.http.get("/api/training/runs").json()]
        assert triggers.count("tune") >= 3
