"""The bank of seeded generators.

A pure function of (generator, version, seed, band) makes a task.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from studysmart.grading import Answer, ChoiceAnswer

BANDS = ("easy", "medium", "hard")

# Words for difficulty that the bank has no band of its own for; any other word is the middle one.
_NEAREST = {
    "beginner": "easy", "basic": "easy", "simple": "easy", "low": "easy", "1": "easy",
    "very easy": "easy", "easiest": "easy",
    "intermediate": "medium", "normal": "medium", "moderate": "medium", "2": "medium",
    "advanced": "hard", "expert": "hard", "difficult": "hard", "high": "hard", "3": "hard",
    "4": "hard", "5": "hard", "very hard": "hard", "hardest": "hard", "extreme": "hard",
}  # fmt: skip
# Other words for subjects and topics.
_ALIASES = {
    "math": "mathematics", "maths": "mathematics", "economy": "economics", "econ": "economics",
    "trig": "trigonometry", "trig identity": "trigonometry", "trig identities": "trigonometry",
    "trigonometric identities": "trigonometry", "analysis": "calculus",
    "statistic": "statistics", "stats": "statistics",
    "mechanic": "mechanics", "kinematics": "mechanics", "dynamics": "mechanics",
    "wave": "waves", "acoustics": "waves", "micro": "microeconomics",
    "microeconomic": "microeconomics", "micro economics": "microeconomics",
    "sum": "sums", "series": "sums", "sums and series": "sums", "sequences": "sums",
}  # fmt: skip
# Words for a part of a topic, or for parts of several.
_PARTS = {
    "probability": ("statistics.binomial", "statistics.conditional-probability"),
    "geometry": ("trigonometry.right-triangles",),
    "derivatives": (
        "calculus.derivative-at-a-point", "calculus.differentiation-rules", "calculus.extrema",
    ),
    "differentiation": ("calculus.derivative-at-a-point", "calculus.differentiation-rules"),
    "integration": ("calculus.definite-integrals",),
    "equations": ("algebra.linear-equations", "algebra.quadratics", "algebra.systems"),
}  # fmt: skip
MOST_OPTIONS = 4


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
# What each generator can be asked for by: the words of its subject, topic, title and name.
_called: dict[str, frozenset[str]] = {}


def generator(
    name: str, *, subject: str, topic: str, title: str, version: int = 1
) -> Callable[[Callable[[random.Random, str], Made]], Generator]:
    """Put a generator into the bank."""

    def add(make: Callable[[random.Random, str], Made]) -> Generator:
        if name in _bank:
            msg = f"two generators are called {name}"
            raise ValueError(msg)
        _bank[name] = Generator(name, version, subject, topic, title, make)
        parts = {part for part, names in _PARTS.items() if name in names}
        _called[name] = frozenset({*map(_words, (subject, topic, title, name)), *parts})
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
    *,
    subject: str | None = None,
    topic: str | None = None,
    skill: str | None = None,
    difficulty: str | None = None,
) -> tuple[Candidate, ...]:
    """Everything that fits, by names, titles and their usual other words, whatever the case.

    Where subject, topic and skill disagree, the narrowest decides. An unknown difficulty is the
    nearest band; None is every band.
    """
    wanted = next((word for word in map(_plain, (skill, topic, subject)) if word), None)
    bands = BANDS if difficulty is None else (nearest_band(difficulty),)
    return tuple(
        Candidate(one.name, one.subject, one.topic, one.skill, band)
        for one in generators()
        if wanted is None or wanted in _called[one.name]
        for band in bands
    )


def draw(
    *,
    seed: int,
    subject: str | None = None,
    topic: str | None = None,
    skill: str | None = None,
    difficulty: str | None = None,
    generator: str | None = None,
    avoid: Collection[str] = (),
) -> Draw | None:
    """Make a task; None when the bank has nothing for the subject, topic or skill.

    Args:
        seed: the same arguments make the same task in every process.
        subject: any text.
        topic: any text; decides where it disagrees with the subject.
        skill: any text; decides where it disagrees with the topic.
        difficulty: any text; the nearest band is made. None leaves the band to the seed.
        generator: this one and no other.
        avoid: items not to make while there is another.
    """
    fitting = candidates(subject=subject, topic=topic, skill=skill, difficulty=difficulty)
    if generator is not None:
        fitting = tuple(
            one for one in candidates(difficulty=difficulty) if one.generator == generator
        )
    if not fitting:
        return None
    among = [one for one in fitting if one.item not in avoid] or list(fitting)
    picked = among[_random("pick", seed).randrange(len(among))]
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
    word = _words(difficulty)
    return word if word in BANDS else _NEAREST.get(word, "medium")


def choice(rng: random.Random, right: str, wrong: Collection[str]) -> tuple[ChoiceAnswer, str]:
    """A multiple choice in an order that the seed decides, and the right option's letter.

    Args:
        rng: the task's own.
        right: the right option.
        wrong: what the usual mistakes give, the likeliest first; repeated ones and, beyond three,
            the last ones are left out.
    """
    others = list(dict.fromkeys(text for text in wrong if text != right))
    options = [right, *others[: MOST_OPTIONS - 1]]
    rng.shuffle(options)
    index = options.index(right)
    return ChoiceAnswer(tuple(options), index), chr(ord("A") + index)


def nonzero(rng: random.Random, low: int, high: int, *, but: Collection[int] = ()) -> int:
    """A whole number from low to high that is neither 0 nor one of `but`."""
    return rng.choice([n for n in range(low, high + 1) if n != 0 and n not in but])


def _plain(label: str | None) -> str:
    word = _words(label or "")
    return _ALIASES.get(word, word)


def _words(label: str) -> str:
    """Small letters and single spaces, so that "Trig-Identity" is "trig identity"."""
    return " ".join(label.casefold().replace("-", " ").replace("_", " ").split())


def _random(*parts: object) -> random.Random:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - variety, not secrecy
