"""What a piece of work costs: the one place of the pure layers that looks at a clock.

Figures of a fit are worth comparing only when it had a process of its own: `alone` gives it one.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from studysmart.errors import StudySmartError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Timed(Generic[Result]):
    """What came out, and the seconds that it took: on the wall, and of all this process's threads.

    A trained network's seconds include what its first run in a process compiles.
    """

    result: Result
    wall_s: float
    cpu_s: float


def timed(work: Callable[[], Result]) -> Timed[Result]:
    """Do it, and look at the clocks before and after."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Timed(result, time.perf_counter() - wall, time.process_time() - cpu)


class Broken(Exception):
    """The work failed in its process; the text is one line."""


def alone(
    work: Callable[..., Result], *arguments: Any, limit_s: float | None = None
) -> tuple[Result, float | None]:
    """(result, peak MiB): the work in a fresh process that does nothing else.

    Work and arguments must be importable and picklable: the process is spawned, not forked, since
    a fork of one that runs JAX may hang.

    Args:
        work: what to do.
        arguments: what with.
        limit_s: after so many seconds it is ended; None waits for ever.

    Raises:
        Broken: it raised, was killed, or took too long.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_there, args=(sender, work, arguments), daemon=True)
    try:
        process.start()
        sender.close()  # so that the end of the process is the end of the pipe
        if not receiver.poll(limit_s):
            msg = f"no result within {limit_s:.0f} s"
            raise Broken(msg)
        fault, result, peak_mb = receiver.recv()
    except EOFError:
        process.join()
        msg = f"its process ended with code {process.exitcode}; was there enough memory?"
        raise Broken(msg) from None
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        receiver.close()
    if fault is not None:
        raise Broken(fault)
    return result, peak_mb


def _there(sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    fault, result = None, None
    try:
        result = work(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, who asked must hear of it
        fault = one_line(error)
    sender.send((fault, result, peak_mb()))


def one_line(error: Exception) -> str:
    """What went wrong, for a table."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StudySmartError) else f"{type(error).__name__}: {text}"


def peak_mb() -> float | None:
    """The most memory that this process has held at once, MiB; None where nobody counts it."""
    try:
        # The kernel's own mark: getrusage gives a spawned process the peak of the one it came from.
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return None
