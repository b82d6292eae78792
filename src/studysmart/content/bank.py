"""The bank of seeded generators: a pure function of (generator, version, seed, band) makes a task."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from studysmart.grading import Answer, ChoiceAnswer

BANDS = ("easy", "medium", "hard")

# Words for difficulty that the bank has no band of its own for.
_NEAREST = {
    "beginner": "easy", "basic": "easy", "simple": "easy", "low": "easy", "1": "easy",
    "intermediate": "medium", "normal": "medium", "moderate": "medium", "2": "medium",
    "advanced": "hard", "expert": "hard", "difficult": "hard", "high": "hard", "3": "hard",
    "4": "hard", "5": "hard",
}  # fmt: skip
_ALIASES = {
    "math": "mathematics", "maths": "mathematics", "economy": "economics",
    "trig": "trigonometry", "trig identity": "trigonometry", "trig identities": "trigonometry",
    "statistic": "statistics", "mechanic": "mechanics", "wave": "waves", "microeconomic":
    "microeconomics", "micro economics": "microeconomics",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a generator makes: texts are Markdown with LaTeX between $ signs.

    steps: the worked solution with this task's numbers; the last one ends in the answer.
    hints: from a nudge to nearly the solution; only the last may come close to the answer.
    """

    prompt: str
    answer: Answer
    answer_text: str
    hints: tuple[str, ...]
    steps: tuple[str, ...]
    expected_time_s: float


@dataclass(frozen=True, slots=True)
class Generator:
    """A way of making tasks of one skill. A changed `make` needs a new `version`."""

    name: str
    version: int
    subject: str
    topic: str
    title: str
    make: Callable[[random.Random, str], Made]

    @property
    def skill(self) -> str:
        """What the learner models track: one skill a generator."""
        return self.name


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generator in one band: what the learner models know as an item."""

    generator: str
    subject: str
    topic: str
    skill: str
    band: str

    @property
    def item(self) -> str:
        """Its name to the models."""
        return f"{self.generator}/{self.band}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One task made from a seed. `band` is what was made, `difficulty` what was asked for."""

    item: str
    generator: str
    version: int
    seed: int
    band: str
    subject: str
    topic: str
    skill: str
    difficulty: str
    prompt: str
    answer: Answer
    answer_text: str
    hints: tuple[str, ...]
    solution: str
    expected_time_s: float


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill by name and title."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with its skills."""

    subject: str
    topic: str
    skills: tuple[Skill, ...]


_bank: dict[str, Generator] = {}


def generator(
    name: str, *, subject: str, topic: str, title: str, version: int = 1
) -> Callable[[Callable[[random.Random, str], Made]], Generator]:
    """Put a generator into the bank."""

    def add(make: Callable[[random.Random, str], Made]) -> Generator:
        if name in _bank:
            msg = f"two generators are called {name}"
            raise ValueError(msg)
        _bank[name] = Generator(name, version, subject, topic, title, make)
        return _bank[name]

    return add


def generators() -> tuple[Generator, ...]:
    """The whole bank, in the order in which it was written."""
    return tuple(_bank.values())


def topics() -> tuple[Topic, ...]:
    """Every topic with its skills."""
    found: dict[tuple[str, str], list[Skill]] = {}
    for one in generators():
        found.setdefault((one.subject, one.topic), []).append(Skill(one.skill, one.title))
    return tuple(Topic(*key, tuple(skills)) for key, skills in found.items())


def candidates(
    *, subject: str | None = None, topic: str | None = None, difficulty: str | None = None
) -> tuple[Candidate, ...]:
    """Everything that fits. Compared without case; the topic decides where the two disagree.

    An unknown difficulty is the nearest band; None is every band.
    """
    wanted_topic, wanted_subject = _plain(topic), _plain(subject)
    bands = BANDS if difficulty is None else (nearest_band(difficulty),)
    return tuple(
        Candidate(one.name, one.subject, one.topic, one.skill, band)
        for one in generators()
        if (
            wanted_topic in {one.topic.lower(), one.title.lower(), one.name}
            if wanted_topic
            else not wanted_subject or wanted_subject in {one.subject.lower(), one.topic.lower()}
        )
        for band in bands
    )


def draw(
    *,
    seed: int,
    subject: str | None = None,
    topic: str | None = None,
    difficulty: str | None = None,
    generator: str | None = None,
    avoid: Collection[str] = (),
) -> Draw | None:
    """Make a task; None when the bank has nothing for the subject or topic.

    Args:
        seed: the same arguments make the same task in every process.
        subject: any text.
        topic: any text; decides where it disagrees with the subject.
        difficulty: any text; the nearest band is made.
        generator: this one and no other.
        avoid: items not to make while there is another.
    """
    fitting = candidates(subject=subject, topic=topic, difficulty=difficulty)
    if generator is not None:
        fitting = tuple(
            one for one in candidates(difficulty=difficulty) if one.generator == generator
        )
    if not fitting:
        return None
    choice = [one for one in fitting if one.item not in avoid] or list(fitting)
    picked = choice[_random("pick", seed).randrange(len(choice))]
    maker = _bank[picked.generator]
    made = maker.make(_random(maker.name, maker.version, picked.band, seed), picked.band)
    return Draw(
        item=picked.item,
        generator=maker.name,
        version=maker.version,
        seed=seed,
        band=picked.band,
        subject=maker.subject,
        topic=maker.topic,
        skill=maker.skill,
        difficulty=difficulty or picked.band,
        prompt=made.prompt,
        answer=made.answer,
        answer_text=made.answer_text,
        hints=made.hints,
        solution="\n".join(f"{n}. {step}" for n, step in enumerate(made.steps, start=1)),
        expected_time_s=made.expected_time_s,
    )


def nearest_band(difficulty: str) -> str:
    """The band for any word: its own, a known synonym's, else the middle one."""
    word = difficulty.strip().lower()
    return word if word in BANDS else _NEAREST.get(word, "medium")


def choice(rng: random.Random, right: str, wrong: Collection[str]) -> tuple[ChoiceAnswer, str]:
    """A multiple choice in an order that the seed decides, and the right option's letter."""
    options = [right, *dict.fromkeys(text for text in wrong if text != right)]
    rng.shuffle(options)
    index = options.index(right)
    return ChoiceAnswer(tuple(options), index), chr(ord("A") + index)


def _plain(label: str | None) -> str:
    word = " ".join((label or "").lower().split())
    return _ALIASES.get(word, word)


def _random(*parts: object) -> random.Random:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - variety, not secrecy
