"""The bank of practice tasks: seeded generators by subject and topic. Pure.

The seed decides everything.
"""

from studysmart.content import (
    algebra,
    calculus,
    mechanics,
    microeconomics,
    statistics,
    sums,
    trigonometry,
    waves,
)
from studysmart.content.bank import (
    BANDS,
    Candidate,
    Draw,
    Generator,
    Made,
    Skill,
    Topic,
    candidates,
    draw,
    generators,
    nearest_band,
    topics,
)

# Importing a topic's module is what puts its generators into the bank.
_TOPICS = (
    algebra, trigonometry, calculus, sums, statistics, mechanics, waves, microeconomics,
)  # fmt: skip

__all__ = [
    "BANDS",
    "Candidate",
    "Draw",
    "Generator",
    "Made",
    "Skill",
    "Topic",
    "candidates",
    "draw",
    "generators",
    "nearest_band",
    "topics",
]
