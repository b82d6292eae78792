"""`studysmart evaluate`: files in, tables, JSON and a page out."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

import pytest

from studysmart import cli
from studysmart.errors import BadInput
from studysmart.learning import Prior, simulate

FIGURES = {
    "n", "auc", "accuracy", "log_loss", "rmse", "ece", "ece_by_chance", "n_timed", "log_time_rmse",
    "mae_s", "crps", "nlpd", "coverage_80", "coverage_90", "width_80", "width_90", "fit_s",
    "fit_cpu_s", "fit_answers_per_cpu_s", "predict_s", "predict_answers_per_s", "peak_mb",
}  # fmt: skip
COLUMNS = ("learner", "item", "skill", "correct", "response_time_s", "timestamp", "fold")
PARTS = {
    "by_position", "unseen_items", "without_repeats", "known_learners", "reliability", "pit",
    "leak", "error",
}  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A packed log of ten learners in five folds."""
    path = tmp_path / "answers.csv.gz"
    with gzip.open(path, "wt", newline="", encoding="utf-8") as text:
        out = csv.writer(text)
        out.writerow(COLUMNS)
        for name, response in simulate(learners=10, answers=300):
            fold = int(name.rpartition("-")[2]) % 5 + 1
            out.writerow([
                name, response.item.item, response.item.skill, int(response.correct),
                response.response_time_s, response.at, fold,
            ])  # fmt: skip
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    """The command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["studysmart", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return call


def test_one_command_gives_tables_json_and_a_page(log, run, tmp_path):
    """Every documented key is there, for each model and split; memory was measured."""
    as_json, page = tmp_path / "report.json", tmp_path / "report.html"
    code, out, _ = run(
        log, "--model", "prior", "--test-fold", 2, "--json", as_json, "--html", page
    )  # fmt: skip
    assert 0 == code
    assert f"## {tmp_path.name}/answers.csv.gz, by learner" in out
    assert "| prior | fold 2 |" in out
    document = json.loads(as_json.read_text())
    assert 1 == document["schema"]
    found = document["evaluations"][0]
    assert {"name", "by", "facts", "splits", "models", "differences", "notes"} == set(found)
    figures = found["models"]["prior"]["splits"]["fold 2"]
    assert FIGURES | PARTS == set(figures)
    assert figures["peak_mb"] > 10
    assert {"first", "2-5", "6-20", "21-100", "later"} == set(figures["by_position"])
    assert {"splits", "mean", "sd", "mean_by_position"} == set(found["models"]["prior"])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_several_files_and_a_split_by_time(log, run, tmp_path):
    """One section a file."""
    other = tmp_path / "more.csv"
    other.write_bytes(gzip.decompress(log.read_bytes()))
    code, out, _ = run(log, other, "--model", "prior", "--by-time")
    assert 0 == code
    assert 2 == out.count("by time")
    assert "more.csv" in out


def test_hidden_cells_are_judged_with_a_mask(log, run, tmp_path):
    """One that hides what is not there is refused."""
    mask = tmp_path / "mask.csv"
    name, response = next(iter(simulate(learners=10, answers=300)))
    mask.write_text(f"learner,item\n{name},{response.item.item}\n")
    code, out, _ = run(log, "--model", "prior", "--mask", mask)
    assert 0 == code
    assert "| prior | hidden cells |" in out
    mask.write_text("learner,item\nlearner-99,topic-0/easy\n")
    code, _, err = run(log, "--model", "prior", "--mask", mask)
    assert 1 == code
    assert "1 cells are not in the log, e.g. learner learner-99" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by-time", "--by-learner"], "exclude each other"),
        (["--by-time", "--all-folds"], "are about learners"),
        (["--test-fold", "2", "--all-folds"], "exclude each other"),
        (["--mask", "x.csv", "--by-time"], "--mask goes with one file"),
        (["--mask", "x.csv"], "x.csv cannot be read"),
        (["--test-fold", "7"], "no fold 7; there are 1, 2, 3, 4, 5"),
        (["--model", "oracle"], "no model called oracle"),
        (["--model", ","], "no model called nothing"),
    ],
)
def test_a_wrong_request_is_one_line(log, run, arguments, said):
    """And exit code 1, before anything is fitted."""
    code, out, err = run(log, *arguments)
    assert 1 == code
    assert "" == out
    assert said in err
    assert "Traceback" not in err


def test_a_file_that_cannot_be_read_is_one_line(run, tmp_path):
    """Missing, broken or empty."""
    missing, cut, binary = (tmp_path / name for name in ("none.csv", "cut.gz", "binary.csv"))
    cut.write_bytes(gzip.compress(b"learner,correct\n" * 1000)[:30])
    binary.write_bytes(b"learner,correct\n\xff\xfe,1\n")
    for path, said in (
        (missing, "cannot be read"), (cut, "cannot be read"), (binary, "not a CSV in UTF-8"),
    ):  # fmt: skip
        code, _, err = run(path)
        assert 1 == code
        assert said in err


def test_a_model_that_cannot_be_judged_ends_with_code_3(log, run, monkeypatch):
    """The others' figures are shown all the same."""
    from studysmart.learning import engine, trials

    class Unwilling(Prior):
        @classmethod
        def fit(cls, *_, **__):
            msg = "not today"
            raise BadInput(msg)

    monkeypatch.setitem(engine.CLASSES, "prior", Unwilling)
    here = lambda work, *arguments, **_: (work(*arguments), None)
    monkeypatch.setattr(trials.measuring, "alone", here)
    code, out, _ = run(log, "--model", "prior")
    assert 3 == code
    assert "No scores: prior, fold 1: not today" in out


def test_a_report_that_cannot_be_written_is_one_line(log, run, tmp_path):
    """The tables were shown before."""
    code, out, err = run(log, "--model", "prior", "--json", tmp_path / "no" / "where.json")
    assert 1 == code
    assert "| prior |" in out
    assert "the report cannot be written" in err
