"""Drawing from the bank: what fits, what is avoided, and that the seed alone decides."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studysmart import content
from studysmart.content import BANDS

DRAWS = (
    "import hashlib; from studysmart import content; "
    "print(hashlib.sha256(repr([content.draw(seed=s, avoid={'waves.speed/easy'}) "
    "for s in range(200)]).encode()).hexdigest())"
)


@pytest.mark.parametrize(
    ("asked", "topics"),
    [
        ({"topic": "algebra"}, {"Algebra"}),
        ({"topic": "ALGEBRA "}, {"Algebra"}),
        ({"topic": "Trig identity"}, {"Trigonometry"}),
        ({"topic": "Sum"}, {"Sums"}),
        ({"topic": "Probability"}, {"Statistics"}),
        ({"topic": "Geometry"}, {"Trigonometry"}),
        ({"topic": "Doppler effect"}, {"Waves"}),
        ({"subject": "Physics"}, {"Mechanics", "Waves"}),
        ({"subject": "Math", "topic": "Calculus"}, {"Calculus"}),
        ({"subject": "Physics", "topic": "Calculus"}, {"Calculus"}),
        ({"subject": "economics"}, {"Microeconomics"}),
        ({"topic": "Waves", "skill": "algebra.systems"}, {"Algebra"}),
        ({"subject": "Calculus"}, {"Calculus"}),
    ],
)
def test_labels_are_understood(asked: dict[str, str], topics: set[str]) -> None:
    """Other letters, other words and a subject that disagrees still find the topic meant."""
    found = {task.topic for seed in range(60) if (task := content.draw(seed=seed, **asked))}
    assert topics == found


@pytest.mark.parametrize(
    "asked", [{"topic": "Knot theory"}, {"subject": "Mathematics", "topic": "Latin"},
              {"subject": "Latin"}, {"generator": "algebra.magic"}, {"generator": "Algebra"}]
)  # fmt: skip
def test_what_the_bank_lacks_is_none(asked: dict[str, str]) -> None:
    """Nothing is drawn for a topic the bank does not have."""
    assert content.draw(seed=1, **asked) is None


@pytest.mark.parametrize(
    ("asked", "band"),
    [("easy", "easy"), ("Hard", "hard"), ("expert", "hard"), ("beginner", "easy"),
     ("7", "medium"), ("insane", "medium"), ("", "medium"), ("very-hard", "hard")],
)  # fmt: skip
def test_any_word_for_difficulty_has_a_band(asked: str, band: str) -> None:
    """A difficulty the bank does not know gets the nearest band, and stays as it was asked for."""
    task = content.draw(seed=3, topic="Waves", difficulty=asked)
    assert task is not None
    assert (band, asked or band) == (task.band, task.difficulty)


def test_without_a_difficulty_the_seed_picks_the_band() -> None:
    """All bands occur when none is asked for."""
    drawn = [content.draw(seed=seed, topic="Sums") for seed in range(60)]
    assert set(BANDS) == {task.band for task in drawn if task}


def test_avoided_items_come_only_when_nothing_else_is_left() -> None:
    """What was served last is not drawn again while there is a choice."""
    fitting = content.candidates(topic="Sums", difficulty="easy")
    assert len(fitting) == 2
    first, second = (one.item for one in fitting)
    for seed in range(20):
        task = content.draw(seed=seed, topic="Sums", difficulty="easy", avoid={first})
        assert task is not None
        assert second == task.item
        assert content.draw(seed=seed, topic="Sums", difficulty="easy", avoid={first, second})


def test_same_task_in_every_process() -> None:
    """Another process, with another hash seed, draws the same 200 tasks."""
    said = {
        subprocess.run(
            [sys.executable, "-c", DRAWS],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


@given(
    seed=st.integers(),
    subject=st.none() | st.text(),
    topic=st.none() | st.text(),
    difficulty=st.none() | st.text(),
)
def test_no_label_is_an_error(
    seed: int, subject: str | None, topic: str | None, difficulty: str | None
) -> None:
    """Whatever was asked for, there is a task or None."""
    content.draw(seed=seed, subject=subject, topic=topic, difficulty=difficulty)


def test_topics_list_every_skill_once() -> None:
    """The chooser's topics hold each generator's skill, by name and title."""
    listed = [skill.name for topic in content.topics() for skill in topic.skills]
    assert sorted(one.skill for one in content.generators()) == sorted(listed)
    assert all(skill.title for topic in content.topics() for skill in topic.skills)


def test_the_guide_s_examples_work() -> None:
    """The code in the guide to writing a generator makes tasks that repeat seldom enough."""
    guide = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-generator.md"
    code = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    assert len(code) == 2
    tried = (
        "\nfor band in content.BANDS:\n"
        "    made = {content.draw(generator='waves.periods', difficulty=band, seed=s).prompt\n"
        "            for s in range(400)}\n"
        "    assert len(made) > 368, (band, len(made))\n"
    )
    subprocess.run([sys.executable, "-c", "".join(code) + tried], check=True, capture_output=True)
