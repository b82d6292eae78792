"""The product with a bug, or with a pause, planted: started by tests in the product's place.

`python -m tests.acceptance.planted studysmart.cli serve ...` runs the supervisor, whose children
are started through here too. The product itself has no switch for any of this.

    CHAOS_PLANT   the name of a bug below, or nothing
    CHAOS_STEPS   folder: a file `kill-NAME` or `stop-NAME` in it ends, or freezes, the worker when
                  it comes to that step of publishing; the file is used up
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from studysmart import lifeline, practice, training
from studysmart.jobs import worker
from studysmart.store import Store, attempts, database, jobs, migrations, models

STEPS = ("settle", "release", "retire", "add", "forget", "end_run", "committed")


def step(name: str) -> None:
    """End or freeze this process here, if somebody asked for it."""
    for prefix, number in (("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)):
        asked = Path(os.environ["CHAOS_STEPS"]) / f"{prefix}-{name}"
        try:
            asked.rename(asked.with_name(f"done-{prefix}-{name}"))
        except FileNotFoundError:
            continue
        os.kill(os.getpid(), number)


def _after(module: Any, function: str, name: str) -> None:
    real = getattr(module, function)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        step(name)
        return result

    setattr(module, function, stepped)


def _without_gate() -> None:
    """Whatever was fitted is published: of a gate that keeps most out, little is to be seen."""
    real = training.finish

    def finish(tx: Any, claim: Any, result: Any, data: bytes | None, **rest: Any) -> Any:
        return real(tx, claim, replace(result, outcome="live"), data, **rest)

    training.finish = finish


def _with_steps() -> None:
    real = worker.Worker._settle

    def settle(self: worker.Worker, change: Callable[..., Any]) -> Any:
        step("settle")  # no transaction is open: a frozen worker must not hold the lock
        result = real(self, change)
        step("committed")
        return result

    worker.Worker._settle = settle
    _after(jobs, "release", "release")
    _after(models, "_retire", "retire")
    _after(models, "add", "add")
    _after(models, "forget_bytes", "forget")
    _after(jobs, "end_run", "end_run")


def commit_after_acknowledge() -> None:
    """An answer is kept a moment after its receipt was sent."""
    stores: list[Store] = []
    real_init, real_submit = Store.__init__, practice.submit

    def remember(self: Store, where: Any) -> None:
        real_init(self, where)
        stores.append(self)

    def submit(tx: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        undone = tx.begin_nested()
        receipt = real_submit(tx, *args, **kwargs)
        undone.rollback()

        def later() -> None:
            with stores[0].write() as own:
                real_submit(own, *args, **kwargs)

        threading.Timer(0.3, later).start()
        return receipt

    Store.__init__ = remember
    practice.submit = submit


def no_unique_key() -> None:
    """Nothing stops an answer from being kept twice."""
    real = migrations.migrate

    def migrate(store: Store) -> None:
        real(store)
        with store.rebuild() as tx:
            if tx.execute(text("SELECT count(*) FROM attempt")).scalar_one():
                return
            sql = tx.execute(text("SELECT sql FROM sqlite_master WHERE name = 'attempt'"))
            lines = [line for line in sql.scalar_one().splitlines() if "UNIQUE" not in line]
            tx.execute(text("DROP TABLE attempt"))
            tx.exec_driver_sql("\n".join(lines))

    from studysmart.cli import supervisor

    supervisor.migrate = migrate
    practice._receipt = lambda *_: None
    practice._refuse_second = lambda _: None


def deferred_begin() -> None:
    """A writer takes its lock when it first writes, not when it begins."""
    real = database._sqlite

    def deferred(path: Path) -> Engine:
        engine = real(path)

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def _rewrite(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
            return statement.replace("BEGIN IMMEDIATE", "BEGIN"), parameters

        return engine

    database._sqlite = deferred


def lease_without_fence() -> None:
    """Whoever thinks that it holds the job may change it."""

    def current(change: Callable[..., Any]) -> Callable[..., Any]:
        return lambda tx, _fence, **values: change(tx, jobs.job(tx).fence, **values)

    real = jobs.release
    jobs.renew = current(jobs.renew)
    # Also a job that nobody holds any more: only the watermark moves then.
    jobs.release = lambda tx, _fence, **values: (
        real(tx, jobs.job(tx).fence, **values) or jobs.change(tx, **values) or True
    )


def publish_in_two_transactions() -> None:
    """The old model goes, and a moment later the new one comes."""
    real = models._retire

    def retire(tx: Any, **values: Any) -> None:
        real(tx, **values)
        tx.exec_driver_sql("COMMIT")
        time.sleep(0.5)
        tx.exec_driver_sql("BEGIN IMMEDIATE")

    models._retire = retire


def lost_trigger() -> None:
    """Answers that arrive during a run count as covered by it."""
    real = training.finish

    def finish(tx: Any, claim: training.Claim, *args: Any, **kwargs: Any) -> Any:
        late = training.Claim(claim.run_id, claim.fence, attempts.last_seq(tx))
        return real(tx, late, *args, **kwargs)

    training.finish = finish


BUGS = {
    bug.__name__: bug
    for bug in (
        commit_after_acknowledge, no_unique_key, deferred_begin, lease_without_fence,
        publish_in_two_transactions, lost_trigger,
    )
}  # fmt: skip


def main() -> None:
    """Plant, then be the module that was named."""
    bug = os.environ.get("CHAOS_PLANT")
    if bug:
        BUGS[bug]()
    _with_steps()
    _without_gate()
    real = lifeline.spawn
    lifeline.spawn = lambda arguments, **options: real(
        ["tests.acceptance.planted", *arguments], **options
    )
    sys.argv = sys.argv[1:]
    if sys.argv[0] == "studysmart.cli":
        from studysmart.cli import main as command

        command()
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
