"""The bank of practice tasks: seeded generators by subject and topic. Pure: the seed decides everything."""

from studysmart.content import economics, mathematics, physics
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
    "economics",
    "generators",
    "mathematics",
    "nearest_band",
    "physics",
    "topics",
]
