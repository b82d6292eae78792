"""From the trigger to the new version answering in the web process.

679 completed tasks of 4 learners, 7 topics, 3 difficulties (simulated, seeded) are stored, or more
of one learner for every 170; the clock runs from the moment the last of them makes a training due
until a forecast of the web process names the new version. The predecessor took 104 to 320 s. Warm:
a worker whose fitting process is ready. Cold: the worker process is started at that moment, with a
filled compile cache.

    .venv/bin/python -m bench.retrain [--runs 5] [--answers 679]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from studysmart import learning
from studysmart.store import Store, attempts, jobs, learners
from tests.acceptance.world import World, wait_for

HOLD_S = 3600.0
EACH = 170  # answers of a learner, where there are more than four


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--answers", type=int, default=679)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        warm = [once(Path(folder) / f"warm{n}", given.answers, n, cache) for n in range(given.runs)]
        cold = [
            once(Path(folder) / f"cold{n}", given.answers, n, cache, cold=True)
            for n in range(given.runs)
        ]
    for name, seconds in (("warm worker", warm), ("cold worker, filled cache", cold)):
        print(
            f"{given.answers} answers, {name}: median {statistics.median(seconds):.2f} s "
            f"(lowest {min(seconds):.2f}, highest {max(seconds):.2f}, n = {len(seconds)})"
        )


def once(data: Path, answers: int, seed: int, cache: Path, *, cold: bool = False) -> float:
    """One installation of its own: store the answers, trigger, wait for the version."""
    (data / "cache").mkdir(parents=True)
    if cache.exists():
        shutil.copytree(cache, data / "cache" / "jax")
    world = World(data)
    try:
        warm_child(world)
        store = Store(data / "studysmart.sqlite3")
        with store.write() as tx:
            jobs.hold(tx, until=time.time() + HOLD_S)  # nothing is due before the clock runs
        fill(store, answers, seed)
        if cold:
            world.child("studysmart.jobs").kill()
        started = time.perf_counter()
        with store.write() as tx:
            tx.exec_driver_sql("UPDATE training_job SET not_before = 0")
        wait_for(lambda: answers_from(world), seconds=900, hint="the new version")
        taken = time.perf_counter() - started
        status = world.training()
        assert status["last_result"]["outcome"] == "live", status
        assert status["samples_last_training"] == answers, status
        if not cache.exists():
            shutil.copytree(data / "cache" / "jax", cache)
        return taken
    finally:
        world.stop()


def warm_child(world: World) -> None:
    """Wait until the fitting process has compiled its programs and sleeps."""

    def asleep() -> bool:
        child = world.child("studysmart.jobs.child")
        before = child.cpu_times()
        time.sleep(0.5)
        after = child.cpu_times()
        return after.user > 1.0 and after.user - before.user < 0.01

    wait_for(asleep, seconds=120, hint="a warm fitting process")


def fill(store: Store, answers: int, seed: int) -> None:
    """Store simulated answers as if they had been given."""
    known = {}
    people = max(4, answers // EACH)
    table = learning.simulate(learners=people, answers=answers, topics=7, difficulties=3, seed=seed)
    with store.write() as tx:
        for place, (name, response) in enumerate(table):
            if name not in known:
                known[name] = learners.add(tx, name=name, source="account", now=0.0)
            attempts.add(
                tx,
                id=uuid4(),
                learner_id=known[name],
                source="import",
                topic=response.item.topic,
                skill=response.item.skill,
                difficulty=response.item.difficulty,
                item=response.item.item,
                is_correct=response.correct,
                self_marked=False,
                response_time_s=response.response_time_s,
                time_plausible=True,
                counts=True,
                answered_at=response.at,
                received_at=float(place),
                body_sha256="0" * 64,
            )


def answers_from(world: World) -> bool:
    """Whether a forecast of the web process comes from a published version."""
    reply = world.http.post("/api/predict", json={"items": [{}]}).json()
    return reply["forecasts"][0]["model_version"] is not None


if __name__ == "__main__":
    main()
