"""Logs: whole lines, within bounds, from any number of processes, with no secrets in them."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from studysmart import logs
from studysmart.errors import BadInput, Unavailable
from studysmart.logs import JsonLines


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A process of its own: logging is configured for a whole process."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip


def handler(path: Path, **options: Any) -> JsonLines:
    """A file of lines that are formatted already."""
    made = JsonLines(path, **options)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def say(to: JsonLines, text: str) -> None:
    """One line."""
    event = json.dumps({"at": "2026-01-01T00:00:00Z", "event": text})
    to.emit(logging.LogRecord("t", logging.INFO, "f", 1, event, None, None))


def lines(folder: Path) -> list[dict[str, Any]]:
    """All lines of all files; a torn one fails."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")
        if line
    ]


def names(folder: Path) -> set[str]:
    """Of the files in a folder."""
    return {path.name for path in folder.iterdir()}


# -- several processes --

WRITER = """
    import json, logging, sys
    from pathlib import Path
    from studysmart.logs import JsonLines
    path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    to = JsonLines(path, most_bytes=2_000 * 20_000, kept=1_999)
    to.setFormatter(logging.Formatter("%(message)s"))
    print("ready", flush=True)
    sys.stdin.readline()
    for k in range(count):
        line = json.dumps({"at": "x", "who": name, "k": k, "filling": "x" * (k % 300)})
        to.emit(logging.LogRecord("t", logging.INFO, "f", 1, line, None, None))
"""


def test_processes_that_write_and_rotate_at_once_lose_and_tear_no_line(tmp_path: Path):
    """Three workers on one data folder: every line of each is there once, whole, in its order."""
    count, writers = 3_000, ["a", "b", "c"]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path / "worker.jsonl"), name,
             str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in writers
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
    for process in started:
        process.communicate("go\n", timeout=60)
        assert 0 == process.returncode
    assert 20 < len(list(tmp_path.glob("*.jsonl"))), "they rotated while they wrote"
    written = lines(tmp_path)
    assert count * len(writers) == len(written)
    assert {(name, k) for name in writers for k in range(count)} == {
        (line["who"], line["k"]) for line in written
    }


def test_all_files_together_stay_within_their_bound(tmp_path: Path):
    """The oldest lines go; the newest is there."""
    to = handler(tmp_path / "web.jsonl", most_bytes=40_000)
    for k in range(5_000):
        say(to, f"line {k}")
        if k % 500 == 0:
            assert 40_000 >= sum(path.stat().st_size for path in tmp_path.iterdir())
    assert {"web.jsonl", "web.1.jsonl", "web.2.jsonl", "web.3.jsonl"} == names(tmp_path)
    kept = [line["event"] for line in lines(tmp_path)]
    assert "line 4999" in kept
    assert "line 0" not in kept


def test_a_frozen_process_that_holds_the_lock_makes_nobody_wait(tmp_path: Path):
    """Others write on, up to twice the share of a file, and go on when it is gone."""
    to = handler(tmp_path / "web.jsonl", most_bytes=40_000)
    frozen = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(frozen, fcntl.LOCK_EX)
    began = time.monotonic()
    for k in range(1_000):
        say(to, f"line {k}")
    assert 2.0 > time.monotonic() - began
    assert {"web.jsonl"} == names(tmp_path)
    assert 10_000 < (tmp_path / "web.jsonl").stat().st_size <= 20_000
    os.close(frozen)
    say(to, "after")
    told = lines(tmp_path)
    assert "after" in {line["event"] for line in told}
    lost = next(line["lines"] for line in told if line["event"] == "log_lines_lost")
    assert 1_000 == lost + len(told) - 2, "what is missing is counted"


# -- trouble --


def test_a_full_disk_is_no_error_and_what_is_lost_is_counted(tmp_path: Path):
    """Writes fail half way through a line; later lines are whole, and the first says how many."""
    run(
        """
        import json, logging, resource, sys
        from pathlib import Path
        from studysmart.logs import JsonLines
        to = JsonLines(Path(sys.argv[1]) / "web.jsonl", most_bytes=2**20)
        to.setFormatter(logging.Formatter("%(message)s"))
        def say(text):
            line = json.dumps({"at": "2026-01-01T00:00:00Z", "event": text})
            to.emit(logging.LogRecord("t", logging.INFO, "f", 1, line, None, None))
        say("before")
        most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (75, most[1]))  # as a disk with 75 bytes has it
        for k in range(7):
            say(f"lost {k}")
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        say("after")
        """,
        tmp_path,
    )
    text = (tmp_path / "web.jsonl").read_text().split("\n")
    whole = []
    for line in text:
        try:
            whole.append(json.loads(line))
        except ValueError:
            continue
    assert ["before", "log_lines_lost", "after"] == [line["event"] for line in whole]
    assert 7 == whole[1]["lines"]


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path):
    """A file stands in its place; when that is gone, logging begins."""
    (tmp_path / "logs").touch()
    to = handler(tmp_path / "logs" / "web.jsonl", most_bytes=40_000)
    say(to, "lost")
    (tmp_path / "logs").unlink()
    say(to, "kept")
    assert [1, "kept"] == [line.get("lines", line["event"]) for line in lines(tmp_path / "logs")]


def test_folders_that_logging_makes_are_closed_to_others(tmp_path: Path):
    """Also the data folder, where logging comes first."""
    say(handler(tmp_path / "data" / "logs" / "web.jsonl", most_bytes=40_000), "first")
    made = [tmp_path / "data", tmp_path / "data" / "logs"]
    assert {0o700} == {path.stat().st_mode & 0o777 for path in made}


def test_a_file_that_somebody_removed_is_made_again(tmp_path: Path):
    """With the next line, which is in it."""
    to = handler(tmp_path / "web.jsonl", most_bytes=40_000)
    say(to, "first")
    (tmp_path / "web.jsonl").unlink()
    say(to, "second")
    assert ["second"] == [line["event"] for line in lines(tmp_path)]


def test_a_screen_that_nobody_reads_makes_nobody_wait(tmp_path: Path):
    """A stopped terminal or pager does not stop the server; the file has every line."""
    script = (
        LOG
        + """
    for k in range(5_000):
        log.info("line", k=k, filling="x" * 100)
    try:
        raise RuntimeError("y" * 1_900)
    except RuntimeError:
        log.exception("long")
    """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], stderr=subprocess.PIPE
    )
    try:
        assert 0 == process.wait(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert 5_001 == len(lines(tmp_path / "logs"))


# -- what is in a line --

LOG = """
    import json, logging, sys
    from pathlib import Path
    import structlog
    from studysmart import logs
    from studysmart.settings import Settings
    logs.configure(Settings(data_dir=Path(sys.argv[1]), log_level="debug"), "web")
    log = structlog.get_logger("web")
"""


def test_no_value_begins_a_line_or_moves_the_cursor(tmp_path: Path):
    """Neither in the file nor on the screen, whoever logs it."""
    hostile = 'x\n2026 [error] forged\r\x1b[2J\u2028{"at": "2026'
    done = run(
        LOG
        + """
    log.info(sys.argv[2], said=sys.argv[2], among=[{sys.argv[2]: sys.argv[2]}])
    logging.getLogger("uvicorn.error").warning("from %s", sys.argv[2])
    """,
        tmp_path,
        hostile,
    )
    written = lines(tmp_path / "logs")
    assert [hostile, f"from {hostile}"] == [line["event"] for line in written]
    assert hostile == written[0]["said"]
    assert 2 == len(done.stderr.splitlines())
    assert not logs.CONTROLS.search(done.stderr.replace("\n", ""))


def test_secrets_and_answers_are_left_out_wherever_they_come_from(tmp_path: Path):
    """By the name of a value, by the look of it, and out of errors that quote what was typed."""
    done = run(
        LOG
        + """
    log.info("by name", password="canary", answer="canary", headers={"Cookie": "canary"},
             API_KEY="canary", given=[{"new_password": "canary"}])
    log.info("by look: postgresql://ada:canary@db/x", error="password=canary host=db",
             header="Authorization: Bearer canary")
    logging.getLogger("x").error("postgresql://ada:%s@db", "canary")
    try:
        try:
            int("canary")
        except ValueError as error:
            raise RuntimeError("postgresql://ada:canary@db is away") from error
    except RuntimeError:
        log.exception("quoted")
    try:
        {}["canary" + ""]
    except KeyError as error:
        log.error("surprise", exc_info=error)
    """,
        tmp_path,
    )
    text = (tmp_path / "logs" / "web.jsonl").read_text()
    told = lines(tmp_path / "logs")
    # The source of this test is in its own tracebacks; what was typed is not.
    for where in (text, done.stderr):
        assert "canary" not in where.replace('"canary"', "").replace(":canary@db is away", "")
    assert ["[left out]"] * 3 == [told[0][name] for name in ("password", "answer", "API_KEY")]
    assert "ValueError\n\nthen\n\n" in told[3]["exception"]
    assert told[3]["exception"].endswith("RuntimeError: postgresql://ada:[left out]@db is away")


def test_an_answer_that_makes_the_server_stumble_is_not_logged(tmp_path: Path):
    """The line of a failure of ours has its place and kind, and nobody's words."""
    done = run(
        LOG
        + """
    from starlette.testclient import TestClient
    from studysmart import practice
    from studysmart.store import Store, learners
    from studysmart.store.migrations import migrate
    from studysmart.store.tables import learner
    from studysmart.web.app import create_app
    store = Store(Path(sys.argv[1]) / "studysmart.sqlite3")
    migrate(store)
    with store.write() as tx:
        learners.ensure_local(tx, name="You", now=0.0)
    def submit(tx, *_, answer, **__):
        try:
            float(answer)
        finally:
            tx.execute(learner.insert().values(name=answer))
    practice.submit = submit
    app = create_app(store, Settings(data_dir=Path(sys.argv[1])))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        task = client.post("/api/practice-tasks", json={}).json()
        reply = client.post(f"/api/practice-tasks/{task['id']}/attempts", json={
            "id": task["id"], "answer": sys.argv[2], "response_time_s": 1.0})
    assert reply.status_code == 500, reply.text
    """,
        tmp_path,
        "my own canary",
    )
    told = next(line for line in lines(tmp_path / "logs") if line["event"] == "surprise")
    assert told["exception"].endswith("sqlalchemy.exc.IntegrityError")
    assert "ValueError" in told["exception"]
    assert "canary" not in (tmp_path / "logs" / "web.jsonl").read_text() + done.stderr


def test_what_ends_a_thread_or_a_process_is_logged(tmp_path: Path):
    """A crash that only the screen had seen would be gone with the screen."""
    run(
        LOG
        + """
    import threading
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    """,
        tmp_path,
    )
    (line,) = lines(tmp_path / "logs")
    assert ("crashed", "critical", "web") == (line["event"], line["level"], line["role"])
    assert "ZeroDivisionError: division by zero" in line["exception"]


def test_an_unknown_value_does_not_stop_the_work(tmp_path: Path):
    """Something that cannot even be put into words is counted as lost."""
    run(
        LOG
        + """
    class Odd:
        def __str__(self):
            raise ValueError
    log.info("odd", value=Odd())
    log.info("next", size=10**400, nan=float("nan"), path=Path("/x"), half="\\udc80")
    """,
        tmp_path,
    )
    assert ["log_lines_lost", "next"] == [line["event"] for line in lines(tmp_path / "logs")]


@given(st.text())
def test_printable_text_has_one_line_and_no_controls(text: str):
    """And text without controls stays as it is."""
    shown = logs.printable(text)
    assert not logs.CONTROLS.search(shown)
    assert len(shown.splitlines()) <= 1
    assert shown == logs.printable(shown)


def test_only_errors_that_quote_nobody_keep_their_words():
    """A refusal names what somebody typed; an unavailable database does not."""
    assert "no '42'" not in logs.told(BadInput("no '42'"))
    assert "the disk is full" in logs.told(Unavailable("the disk is full"))
