"""`studysmart logs`: all files in order of time, also while they are written and rotated."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from studysmart.cli import app
from studysmart.cli.logs import Tail, moment
from studysmart.errors import BadInput
from studysmart.logs import CONTROLS, JsonLines
from tests.acceptance.world import STUDYSMART, wait_for


class Writer:
    """What a process of one role would write.

    Args:
        folder: data folder.
        role: file name.
        most_bytes: as in `JsonLines`.
    """

    def __init__(self, folder: Path, role: str, *, most_bytes: int = 2**20):
        self._role = role
        self._to = JsonLines(folder / "logs" / f"{role}.jsonl", most_bytes=most_bytes, kept=9)
        self._to.setFormatter(logging.Formatter("%(message)s"))

    def say(self, event: str, *, at: float, level: str = "info", **more: Any) -> None:
        when = datetime.fromtimestamp(at, UTC).isoformat()
        line = {"at": when, "level": level, "role": self._role, "pid": 7, "event": event}
        text = json.dumps(line | more)
        self._to.emit(logging.LogRecord("t", logging.INFO, "f", 1, text, None, None))


def shown(folder: Path, *arguments: str) -> list[str]:
    """What the command tells."""
    done = CliRunner().invoke(app, ["logs", "--data-dir", str(folder), *arguments])
    assert 0 == done.exit_code, done.output
    return done.output.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A web process and a worker that wrote in turns, an hour ago and just now."""
    web, worker, now = Writer(tmp_path, "web"), Writer(tmp_path, "worker"), time.time()
    web.say("first", at=now - 7_200)
    worker.say("second", at=now - 7_199, level="warning", reason="because")
    web.say("third", at=now - 20, level="error", exception='  File "x"\nValueError')
    worker.say("fourth", at=now - 10)
    return tmp_path


def test_lines_of_all_processes_come_in_order_of_time(folder: Path):
    """With time, level, process, what happened and its facts; an error below its line."""
    told = shown(folder)
    heads = [line for line in told if not line.startswith(" ")]
    assert ["first", "second", "third", "fourth"] == [line.split()[4] for line in heads]
    assert heads[1].endswith("warning  worker[7] second reason=because")
    assert ["    " + '  File "x"', "    ValueError"] == told[3:5]


def test_level_and_time_choose_lines(folder: Path):
    """The level is the lowest that is shown; the time goes back from now."""
    assert 2 == len([x for x in shown(folder, "--level", "warning") if x[0] != " "])
    assert 1 == len([x for x in shown(folder, "--level", "ERROR") if x[0] != " "])
    assert ["third", "fourth"] == [
        json.loads(line)["event"] for line in shown(folder, "--since", "1h", "--json")
    ]


def test_only_the_newest_are_shown_unless_a_time_is_given(tmp_path: Path):
    """A terminal that is asked casually is not flooded."""
    web, now = Writer(tmp_path, "web"), time.time()
    for k in range(300):
        web.say(f"line {k}", at=now - 300 + k)
    assert 200 == len(shown(tmp_path))
    assert shown(tmp_path)[-1].endswith("line 299")
    assert 300 == len(shown(tmp_path, "--since", "1h"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--since", "noon"], "'noon' is no time; expected"), (["--level", "loud"], "no level")],
)
def test_what_cannot_be_understood_is_said_with_what_was_expected(
    folder: Path, arguments: list[str], told: str
):
    """One line and exit code 1."""
    done = subprocess.run(
        [str(STUDYSMART), "logs", "--data-dir", str(folder), *arguments],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert told in done.stderr


def test_without_logs_it_says_who_writes_them(tmp_path: Path):
    """Instead of nothing."""
    done = CliRunner().invoke(app, ["logs", "--data-dir", str(tmp_path)])
    assert "studysmart serve writes them" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90s", 9_910.0),
        ("30m", 8_200.0),
        ("1.5h", 4_600.0),
        ("2d", -162_800.0),
        ("1970-01-01T00:00:05", 5.0),
        ("1970-01-01T01:00:05+01:00", 5.0),
    ],
)
def test_times_are_ago_or_absolute(text: str, at: float):
    """In seconds, minutes, hours, days; absolute ones in UTC unless they say otherwise."""
    assert pytest.approx(at) == moment(text, now=10_000.0)


@pytest.mark.parametrize("text", ["", "1w", "h", "-1h", "yesterday"])
def test_other_times_are_refused(text: str):
    """With what was expected."""
    with pytest.raises(BadInput, match=r"expected e\.g\."):
        moment(text, now=0.0)


def test_torn_and_foreign_lines_hide_no_others(tmp_path: Path):
    """Half of a line that met a full disk, glued to the next one of another process; rubbish."""
    web = Writer(tmp_path, "web")
    web.say("one", at=1.0)
    with (tmp_path / "logs" / "web.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:00:00Z", "event": "to')
    web.say("two", at=2.0)
    with (tmp_path / "logs" / "web.jsonl").open("ab") as file:
        file.write(b'\xff\x00\n[]\n{"at": 5}\n{}\n\n')
    web.say("three", at=3.0)
    assert ["one", "two", "three"] == [
        json.loads(line)["event"] for line in shown(tmp_path, "--json", "--since", "1970-01-01")
    ]


def test_what_is_shown_leaves_the_terminal_alone(tmp_path: Path):
    """Also where somebody got control characters into a file."""
    Writer(tmp_path, "web").say("x\x1b[2J\ny", at=1.0, exception="a\x1b[2J", **{"k\n": "\u202e"})
    assert not any(CONTROLS.search(line) for line in shown(tmp_path))


def test_following_sees_every_line_once_through_rotations(tmp_path: Path):
    """Files move on, and the oldest go, while they are read."""
    web, tail = Writer(tmp_path, "web", most_bytes=10_000), Tail(tmp_path / "logs")
    seen: list[str] = []
    for k in range(2_000):
        web.say(f"line {k}", at=float(k))
        if k % 7 == 0:
            seen += [line.event["event"] for line in tail.look()]
    seen += [line.event["event"] for line in tail.look()]
    tail.close()
    assert [f"line {k}" for k in range(2_000)] == seen


def test_follow_goes_on_until_it_is_interrupted(folder: Path):
    """New lines of new files appear; Ctrl+C is a good end."""
    with subprocess.Popen(
        [str(STUDYSMART), "logs", "--follow", "--json", "--data-dir", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert [json.loads(process.stdout.readline())["event"] for _ in range(4)][-1] == "fourth"
        Writer(folder, "supervisor").say("fifth", at=time.time())
        assert "fifth" == json.loads(process.stdout.readline())["event"]
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(timeout=20)


def test_a_reader_that_goes_away_is_no_error(folder: Path):
    """`studysmart logs | head -1`, as people type it."""
    done = subprocess.run(
        ["/bin/bash", "-c", f"{STUDYSMART} logs --data-dir {folder} | head -1"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert "first" in done.stdout
    assert "" == done.stderr


def test_the_logs_of_a_server_are_there_at_once(tmp_path: Path):
    """Its processes write under their roles into a data folder that is closed to others."""
    process = subprocess.Popen(
        [str(STUDYSMART), "serve", "--port", "0", "--data-dir", str(tmp_path / "data")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    tail = Tail(tmp_path / "data" / "logs")
    try:
        roles: set[str] = set()

        def all_there() -> bool:
            roles.update(line.event["role"] for line in tail.look())
            return {"supervisor", "web"} <= roles

        wait_for(all_there, seconds=20, hint="lines of all processes")
        made = [tmp_path / "data", tmp_path / "data" / "logs"]
        made += (tmp_path / "data" / "logs").iterdir()
        assert {0o700, 0o600} >= {path.stat().st_mode & 0o777 for path in made}
    finally:
        tail.close()
        process.terminate()
        process.wait(timeout=20)
