"""A child that cannot outlive its parent.

The parent keeps one end of a pipe open and never writes to it; the child waits on the other end.
When the parent goes, however it goes, the kernel closes its end and the child reads end-of-file.
Works after a `kill -9` and needs no polling of process ids, which the system gives out again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

VARIABLE = "STUDYSMART_LIFELINE_FD"


def spawn(
    arguments: Sequence[str], *, env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> tuple[subprocess.Popen[bytes], int]:
    """Start `python -m ...` tied to this process.

    Returns it and the descriptor that holds it alive.
    """
    ours, theirs = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **(env or {}), VARIABLE: str(ours)},
            pass_fds=(ours, *pass_fds),
            stdin=subprocess.DEVNULL,
        )
    except BaseException:
        os.close(theirs)
        raise
    finally:
        os.close(ours)
    return process, theirs


def hold(on_end: Callable[[], None] | None = None) -> None:
    """In the child: end when the parent is gone. Does nothing where nobody holds the other end.

    on_end: what to do then; by default a polite end that turns into a hard one after 5 s.
    """
    descriptor = os.environ.pop(VARIABLE, None)
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        (on_end or _end)()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(5.0)
    os._exit(1)
