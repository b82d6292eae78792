"""What every generator promises, tried on 50 seeds in each band."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from random import Random

import pytest

from studysmart import content
from studysmart.content import BANDS, Draw
from studysmart.grading import ChoiceAnswer, NumericAnswer, Verdict, answer_from_json, grade
from tests.unit.content.latex import typed

SEEDS = range(50)
KINDS = [(one.name, band) for one in content.generators() for band in BANDS]
TOPICS = {
    "Mathematics": {"Algebra", "Calculus", "Statistics", "Sums", "Trigonometry"},
    "Physics": {"Mechanics", "Waves"},
    "Economics": {"Microeconomics"},
}
# Slips of putting texts together; braces and $ are counted apart.
SLIPS = re.compile(
    r"\bNone\b|\bnan\b|\binf\b|Fraction|\{[a-z_]+[!:.(\[]"  # values put in as they are
    r"|\{\}(?!\^)|\(\)|  |\$\$\$|\?\?| \.|\.\.(?!\.)| ,"  # nothing put in
    r"|--|\+ *[+-]|- -"  # signs side by side
    r"|(?<![\d.])[01][a-zA-Z]|[a-z)]\^\{?1\}?(?![\d.{])|\d\^\{1\}\s*[$\\]"  # 1x, x^1
    r"|\d\.0(?!\d)|(?<!\.)\d{7}\.|(?<![\d.])\d{9}|\.\d{10}"  # unfriendly numbers
)


@cache
def made(generator: str, band: str, seed: int) -> Draw:
    """One task."""
    task = content.draw(generator=generator, difficulty=band, seed=seed)
    assert task is not None
    return task


def texts(task: Draw) -> list[str]:
    """Everything of a task that is shown."""
    options = task.answer.options if isinstance(task.answer, ChoiceAnswer) else ()
    return [task.prompt, task.answer_text, *task.hints, task.solution, *options]


def spellings(value: float, unit: str | None) -> list[str]:
    """The right number as different people write it."""
    plain = f"{value:.12f}" if abs(value) < 1e6 else repr(value)
    minus = plain.replace("-", "\N{MINUS SIGN}")
    mantissa, exponent = f"{value:.14e}".split("e")
    fraction = Fraction(value).limit_denominator(10**6)
    same = [
        plain,
        minus,
        plain.replace(".", ","),
        f"x = {plain}",
        f"({plain})",
        f"{value:.14e}",
        f"{mantissa} · 10^{int(exponent)}",
        f"{mantissa}x10^({int(exponent)})",
        f"{2 * fraction.numerator}/{2 * fraction.denominator}",
        f"{plain} + 1 - 1",
    ]
    if unit:
        same += [f"{plain} {unit}", f"{plain}{unit}"]
    else:
        same.append(f"{value * 100:.12f} %")
    return same


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_same_seed_makes_the_same_task(generator: str, band: str) -> None:
    """A seed decides everything, and the task says what it was made from."""
    for seed in (0, 1, 2**53 - 1):
        task = made(generator, band, seed)
        assert task == content.draw(generator=generator, difficulty=band, seed=seed)
        assert (task.generator, task.band, task.seed) == (generator, band, seed)
        assert task.item == f"{generator}/{band}"


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_texts_are_well_formed(generator: str, band: str) -> None:
    """Formulas and braces are closed, and no slip of putting texts together is left."""
    for seed in SEEDS:
        for text in texts(made(generator, band, seed)):
            where = f"seed {seed}: {text}"
            assert SLIPS.search(text) is None, where
            formulas = text.replace("$$", "$").split("$")
            assert len(formulas) % 2 == 1, where
            for formula in formulas[1::2]:
                assert formula.strip(), where
                assert formula.count("{") == formula.count("}"), where
                assert formula.count("(") == formula.count(")"), where
            for plain in formulas[::2]:
                assert not set(plain) & set("\\{}^_"), where


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_solution_ends_in_the_answer(generator: str, band: str) -> None:
    """The numbered steps end in the answer as it is shown."""
    for seed in SEEDS:
        task = made(generator, band, seed)
        steps = task.solution.split("\n")
        assert [f"{n}." for n in range(1, len(steps) + 1)] == [s.split(" ")[0] for s in steps]
        assert len(steps) >= 2
        shown = task.answer_text
        if isinstance(task.answer, NumericAnswer):
            shown = shown.removeprefix("$").split("$")[0]
        assert shown in steps[-1], f"seed {seed}: {shown!r} is not in {steps[-1]!r}"


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_hints_lead_on_without_telling(generator: str, band: str) -> None:
    """There are at least two hints, and only the last may hold the answer."""
    for seed in SEEDS:
        task = made(generator, band, seed)
        assert len(task.hints) >= 2
        assert len(set(task.hints)) == len(task.hints)
        for hint in task.hints[:-1]:
            assert task.answer_text not in hint, f"seed {seed}"
            assert task.answer_text.split(": ")[-1] not in hint, f"seed {seed}"


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_reading_and_working_time_are_sensible(generator: str, band: str) -> None:
    """A task is read in a minute and done in ten, and its band's easier ones take less."""
    for seed in SEEDS:
        task = made(generator, band, seed)
        assert 10 <= task.expected_time_s <= 600
        assert 15 <= len(task.prompt) <= 500
    easier = BANDS[: BANDS.index(band)]
    assert all(
        made(generator, one, 0).expected_time_s < made(generator, band, 0).expected_time_s
        for one in easier
    )


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_own_answer_is_right_in_every_spelling(generator: str, band: str) -> None:
    """The shown answer, and the number in other notations and with its unit, are graded right."""
    for seed in SEEDS:
        task = made(generator, band, seed)
        answer = task.answer
        assert answer == answer_from_json(answer.to_json())
        if isinstance(answer, NumericAnswer):
            for text in [typed(task.answer_text), *spellings(answer.value, answer.unit)]:
                graded = grade(answer, text)
                assert graded.verdict is Verdict.CORRECT, f"seed {seed}: {text!r}: {graded}"
                assert graded.understood


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_wrong_answers_are_wrong(generator: str, band: str) -> None:
    """Another option, by letter, number or text, and another number are graded wrong."""
    for seed in SEEDS:
        task = made(generator, band, seed)
        answer = task.answer
        if isinstance(answer, NumericAnswer):
            off = 0.06 * abs(answer.value) + 0.01
            for wrong in (answer.value + off, answer.value - off, -answer.value - off):
                if abs(wrong - answer.value) < off / 2:
                    continue
                assert grade(answer, repr(wrong)).verdict is Verdict.INCORRECT, f"seed {seed}"
            continue
        assert isinstance(answer, ChoiceAnswer)
        assert len(answer.options) >= 3, f"seed {seed}"
        for index, option in enumerate(answer.options):
            wanted = Verdict.CORRECT if index == answer.correct else Verdict.INCORRECT
            letter = "ABCD"[index]
            for text in (letter, letter.lower(), f"{letter})", str(index + 1), option):
                assert grade(answer, text).verdict is wanted, f"seed {seed}: {text!r}"


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_right_options_stand_everywhere(generator: str, band: str) -> None:
    """The place of the right option tells nothing."""
    if not isinstance(made(generator, band, 0).answer, ChoiceAnswer):
        return
    places = [made(generator, band, seed).answer.correct for seed in SEEDS]
    assert {0, 1, 2, 3} == set(places)
    assert max(places.count(place) for place in places) < 27


@pytest.mark.parametrize(("generator", "band"), KINDS)
def test_tasks_seldom_repeat(generator: str, band: str) -> None:
    """Of 1,000 seeds in one band, fewer than a fifth make a task that was there before.

    Twenty percent of 1,000 seeds is what 2,300 equally likely tasks give; they repeat 8 % of 400.
    """
    maker = next(one for one in content.generators() if one.name == generator)
    seeds, share = (1_000, 0.2) if band == "easy" else (400, 0.08)
    prompts = {maker.make(Random(seed), band).prompt for seed in range(seeds)}
    assert seeds - len(prompts) < share * seeds, f"{seeds - len(prompts)} repeated"


def test_every_topic_has_two_generators() -> None:
    """The seven topics and sums are there, each with at least two ways of making tasks."""
    found: dict[str, set[str]] = {}
    for topic in content.topics():
        found.setdefault(topic.subject, set()).add(topic.topic)
        assert len(topic.skills) >= 2, topic
    assert found == TOPICS
