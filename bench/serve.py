"""Serving while idle and while a training runs: interleaved windows, one pair of processes, ratios.

Four learners at a time draw a task and complete it, 20 of each a second. The targets: median of the
p50 ratios at most 1.2, pooled p95 ratio at most 1.5; a forecast in process under 1 ms; the web
process under 200 MiB and ready within 2 s, with no JAX in it.

    .venv/bin/python -m bench.serve [--pairs 3] [--seconds 10]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx2
import numpy as np

from bench.retrain import fill
from studysmart import learning
from studysmart.store import Store
from tests.acceptance.world import World, wait_for

ANSWERS = 40_000  # so many that one training outlasts a window
CLIENTS, PAUSE_S = 4, 0.1

Latencies = dict[str, list[float]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        started = time.perf_counter()
        world = World(data, env={"STUDYSMART_TRAIN_EVERY": "1000000"})
        ready = time.perf_counter() - started
        try:
            fill(Store(data / "studysmart.sqlite3"), ANSWERS, seed=1)
            train(world)
            wait_for(lambda: not world.training()["running"], seconds=300, hint="the first model")
            windows(world, 3.0)  # warm both sides of the measurement
            pairs = [pair(world, given.seconds) for _ in range(given.pairs)]
            report(pairs)
            process = world.child("studysmart.web")
            maps = Path(f"/proc/{process.pid}/maps").read_text()
            print(
                f"web process: {process.memory_info().rss / 2**20:.0f} MiB resident, serve ready "
                f"in {ready:.2f} s (supervisor and migration included), "
                f"JAX loaded: {'jaxlib' in maps}"
            )
            begun = time.perf_counter()
            process.kill()
            process.wait()
            # A new connection waits instead of failing: the supervisor holds the socket.
            assert httpx2.get(f"{world.url}/api/livez", timeout=30).status_code == 200
            print(f"web process killed: answers again {time.perf_counter() - begun:.2f} s later")
        finally:
            world.stop()
    in_process()


def pair(world: World, seconds: float) -> tuple[Latencies, Latencies]:
    """One window while idle, one while a training runs from its first to its last request."""
    idle = windows(world, seconds)
    train(world)
    fitting = windows(world, seconds)
    assert world.training()["running"], "the training ended before its window: raise ANSWERS"
    wait_for(lambda: not world.training()["running"], seconds=300, hint="the end of the training")
    return idle, fitting


def train(world: World) -> None:
    """Ask for a training and wait until it fits."""
    assert world.http.post("/api/training/run", json={"reason": "bench"}).status_code == 202
    wait_for(
        lambda: (world.training()["running"] or {}).get("phase") not in {None, "starting"},
        seconds=60,
        hint="the start of a training",
    )


def windows(world: World, seconds: float) -> Latencies:
    """Latencies in ms of drawing and completing, by clients that pause between."""
    found: Latencies = {"draw": [], "complete": []}
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        with httpx2.Client(base_url=world.url, timeout=30) as http:
            turn = number
            while time.monotonic() < end:
                turn += 1
                topic = ("Algebra", "Waves", "Calculus")[turn % 3]
                begun = time.perf_counter()
                task = http.post("/api/practice-tasks", json={"topic": topic})
                drawn = time.perf_counter()
                assert task.status_code == 201, task.text
                time.sleep(PAUSE_S)
                again = time.perf_counter()
                reply = http.patch(
                    f"/api/practice-tasks/{task.json()['id']}",
                    json={"is_correct": turn % 2 == 0, "actual_time_seconds": 30},
                )
                done = time.perf_counter()
                assert reply.status_code == 200, reply.text
                found["draw"].append((drawn - begun) * 1000)
                found["complete"].append((done - again) * 1000)
                time.sleep(PAUSE_S)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def report(pairs: list[tuple[Latencies, Latencies]]) -> None:
    """Ratios of fitting to idle, per act."""
    for act in ("draw", "complete"):
        p50 = statistics.median(
            np.percentile(fitting[act], 50) / np.percentile(idle[act], 50)
            for idle, fitting in pairs
        )
        idle = np.concatenate([pair[0][act] for pair in pairs])
        fitting = np.concatenate([pair[1][act] for pair in pairs])
        pooled = {q: np.percentile(fitting, q) / np.percentile(idle, q) for q in (95, 99)}
        print(
            f"{act}: idle p50 {np.percentile(idle, 50):.1f} ms, "
            f"p95 {np.percentile(idle, 95):.1f} ms (n = {len(idle)}); while fitting "
            f"p50 {np.percentile(fitting, 50):.1f} ms, "
            f"p95 {np.percentile(fitting, 95):.1f} ms (n = {len(fitting)}); median p50 ratio "
            f"{p50:.2f}, pooled p95 ratio {pooled[95]:.2f}, p99 ratio {pooled[99]:.2f}"
        )


def in_process() -> None:
    """One update and the next forecast for a learner with 200 answers, every model of the chain."""
    table = learning.simulate(learners=4, answers=1200, seed=1)
    engine = learning.train(table, seed=1).engine
    assert engine is not None
    engine = learning.Engine(engine.models, "sequence", engine.manifest)
    answers = [response for _, response in table][:200]
    state = engine.replay(answers)
    times = []
    for n in range(2000):
        response = answers[n % 200]
        begun = time.perf_counter()
        engine.predict(engine.update(state, response), [response.item])
        times.append((time.perf_counter() - begun) * 1000)
    print(
        f"in process: update + next forecast (all three models updated) p50 "
        f"{np.percentile(times, 50):.3f} ms, p99 {np.percentile(times, 99):.3f} ms"
    )


if __name__ == "__main__":
    main()
