"""One harness for everything that may go wrong with a running installation.

A client with a journal of its own hands in answers while faults happen; afterwards an oracle asks
Jepsen's question: is what was acknowledged kept, what is kept sent, and nothing kept twice? And of
training: was exactly one model live at any moment, did never two runs overlap, and was everything
trained on in the end?
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psutil
from sqlalchemy import text

from studysmart import artefacts, content, defaults, errors, forecasting, grading
from studysmart.store import Store, attempts, jobs, models
from tests.acceptance.world import World, wait_for
from tests.postgres import Postgres

ROOT = Path(__file__).parents[2]
PLANTED = (sys.executable, "-m", "tests.acceptance.planted", "studysmart.cli")
MODULES = {
    "web": "studysmart.web",
    "worker": "studysmart.jobs",
    "child": "studysmart.jobs.child",
}
EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and how many seconds after the first answer."""

    at: float
    kind: str


def faults(seed: int, kinds: dict[str, int], *, seconds: float) -> list[Fault]:
    """So many of each kind, at random instants."""
    rng = random.Random(seed)
    drawn = [Fault(rng.uniform(0, seconds), kind) for kind, n in kinds.items() for _ in range(n)]
    return sorted(drawn, key=lambda fault: fault.at)


class Journal:
    """What the client sent and what it was told was kept; on disk before anything follows."""

    def __init__(self, path: Path) -> None:
        self.sent: set[UUID] = set()
        self.acknowledged: set[UUID] = set()
        self._file = path.open("a")
        self._lock = threading.Lock()

    def note(self, event: str, attempt: UUID) -> None:
        with self._lock:
            self._file.write(f"{event} {attempt}\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            (self.sent if event == "sent" else self.acknowledged).add(attempt)

    def close(self) -> None:
        self._file.close()


class Client:
    """Learners who answer at a fixed rate, whatever the server does, and retry until told.

    Args:
        url: of the installation.
        journal: where it is written down.
        seed: of the answers.
        learners: people, each with an account and a thread.
        storm: share of the answers that are sent three times at once.
    """

    def __init__(
        self, url: str, journal: Journal, *, seed: int, learners: int = 4, storm: float = 0.1
    ) -> None:
        self.journal = journal
        self.complaints: list[str] = []
        self.latencies: list[float] = []
        self.retries = 0
        self._random = random.Random(seed)
        self._storm = storm
        self._people = [httpx2.Client(base_url=url, timeout=10) for _ in range(learners)]
        for http in self._people:
            name = uuid4().hex
            body = {"email": f"{name}@example.org", "password": uuid4().hex, "name": name}
            reply = http.post("/api/auth/register", json=body)
            assert reply.status_code == 201, reply.text

    @property
    def operator(self) -> httpx2.Client:
        """The first account is the operator's."""
        return self._people[0]

    def answer(self, n: int, *, rate: float) -> None:
        """So many answers, one after `1 / rate` seconds each; returns when all have a receipt."""
        start = time.monotonic()

        def person(number: int) -> None:
            for i in range(number, n, len(self._people)):
                due = start + i / rate
                time.sleep(max(0.0, due - time.monotonic()))
                self._one(self._people[number])
                self.latencies.append(time.monotonic() - due)

        with ThreadPoolExecutor(len(self._people)) as pool:
            list(pool.map(person, range(len(self._people))))

    def _one(self, http: httpx2.Client) -> None:
        seed = self._random.randrange(2**31)
        asked = {"topic": "Algebra", "difficulty": "easy", "seed": seed}
        task = self._until_told(http, "/api/practice-tasks", asked, 201)
        if not task:
            return
        drawn = content.draw(subject=None, topic="Algebra", difficulty="easy", seed=seed)
        assert drawn is not None
        answer = self._text(drawn.answer)
        attempt = uuid4()
        url = f"/api/practice-tasks/{task['id']}/attempts"
        body = {
            "id": str(attempt),
            "answer": answer,
            "response_time_s": self._random.uniform(2, 90),
        }
        self.journal.note("sent", attempt)
        if self._random.random() < self._storm:
            with ThreadPoolExecutor(3) as pool:
                receipts = list(pool.map(lambda _: self._until_told(http, url, body, 200), "123"))
            if any(one != receipts[0] for one in receipts):
                self.complaints.append(f"{attempt} got two receipts")
        else:
            receipts = [self._until_told(http, url, body, 200)]
        if not all(one.get("recorded") for one in receipts):
            self.complaints.append(f"{answer!r} was not kept: {receipts}")
            return
        self.journal.note("acknowledged", attempt)

    def _text(self, answer: grading.Answer) -> str:
        """The right answer, or another, as a person types it."""
        right = self._random.random() < 0.7
        if isinstance(answer, grading.ChoiceAnswer):
            return answer.options[answer.correct if right else answer.correct - 1]
        return str(answer.value if right else answer.value + 7)

    def _until_told(
        self, http: httpx2.Client, url: str, body: dict[str, Any], expected: int
    ) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                reply = http.post(url, json=body)
            except httpx2.TransportError:
                self.retries += 1
                time.sleep(0.05)
                continue
            if reply.status_code == expected:
                return dict(reply.json())
            if reply.status_code != 503 or "locked" in reply.text:
                self.complaints.append(f"{reply.status_code} for {url}: {reply.text[:200]}")
            if reply.status_code != 503:
                return {}  # trying again would not help; nothing was promised
            self.retries += 1
            time.sleep(0.1)
        msg = f"no {expected} within a minute: {url}"
        raise TimeoutError(msg)

    def close(self) -> None:
        for http in self._people:
            http.close()


class Watcher(threading.Thread):
    """Looks at the database all the time: once a model was live, one is, and only one."""

    def __init__(self, store: Store) -> None:
        super().__init__(name="watcher", daemon=True)
        self._store = store
        self._stop_asked = threading.Event()
        self.complaints: set[str] = set()
        self.looks = 0

    def run(self) -> None:
        while not self._stop_asked.wait(0.02):
            try:
                with self._store.read() as tx:
                    live, ever = tx.execute(
                        text(
                            "SELECT count(CASE WHEN status = 'live' THEN 1 END), count(live_seq) "
                            "FROM model_version"
                        )
                    ).one()
                    open_runs = tx.execute(
                        text("SELECT count(*) FROM training_run WHERE ended_at IS NULL")
                    ).scalar_one()
            except errors.Unavailable:
                continue
            self.looks += 1
            if ever and live != 1:
                self.complaints.add(f"{live} live models at once")
            if open_runs > 1:
                self.complaints.add(f"{open_runs} runs under way at once")

    def end(self) -> None:
        self._stop_asked.set()
        self.join()


@dataclass
class Chaos:
    """A running installation, its client, and what was done to it."""

    folder: Path
    seed: int
    plant: str | None = None
    server: Postgres | None = None
    train_every: int = 10
    seconds: dict[str, list[float]] = field(default_factory=dict)  # recovery after each kind

    def __post_init__(self) -> None:
        """Start it all."""
        self.steps = self.folder / "steps"
        self.steps.mkdir(parents=True)
        self.env = {
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))
            ),
            "CHAOS_STEPS": str(self.steps),
            "CHAOS_PLANT": self.plant or "",
            "STUDYSMART_TRAIN_EVERY": str(self.train_every),
        }
        self.where: Path | str = self.folder / "data" / defaults.DATABASE
        if self.server is not None:
            self.where = self.server.url(self.server.create())
            self.env["STUDYSMART_DATABASE_URL"] = self.where
        self.others: list[subprocess.Popen[bytes]] = []
        self.worlds: list[World] = []
        self.world = self._start(0)
        self.store = Store(self.where)
        self.watcher = Watcher(self.store)
        self.watcher.start()
        self.journal = Journal(self.folder / "journal")
        self.client = Client(self.world.url, self.journal, seed=self.seed)

    def _start(self, port: int) -> World:
        return World(self.folder / "data", env=self.env, port=port, command=PLANTED)

    def another_worker(self) -> None:
        """One more, by itself."""
        with (self.folder / "worker.out").open("ab") as out:
            self.others.append(
                subprocess.Popen(
                    [*PLANTED, "worker", "--data-dir", str(self.folder / "data")],
                    env=os.environ | self.env, cwd=self.folder, stdout=out, stderr=out,
                )
            )  # fmt: skip

    def another_server(self) -> World:
        """Web and worker once more, over the same database."""
        self.worlds.append(self._start(0))
        return self.worlds[-1]

    def run(self, n: int, *, rate: float, faults: list[Fault]) -> None:
        """Answers and faults side by side."""
        doing = threading.Thread(target=self._all, args=(faults,))
        doing.start()
        try:
            self.client.answer(n, rate=rate)
        finally:
            doing.join()

    def _all(self, faults: list[Fault]) -> None:
        start = time.monotonic()
        for fault in faults:
            time.sleep(max(0.0, start + fault.at - time.monotonic()))
            began = time.monotonic()
            try:
                getattr(self, f"_{fault.kind}", lambda kind=fault.kind: self._kill(kind))()
            except Exception as error:  # noqa: BLE001 - the oracle reports it with all else
                self.client.complaints.append(f"no recovery after {fault}: {error!r}")
            self.seconds.setdefault(fault.kind, []).append(time.monotonic() - began)

    def _kill(self, kind: str) -> None:
        victim = self.world.child(MODULES[kind])
        victim.kill()
        wait_for(
            lambda: self.world.child(MODULES[kind]).pid != victim.pid,
            seconds=30, hint=f"a new {kind}",
        )  # fmt: skip
        if kind == "web":
            self._ready()

    def _supervisor(self) -> None:
        port = int(self.world.url.rsplit(":", 1)[1])
        children = self.world.children()
        self.world.process.kill()
        self.world.process.wait()
        psutil.wait_procs(children, timeout=15)  # they hold the socket
        self.world.http.close()
        self.world = self._start(port)
        self._ready()

    def _postmaster(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.start()
        self._ready()

    def _ready(self) -> None:
        def ready() -> bool:
            try:
                return httpx2.get(f"{self.world.url}/api/readyz", timeout=5).status_code == 200
            except httpx2.TransportError:
                return False

        wait_for(ready, seconds=30, hint="readiness")

    def ask(self, step: str) -> Path:
        """Have the next worker that comes to this step end or freeze; the file that says it did."""
        (self.steps / step).touch()
        return self.steps / f"done-{step}"

    def settled(self, *, seconds: float = 90) -> bool:
        """Wait until nothing is due and nothing runs."""

        def idle() -> bool:
            try:
                with self.store.read() as tx:
                    job = jobs.job(tx)
                    due = attempts.completions(tx, after=job.covered_seq)
            except errors.Unavailable:
                return False
            return job.owner is None and due < self.train_every

        try:
            return wait_for(idle, seconds=seconds, hint="the last training")
        except TimeoutError:
            return False

    def stop(self) -> None:
        """End everything that was started."""
        self.watcher.end()
        self.client.close()
        self.journal.close()
        self.store.close()
        for other in self.others:
            children = psutil.Process(other.pid).children(recursive=True)
            other.terminate()
            other.wait(timeout=20)
            psutil.wait_procs(children, timeout=10)
        for world in (*self.worlds, self.world):
            world.stop()

    # -- the oracle --

    def judge(self) -> list[str]:
        """Everything that is wrong; nothing else is a pass."""
        idle = self.settled()
        time.sleep(1)  # the web process has loaded what was published: everybody tries it once
        self.client.answer(4, rate=20)
        wrong = [*self.client.complaints, *self.watcher.complaints]
        if not (idle and self.settled()):
            wrong.append("answers are due, and no training covers them")
        with self.store.read() as tx:
            rows = list(tx.execute(text("SELECT id, task_id FROM attempt")))
            runs = list(tx.execute(text("SELECT * FROM training_run ORDER BY id")))
            covered = attempts.completions(tx) - attempts.completions(
                tx, after=jobs.job(tx).covered_seq
            )
            if self.server is None:
                said = tx.execute(text("PRAGMA integrity_check")).scalar_one()
                wrong += [] if said == "ok" else [f"integrity_check: {said}"]
            wrong += self._of_models(tx)
            wrong += self._of_states(tx)
        stored = Counter(UUID(str(row.id)) for row in rows)
        tasks = Counter(str(row.task_id) for row in rows)
        lost = self.journal.acknowledged - stored.keys()
        unknown = stored.keys() - self.journal.sent
        doubled = [one for one, n in (stored + tasks).items() if n > 1]
        wrong += [f"{len(lost)} acknowledged answers are lost"] if lost else []
        wrong += [f"{len(unknown)} answers nobody sent are kept"] if unknown else []
        wrong += [f"{len(doubled)} answers are kept twice"] if doubled else []
        return wrong + self._of_runs(runs, covered)

    @staticmethod
    def _of_runs(runs: list[Any], covered: int) -> list[str]:
        wrong = []
        for before, after in pairwise(runs):
            if before.ended_at is None or before.ended_at > after.started_at:
                wrong.append(f"runs {before.id} and {after.id} overlap")
        finished = [run for run in runs if run.outcome in {"live", "kept_out"}]
        if not finished:
            wrong.append("no training ever finished")
        elif finished[-1].samples != covered:
            wrong.append(f"{covered} answers count as trained, {finished[-1].samples} were")
        return wrong

    @staticmethod
    def _of_models(tx: Any) -> list[str]:
        version = models.live_version(tx)
        row = models.get(tx, version) if version is not None else None
        if row is None:
            return ["no model is live"]
        fault = artefacts.fault(row)
        return [f"the live model cannot be loaded: {fault}"] if fault else []

    @staticmethod
    def _of_states(tx: Any) -> list[str]:
        """Each forecast in a receipt came from a warm state: a replay must give the same."""
        wrong, compared = [], 0
        receipts: dict[int, dict[str, Any]] = {}
        for row in tx.execute(text("SELECT seq, receipt FROM attempt WHERE receipt IS NOT NULL")):
            read = json.loads(row.receipt) if isinstance(row.receipt, str) else row.receipt
            receipts[row.seq] = read["forecast_after"]
        for known in models.newest(tx):
            full = models.get(tx, known.version)
            if full is None or full.data is None:
                continue
            engine = artefacts.verified(full)
            states: dict[UUID, Any] = {}
            for row in attempts.everyones(tx):
                one = forecasting.response(row)
                state = engine.update(states.get(row.learner_id) or engine.start(), one)
                states[row.learner_id] = state
                said = receipts[row.seq]
                if said["model_version"] == known.version:
                    compared += 1
                    again = engine.predict(state, [one.item], at=row.answered_at)[0].p_correct
                    if abs(again - said["p_correct"]) > EXACT:
                        wrong.append(
                            f"answer {row.seq}: version {known.version} ({engine.serving}) said "
                            f"{said['p_correct']} ({said['model']}), replayed it says {again}"
                        )
        return wrong or ([] if compared else ["no forecast of a published model to compare"])


@contextmanager
def chaos(folder: Path, **options: Any) -> Iterator[Chaos]:
    """An installation in trouble for the time of a test."""
    folder.mkdir(exist_ok=True)
    one = Chaos(folder, **options)
    try:
        yield one
    finally:
        for process in one.world.children() if one.world.process.poll() is None else []:
            process.send_signal(signal.SIGCONT)
        one.stop()
