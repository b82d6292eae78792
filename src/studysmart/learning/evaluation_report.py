"""An evaluation for people: Markdown for the screen, and one HTML page without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

import numpy as np

from studysmart.learning import scores
from studysmart.learning.evaluation import POSITIONS, Evaluation, Result, Scores

SCORE_COLUMNS = {
    "n": ("n", ",.0f"), "auc": ("AUC", ".4f"), "accuracy": ("accuracy", ".4f"),
    "log_loss": ("log loss", ".4f"), "rmse": ("RMSE", ".4f"), "ece": ("ECE", ".4f"),
    "ece_by_chance": ("ECE by chance", ".4f"),
}  # fmt: skip
TIME_COLUMNS = {
    "n_timed": ("n timed", ",.0f"), "log_time_rmse": ("log-time RMSE", ".4f"),
    "mae_s": ("MAE, s", ".3f"), "crps": ("CRPS", ".4f"), "nlpd": ("NLPD", ".4f"),
    "coverage_80": ("80 % covers", ".3f"), "coverage_90": ("90 % covers", ".3f"),
    "width_80": ("80 % width", ".3f"), "width_90": ("90 % width", ".3f"),
}  # fmt: skip
COST_COLUMNS = {
    "fit_s": ("fit, s", ".2f"), "fit_cpu_s": ("fit, CPU-s", ".2f"),
    "fit_answers_per_cpu_s": ("fitted per CPU-s", ",.0f"),
    "predict_answers_per_s": ("forecast per s", ",.0f"), "peak_mb": ("peak, MiB", ",.0f"),
}  # fmt: skip
PART_COLUMNS = {
    name: (SCORE_COLUMNS | TIME_COLUMNS)[name]
    for name in ("n", "auc", "accuracy", "log_loss", "ece", "log_time_rmse", "mae_s", "coverage_80")
}
SHOWN = {"learner": "by learner", "time": "by time", "mask": "hidden cells"}

Columns = Mapping[str, tuple[str, str]]
# A heading and rows of cells, all text; how they are marked is the writer's own.
Table = tuple[str, list[str], list[list[str]]]


def to_markdown(evaluations: Sequence[Evaluation]) -> str:
    """Tables for the screen, or for a page of figures."""
    lines: list[str] = []
    for evaluation in evaluations:
        lines += [f"## {_plain(evaluation.name)}, {SHOWN[evaluation.by]}", "", _facts(evaluation)]
        lines += [f"- {note}" for note in _warnings(evaluation)]
        for title, header, rows in _tables(evaluation):
            lines += ["", f"### {title}", ""] if title else [""]
            lines += [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
        lines.append("")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that cannot end a cell or a line."""
    return " ".join(text.replace("|", "\\|").split())


def _facts(evaluation: Evaluation) -> str:
    facts = evaluation.facts
    splits = "; ".join(
        f"{name}: {c['fitted']:,} fitted, "
        + (f"{c['validation']:,} for validation, " if c["validation"] else "")
        + f"{c['scored']:,} scored"
        for name, c in evaluation.splits.items()
    )
    return (
        f"{facts['answers']:,} answers of {facts['learners']:,} learners, "
        f"{facts['items']:,} items, {facts['skills']:,} skills, {facts['timed']:,} times. {splits}."
    )


def _warnings(evaluation: Evaluation) -> list[str]:
    found = list(evaluation.notes)
    for result in evaluation.results:
        what = f"{result.model}, {result.split}"
        if result.leak:
            found.append(f"LEAK, not to be compared: {what}: {result.leak}")
        if result.error:
            found.append(f"No scores: {what}: {result.error}")
    return found


def _tables(evaluation: Evaluation) -> list[Table]:
    several = len(evaluation.splits) > 1
    timed = evaluation.facts["timed"] > 0
    tables: list[Table] = []
    for title, columns in (
        ("", SCORE_COLUMNS),
        ("Response time", TIME_COLUMNS if timed else {}),
        ("Cost", COST_COLUMNS),
    ):
        if not columns:
            continue
        rows = []
        for model in evaluation.models:
            if several:
                mean, sd = evaluation.mean(model)
                rows.append([_marked(evaluation, model), "mean", *_cells(mean, columns)])
                rows.append(["", "sd", *_cells(sd, columns)])
            rows += [
                [_marked(evaluation, model), result.split, *_cells(result.scores, columns)]
                for result in evaluation.of(model)
            ]
        tables.append((title, ["model", "split", *_heads(columns)], rows))
    part = {
        name: column for name, column in PART_COLUMNS.items() if timed or name not in TIME_COLUMNS
    }
    rows = []
    for model in evaluation.models:
        by_position = evaluation.mean_by_position(model)
        rows += [[model, name, *_cells(by_position[name], part)]
                 for name, _ in POSITIONS if by_position[name].get("n")]  # fmt: skip
        for name in ("unseen_items", "without_repeats", "known_learners"):
            results = [r for r in evaluation.of(model) if getattr(r, name) is not None]
            own = [getattr(r, name) for r in results]
            # Where no item comes twice in a row, all answers are without repeats.
            whole = [r.scores["n"] for r in results] == [one["n"] for one in own]
            if not whole and any(one["n"] for one in own):
                rows.append([model, name.replace("_", " "), *_cells(_mean(own), part)])
    tables.append(("By the answer's place", ["model", "answers", *_heads(part)], rows))
    if evaluation.differences:
        rows = [
            [f"{d.models[1]} − {d.models[0]}", d.split, d.score.replace("_", " "),
             _number(d.difference, "+.4f"),
             f"{_number(d.low, '+.4f')} to {_number(d.high, '+.4f')}"]
            for d in evaluation.differences
            if d.difference is not None and (not several or d.split == "mean")
        ]  # fmt: skip
        tables.append((
            "Differences, learners resampled",
            ["models", "split", "score", "difference", "95 % interval"],
            rows,
        ))  # fmt: skip
    return [table for table in tables if table[2]]


def _marked(evaluation: Evaluation, model: str) -> str:
    return f"{model} (LEAKS)" if any(r.leak for r in evaluation.of(model)) else model


def _heads(columns: Columns) -> list[str]:
    return [head for head, _ in columns.values()]


def _cells(found: Scores, columns: Columns) -> list[str]:
    return [_number(found.get(name), form) for name, (_, form) in columns.items()]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _mean(many: list[Scores]) -> Scores:
    found = {}
    for name in scores.SCORES:
        values = [value for one in many if (value := one[name]) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


# -- HTML --

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #666; --line: #ccc; --paper: #fff;
  --mark: #0b62a8; --ideal: #999; --bad: #a81b0b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #a0a0a0; --line: #444;
  --paper: #16181b; --mark: #6cb4ee; --ideal: #777; --bad: #ff8a7a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9em; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: 0.85em; max-width: 18rem; }
svg { display: block; } svg text { fill: var(--soft); font: 10px system-ui, sans-serif; }
.frame { fill: none; stroke: var(--line); } .ideal { stroke: var(--ideal); stroke-dasharray: 4 3;
  fill: none; } .dot, .bar { fill: var(--mark); } .path { fill: none; stroke: var(--mark); }
.bad { color: var(--bad); font-weight: 600; }
"""
SIDE, EDGE = 220, 34  # of a plot, pixels


def to_html(evaluations: Sequence[Evaluation]) -> str:
    """One page that needs nothing else: no script, no font, no picture from anywhere."""
    body = "".join(_section(evaluation) for evaluation in evaluations)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>Evaluation of learner models</title><style>{STYLE}</style></head><body>"
        f"<h1>Evaluation of learner models</h1>{body}</body></html>\n"
    )


def _section(evaluation: Evaluation) -> str:
    warned = "".join(
        f'<li class="bad">{escape(note)}</li>'
        if note.startswith(("LEAK", "No scores"))
        else f"<li>{escape(note)}</li>"
        for note in _warnings(evaluation)
    )
    parts = [
        f"<h2>{escape(evaluation.name)}, {SHOWN[evaluation.by]}</h2>",
        f"<p>{escape(_facts(evaluation))}</p>",
        f"<ul>{warned}</ul>" if warned else "",
    ]
    tables = _tables(evaluation)
    parts += [_html_table(table) for table in tables[:1]]
    parts += ["<h3>Reliability</h3>", _plots(evaluation, _reliability)]
    if evaluation.facts["timed"]:
        parts += ["<h3>Calibration of the times</h3>", _plots(evaluation, _pit)]
    parts += [_html_table(table) for table in tables[1:]]
    return "\n".join(parts)


def _html_table(table: Table) -> str:
    title, header, rows = table
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    return (
        f'{heading}<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _plots(evaluation: Evaluation, plot: Callable[[str, list[Result]], str]) -> str:
    made = "".join(
        plot(model, results)
        for model in evaluation.models
        if (results := [r for r in evaluation.of(model) if r.error is None])
    )
    return f'<div class="plots">{made}</div>'


def _reliability(model: str, results: list[Result]) -> str:
    """Share right against P(correct); the splits together. A dot's area is its answers."""
    points = []
    for bins in zip(*(result.reliability for result in results), strict=True):
        n = sum(b["n"] or 0 for b in bins)
        if n:
            p = sum((b["n"] or 0) * (b["p"] or 0) for b in bins) / n
            correct = sum((b["n"] or 0) * (b["correct"] or 0) for b in bins) / n
            points.append((p, correct, n))
    most = max((n for *_, n in points), default=1)
    path = " ".join(f"{_x(p):.1f},{_y(c):.1f}" for p, c, _ in points)
    dots = "".join(
        f'<circle class="dot" cx="{_x(p):.1f}" cy="{_y(c):.1f}" '
        f'r="{1.5 + 4.5 * (n / most) ** 0.5:.1f}">'
        f"<title>forecast {p:.3f}, right {c:.3f}, {n:,.0f} answers</title></circle>"
        for p, c, n in points
    )
    inside = (
        f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
        f'<polyline class="path" points="{path}"/>{dots}'
    )
    ece = _mean([result.scores for result in results])["ece"]
    return _figure(
        inside, "P(correct), forecast", "share right", f"{model}: ECE {_number(ece, '.4f')}"
    )


def _pit(model: str, results: list[Result]) -> str:
    """How many times fell into each twentieth of their own forecasts; flat is calibrated."""
    counts = np.sum([result.pit for result in results], axis=0)
    if not counts.sum():
        return ""
    height = counts / counts.sum() * len(counts)
    most = max(2.0, float(height.max()))
    width = (_x(1) - _x(0)) / len(counts)
    bars = "".join(
        f'<rect class="bar" x="{_x(k / len(counts)) + 0.5:.1f}" y="{_y(h / most):.1f}" '
        f'width="{width - 1:.1f}" height="{_y(0) - _y(h / most):.1f}">'
        f"<title>{k / len(counts):.0%} to {(k + 1) / len(counts):.0%}: {counts[k]:,}</title></rect>"
        for k, h in enumerate(height.tolist())
    )
    flat = _y(1 / most)
    inside = f'{bars}<line class="ideal" x1="{_x(0)}" y1="{flat}" x2="{_x(1)}" y2="{flat}"/>'
    covered = _mean([result.scores for result in results])["coverage_80"]
    return _figure(
        inside, "place of the time in its forecast, faster to slower", "density",
        f"{model}: the 80 % interval covers {_number(covered, '.3f')}", top=most,
    )  # fmt: skip


def _x(share: float) -> float:
    return EDGE + share * SIDE


def _y(share: float) -> float:
    return 8 + (1 - share) * SIDE


def _figure(inside: str, below: str, beside: str, caption: str, *, top: float = 1.0) -> str:
    ticks = "".join(
        f'<text x="{_x(k):.0f}" y="{_y(0) + 13:.0f}" text-anchor="middle">{k:g}</text>'
        f'<text x="{EDGE - 4}" y="{_y(k) + 3:.0f}" text-anchor="end">{k * top:.2g}</text>'
        for k in (0, 0.5, 1)
    )
    middle = _y(0.5)
    return (
        f'<figure><svg width="{SIDE + EDGE + 12}" height="{SIDE + 44}" role="img" '
        f'aria-label="{escape(caption)}"><rect class="frame" x="{_x(0)}" y="{_y(1)}" '
        f'width="{SIDE}" height="{SIDE}"/>{inside}{ticks}'
        f'<text x="{_x(0.5)}" y="{SIDE + 36}" text-anchor="middle">{escape(below)}</text>'
        f'<text x="10" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 10 {middle})">{escape(beside)}</text></svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
