"""Every command of the operator's handbook is run, in order, against a really started server.

Blocks marked `sh` are read from the pages. A command's exit code must be what the page says: 0, or
what a comment behind it names (`# exit code 3`). A command behind which `# until Ctrl+C` stands is
interrupted once it has said something.

What stands for something else is replaced in one place (`Installation.resolved`):

    /srv/studysmart                a folder of the test; `data` in it is the server's
    http://127.0.0.1:4008          where the server listens
    postgresql://...example.org/x  an empty database of the test's own PostgreSQL
    sudo systemctl VERB studysmart the same done to the processes that the test started (`ACTS`)

`ELSEWHERE` lists what cannot be run here, each with its reason. A command that is neither run nor
listed does not exist: what is not listed is run.
"""

from __future__ import annotations

import ast
import configparser
import csv
import io
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import studysmart
from studysmart import learning
from studysmart.cli.doctor import examine
from studysmart.settings import Settings
from studysmart.store import Store, accounts, attempts, jobs, models
from studysmart.store.migrations import migrate
from tests.acceptance.world import World, wait_for
from tests.builders import add_version, small_engine
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent.parent
HANDBOOK = ROOT / "docs" / "handbook"
PAGES = ("check", "watch", "procedures", "maintenance", "troubleshooting")
SOURCES = sorted(Path(studysmart.__file__).parent.rglob("*.py"))

# Typed once in each shell, says the first page: so they go before every command.
IN_EACH_SHELL = (
    ". /srv/studysmart/app/.venv/bin/activate",
    "export STUDYSMART_DATA_DIR=/srv/studysmart/data",
)
SERVICE = "sudo systemctl {} studysmart"
AS_ROOT = "changes the machine's own services, as root; the unit itself is checked below"
ELSEWHERE = {
    "sudo systemctl daemon-reload": AS_ROOT,
    "sudo systemctl enable --now studysmart": AS_ROOT,
    "journalctl --unit studysmart --since today": "the unit is not installed on this machine",
    "git -C /srv/studysmart/app pull": "fetches a newer version from elsewhere",
    "make -C /srv/studysmart/app setup": "installs packages; CI runs `make setup` by itself",
    "createuser --pwprompt studysmart": "asks a person, on the database's machine",
    "createdb --owner studysmart studysmart": "the test makes its database under another name",
    "pip install 'studysmart[postgres]'": "installs packages; the driver is in the test's own",
}
TYPED = "a long enough passphrase"  # wherever a password is asked for


@dataclass(frozen=True)
class Command:
    """What somebody types, where it stands, and how it ends."""

    text: str
    page: str
    line: int
    code: int
    interrupted: bool

    def __str__(self) -> str:
        """As a failure names it."""
        return f"{self.page}.md:{self.line}: {self.text}"


def blocks(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """Kind, number of the first line, and lines of each block of code."""
    kind, first, lines = None, 0, []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("```"):
            lines.append(line)
        elif kind is None:
            kind, first, lines = line.strip("`"), number + 1, []
        else:
            yield kind, first, lines
            kind = None


def commands(page: str, text: str) -> Iterator[Command]:
    """Every command of a page's `sh` blocks, in order; one may go over several lines."""
    for kind, first, lines in blocks(text):
        begun: list[str] = []
        for number, line in enumerate(lines if kind == "sh" else [], start=first):
            if begun or line.strip():
                begun.append(line)
                if whole("\n".join(begun)):
                    yield command("\n".join(begun), page, number - len(begun) + 1)
                    begun = []
        assert not begun, f"{page}.md:{first}: the block ends within a command"


def whole(text: str) -> bool:
    """Whether a shell would begin to run it."""
    checked = subprocess.run(["/bin/bash", "-n", "-c", text], capture_output=True, check=False)
    return checked.returncode == 0 and not text.rstrip().endswith(("\\", "|", "&&"))


def command(text: str, page: str, line: int) -> Command:
    """One command and what the comment behind it says."""
    typed, _, remark = text.partition("  # ")
    code = re.match(r"exit code (\d+)", remark)
    assert not remark or code or remark == "until Ctrl+C", f"{page}.md:{line}: '{remark}'?"
    return Command(typed, page, line, int(code[1]) if code else 0, remark == "until Ctrl+C")


def pages(*names: str) -> list[Command]:
    """The commands of these pages, in order."""
    return [one for name in names for one in commands(name, (HANDBOOK / f"{name}.md").read_text())]


class Installation:
    """What the handbook takes for granted: a program, a data folder, a service that runs.

    Args:
        folder: stands for /srv/studysmart.
        database: URL of a PostgreSQL database; None for SQLite.
    """

    def __init__(self, folder: Path, *, database: str | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._database = database
        # So that trainings come when the handbook asks for them; versions are there already.
        self._env = {"STUDYSMART_TRAIN_EVERY": "100000"}
        if database is not None:
            self._env["STUDYSMART_DATABASE_URL"] = database
        self.data.mkdir(parents=True, mode=0o700)
        (folder / "app").mkdir()
        (folder / "app" / ".venv").symlink_to(sys.prefix)
        self.acts: dict[str, Callable[[], None]] = {
            SERVICE.format("start"): self.start,
            SERVICE.format("stop"): self.stop,
            SERVICE.format("restart"): lambda: (self.stop(), self.start())[1],
        }
        self.world: World | None = None
        self.url = "http://127.0.0.1:9"  # nobody listens, until it is started

    def start(self) -> None:
        """As the service does; an operator would look once it is ready."""
        self.world = World(self.data, env=self._env)
        self.url = self.world.url
        wait_for(self._ready, seconds=30, hint="a server that is ready")

    def stop(self) -> None:
        """As the service does."""
        if self.world is not None:
            self.world.stop()
            self.world = None

    def _ready(self) -> bool:
        assert self.world is not None
        return bool(self.world.http.get("/api/readyz").json()["status"] == "ready")

    @property
    def where(self) -> Path | str:
        """As `Store` takes it."""
        return self._database or self.data / "studysmart.sqlite3"

    def settled(self) -> None:
        """Wait until no training runs or was asked for: what comes next is told about that."""
        if self.world is None:
            return
        store = Store(self.where)

        def idle() -> bool:
            with store.read() as tx:
                job = jobs.job(tx)
                return job.owner is None and job.asked_at is None

        try:
            wait_for(idle, seconds=90, hint="the end of a training")
        finally:
            store.close()

    def resolved(self, text: str) -> str:
        """A command with everything put in that stands for something else."""
        text = text.replace("/srv/studysmart", str(self.folder))
        text = text.replace("http://127.0.0.1:4008", self.url)
        return re.sub(r"postgresql://\S*example\.org/\w+", self._database or r"\g<0>", text)

    def run(self, one: Command) -> None:
        """Do what it says; fails when it does not end as the page says."""
        if one.text in self.acts:
            self.acts[one.text]()
            return
        self.settled()
        before = [*IN_EACH_SHELL]
        if self._database is not None:
            before.append(f"export STUDYSMART_DATABASE_URL={self._database}")
        typed = self.resolved("\n".join([*before, one.text]))
        code, told = (interrupted if one.interrupted else ended)(typed, cwd=self.folder)
        assert code is not None, f"{one} does not end; it says:\n{told}"
        assert one.code == code, f"{one} ends with {code}:\n{told}"


def ended(typed: str, *, cwd: Path) -> tuple[int | None, str]:
    """Exit code and words of a command; None when it had to be killed after a minute."""
    process = subprocess.Popen(
        ["/bin/bash", "-c", typed], cwd=cwd, env=clean_environment(), start_new_session=True,
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        told, _ = process.communicate(f"{TYPED}\n", timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        told, _ = process.communicate()
        return None, told
    return process.returncode, told


def interrupted(typed: str, *, cwd: Path) -> tuple[int | None, str]:
    """The same of one that goes on until Ctrl+C, which it gets after its first words.

    On a terminal, because that is where people press it.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        ["/bin/bash", "-c", typed], cwd=cwd, env=clean_environment() | {"TERM": "xterm"},
        start_new_session=True, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    told, pressed = b"", False
    deadline = time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    told += os.read(ours, 65_536)
                except OSError:  # the other end is closed
                    process.wait(timeout=10)
            elif told and not pressed:
                os.killpg(process.pid, signal.SIGINT)
                pressed = True
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            pressed = False
        os.close(ours)
    return process.returncode if pressed else None, told.decode("utf-8", "replace")


def clean_environment() -> dict[str, str]:
    """A shell of somebody who set nothing but what the handbook says."""
    return {name: it for name, it in os.environ.items() if not name.startswith("STUDYSMART_")}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """On SQLite, with a log to import and two versions of the model."""
    made = Installation(tmp_path / "studysmart")
    (made.folder / "answers.csv").write_text(a_log())
    made.start()
    store = Store(made.where)
    with store.write() as tx:
        assert [1, 2] == [add_version(tx, seed=seed) for seed in (1, 2)]
    store.close()
    try:
        yield made
    finally:
        made.stop()


def a_log() -> str:
    """A log of answers as a spreadsheet would write it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["learner", "skill", "topic", "correct", "response_time_s", "timestamp"])
    for at, (learner, response) in enumerate(learning.simulate(learners=6, answers=240, seed=3)):
        item = response.item
        writer.writerow(
            [learner, item.skill, item.topic, int(response.correct), response.response_time_s,
             1_700_000_000 + 60 * at]
        )  # fmt: skip
    return text.getvalue()


@pytest.mark.timeout(600)
def test_every_command_of_the_handbook_ends_as_its_page_says(installation: Installation):
    """In the order of the pages, on one installation, as an operator would go through them."""
    for one in pages(*PAGES):
        if one.text not in ELSEWHERE and one.text not in IN_EACH_SHELL:
            installation.run(one)
    store = Store(installation.where)
    with store.read() as tx:
        assert 240 == attempts.completions(tx), "the restored log"
        assert {1, 2} <= {row.version for row in models.newest(tx)}
        assert 2 == accounts.operators(tx)
    store.close()
    assert (installation.folder / "data.before" / "studysmart.sqlite3").exists()
    # What may be sent with a report has nothing in it that was typed in secret.
    kept = "".join(path.read_text() for path in (installation.data / "logs").iterdir())
    assert TYPED not in kept + (installation.folder / "report.txt").read_text()


@pytest.mark.timeout(600)
def test_every_command_about_postgresql_ends_as_its_page_says(
    tmp_path: Path, postgres_server: Postgres
):
    """Against an empty database, from the first start over a second worker to a restored dump."""
    name = postgres_server.create()
    made = Installation(tmp_path / "studysmart", database=postgres_server.url(name))
    old = Store(made.folder / "sqlite" / "studysmart.sqlite3")
    migrate(old)
    with old.write() as tx:
        add_version(tx, small_engine(7).to_bytes())
    old.close()
    try:
        for one in pages("postgresql"):
            if one.text not in ELSEWHERE:
                made.run(one)
        store = Store(made.where)
        with store.read() as tx:
            assert 1 == models.live_version(tx), "the restored dump"
        store.close()
    finally:
        made.stop()
        postgres_server.drop(name)


def test_no_page_of_the_handbook_is_left_out():
    """A new page is run too, and code on it is either a command or of a named other kind."""
    found = {path.stem for path in HANDBOOK.glob("*.md")}
    assert {*PAGES, "postgresql"} == found
    for path in HANDBOOK.glob("*.md"):
        for kind, number, lines in blocks(path.read_text()):
            assert kind in {"sh", "ini", ""}, f"{path.name}:{number}"
            for line in lines if kind == "" else []:
                assert re.fullmatch(r"STUDYSMART_\w+=\S+", line), f"{path.name}: {line}"


def test_what_is_not_run_is_in_the_handbook_and_has_a_reason():
    """The list has nothing that is no longer there."""
    typed = {one.text for one in pages(*PAGES, "postgresql")}
    assert set(ELSEWHERE) | set(IN_EACH_SHELL) <= typed
    assert all(ELSEWHERE.values())


def test_commands_are_found_with_their_ends():
    """Over several lines, with quotes and heads of comments in them; the check itself can fail."""
    page = (
        "```sh\na\nb  # exit code 3\nc 'x\ny  # z'\n\nd \\\n  e\nf |\n  g\nh  # until Ctrl+C\n"
        "```\n```\nno\n```\n"
    )
    found = list(commands("p", page.replace("y  # z", "y # z")))
    assert ["a", "b", "c 'x\ny # z'", "d \\\n  e", "f |\n  g", "h"] == [it.text for it in found]
    assert [0, 3, 0, 0, 0, 0] == [it.code for it in found]
    assert found[-1].interrupted
    with pytest.raises(AssertionError, match=r"p\.md:2: 'soon'"):
        list(commands("p", "```sh\na  # soon\n```\n"))


def test_a_wrong_exit_code_and_an_unknown_command_are_found(tmp_path: Path):
    """Both fail the test, with the page and the line."""
    made = Installation(tmp_path / "studysmart")
    with pytest.raises(AssertionError, match=r"page\.md:7: studysmart dance ends with 2"):
        made.run(Command("studysmart dance", "page", 7, 0, interrupted=False))
    with pytest.raises(AssertionError, match="studysmart version ends with 0"):
        made.run(Command("studysmart version", "page", 7, 3, interrupted=False))


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path):
    """Its program and folder are those of the handbook; systemd itself finds no fault."""
    page = (HANDBOOK / "procedures.md").read_text()
    (text,) = ("\n".join(lines) for kind, _, lines in blocks(page) if kind == "ini")
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    service = unit["Service"]
    assert "/srv/studysmart/app/.venv/bin/studysmart serve" == service["ExecStart"]
    assert IN_EACH_SHELL[1] == f"export {service['Environment']}"
    assert service["ReadWritePaths"] in service["Environment"]
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine: the unit was only read")
    program = tmp_path / "app" / ".venv" / "bin" / "studysmart"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    written = tmp_path / "studysmart.service"
    written.write_text(
        text.replace("/srv/studysmart", str(tmp_path)).replace("User=studysmart", "User=root")
    )
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(written)],  # noqa: S607
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "studysmart.service" not in checked.stderr, checked.stderr


# -- what its tables must name --


def ticked(page: str) -> set[str]:
    """Everything in code marks on a page."""
    text = re.sub(
        r"^```.*?^```", "", (HANDBOOK / f"{page}.md").read_text(), flags=re.MULTILINE | re.DOTALL
    )
    return set(re.findall(r"`([^`]+)`", text))


def test_every_error_code_is_explained():
    """Those of error classes, those given where they are raised, those of the HTTP edge."""
    codes = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code":
                codes |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
            if path.name == "errors.py" and isinstance(node, ast.ClassDef):
                codes |= {one.value.value for one in node.body if isinstance(one, ast.Assign)}
    edge = (ROOT / "src/studysmart/web/guard.py").read_text()
    codes |= set(re.findall(r'(?:421|403|413|415),\s+"(\w+)"', edge))
    app = (ROOT / "src/studysmart/web/app.py").read_text()
    codes |= set(re.findall(r'_problem\(\s*request, \d+, "(\w+)"', app))
    codes |= set(re.findall(r'{404: "(\w+)", 405: "(\w+)"}', app)[0]) | {"http_error"}
    codes = {code for code in codes if isinstance(code, str)}
    assert {"unknown_host", "internal_error", "no_reason", "refused_to_start"} <= codes
    assert set() == codes - ticked("troubleshooting")


def test_every_event_of_the_logs_is_explained():
    """Whatever any process may log by itself."""
    events = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                events |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    assert {"surprise", "crashed", "child_died"} <= events
    assert set() == (events | {"log_lines_lost"}) - ticked("troubleshooting")


def test_every_criterion_of_the_doctor_is_explained(tmp_path: Path):
    """In the order in which it tells them, and no others."""
    made = Installation(tmp_path / "studysmart")
    store = Store(made.where)
    migrate(store)
    store.close()
    table = (HANDBOOK / "check.md").read_text().split("## The criteria of the doctor")[1]
    named = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)[1:]
    found = {one.name for one in examine(Settings(data_dir=made.data))} | {"database"}
    assert found == set(named)


def test_every_metric_is_explained(installation: Installation):
    """And no metric is named that is not there."""
    assert installation.world is not None
    installation.world.answer(topic="Waves")
    text = installation.world.http.get("/metrics").text
    there = set(re.findall(r"^# TYPE (studysmart_\w+)", text, re.MULTILINE))
    named = {name for name in ticked("watch") if name.startswith("studysmart_")}
    later = {f"studysmart_{name}" for name in ("training_last_seconds", "training_last_ended",
             "worker_beat_age_seconds")}  # fmt: skip
    assert named - later <= there
    assert {name for name in there if not name.endswith("_created")} <= named


def test_every_warning_about_the_forecasts_is_explained():
    """By its first words."""
    source = ast.parse((ROOT / "src/studysmart/quality.py").read_text())
    (made,) = (
        node for node in source.body
        if isinstance(node, ast.FunctionDef) and node.name == "warnings"
    )  # fmt: skip
    begins = {
        " ".join(node.value.split()[:3])
        for node in ast.walk(made)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"[A-Z]\w+ .* ", node.value)
        and node.value != ast.get_docstring(made, clean=False)
        and "Warn where" not in node.value
        and "The judged mean" not in node.value
    }
    assert {"Times fall outside", "People are right"} <= begins
    table = (HANDBOOK / "watch.md").read_text().split("### Warnings")[1].split("## Logs")[0]
    assert [] == [words for words in begins if f"| {words}" not in table]


def test_every_setting_that_the_handbook_names_exists():
    """And each default that stands behind a name is the one of the code."""
    defaults = {
        f"STUDYSMART_{name.upper()}": it.default for name, it in Settings.model_fields.items()
    }
    for path in HANDBOOK.glob("*.md"):
        text = path.read_text()
        assert set(re.findall(r"STUDYSMART_[A-Z_]+", text)) <= set(defaults), path.name
        for name, value in re.findall(r"`(STUDYSMART_[A-Z_]+)` \((\d+)\)", text):
            assert float(value) == defaults[name], f"{path.name}: {name}"


def test_every_exit_code_that_a_verb_names_is_in_the_table():
    """As the help of the command line tells them."""
    text = (ROOT / "docs/reference/cli.md").read_text()
    rows = (HANDBOOK / "check.md").read_text()
    for verb, told in re.findall(r"## `studysmart ([a-z ]+?)(?: [A-Z ]+)?`\n(.*?)(?=\n## |\Z)",
                                 text, re.DOTALL):  # fmt: skip
        for code in re.findall(r"(?:[Ee]xit code |\. )(\d)(?=:| says)", told):
            assert re.search(rf"^\| {code} \| .*`{verb}`", rows, re.MULTILINE), (verb, code)
