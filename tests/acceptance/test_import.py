"""A log from elsewhere through the command line: stored, trained on, and forecast from."""

from __future__ import annotations

import csv
import gzip
import subprocess
from pathlib import Path

from studysmart import learning
from tests.acceptance.world import STUDYSMART, running, wait_for


def test_an_imported_log_is_trained_on_and_a_second_import_adds_nothing(tmp_path: Path):
    """While the server runs; the model that goes live was fitted on all of it, in one run."""
    log = tmp_path / "log.csv.gz"
    with gzip.open(log, "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["learner", "item", "skill", "correct", "response_time_s", "timestamp"])
        for learner, response in learning.simulate(learners=6, answers=2500, seed=8):
            rows.writerow(
                [
                    learner, response.item.item, response.item.skill, int(response.correct),
                    response.response_time_s, response.at,
                ]
            )  # fmt: skip
    with running(tmp_path / "data") as world:
        command = [str(STUDYSMART), "import", "responses", str(log), "--name", "set",
                   "--data-dir", str(tmp_path / "data")]  # fmt: skip
        first = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "2,500 new answers of 6 learners" in first.stderr
        status = world.trained(seconds=120)
        assert 2500 == status["samples_last_training"] == status["total_completed"]
        assert status["live_model"]["vocabulary"]["learners"] == 6
        wait_for(
            lambda: world.draw(topic="Waves")["model_version"] == status["live_model"]["version"],
            seconds=5,
            hint="a forecast from the new model",
        )
        again = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "2,500 were there already" in again.stderr
        assert 2500 == world.training()["total_completed"]
