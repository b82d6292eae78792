"""The worker process: `python -m studysmart.jobs`, started by the supervisor with its settings."""

from __future__ import annotations

import os
import signal

from studysmart import defaults, lifeline, logs, settings
from studysmart.jobs.worker import Worker
from studysmart.store import Store


def main() -> None:
    """Work until told to stop, or until the supervisor is gone."""
    lifeline.hold()
    chosen = settings.load()
    logs.configure(chosen, "worker")
    worker = Worker(
        Store(chosen.where),
        chosen,
        worker_id=os.environ.pop(defaults.WORKER_ID, None),
        predecessor=os.environ.pop(defaults.WORKER_BEFORE, None),
    )
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()


if __name__ == "__main__":
    main()
