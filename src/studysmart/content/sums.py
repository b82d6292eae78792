"""Sums and series."""

from __future__ import annotations

import random
from fractions import Fraction

from studysmart.content.bank import Made, generator, nonzero
from studysmart.content.text import FRACTION_GOES, exact_and_rounded, num, par, poly
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Mathematics", "Sums"


@generator("sums.arithmetic", subject=SUBJECT, topic=TOPIC, title="Arithmetic sums")
def arithmetic(rng: random.Random, band: str) -> Made:
    """The first terms; sigma notation; all multiples between two bounds."""
    if band == "easy":
        a, d, n = rng.randint(-10, 30), rng.randint(2, 9), rng.randint(8, 30)
        last = a + (n - 1) * d
        prompt = (
            f"What is the sum of the first ${n}$ terms of the arithmetic sequence "
            rf"${a}, {a + d}, {a + 2 * d}, \dots$?"
        )
        steps: tuple[str, ...] = (rf"The last term is ${a} + {n - 1} \cdot {d} = {last}$.",)
    elif band == "medium":
        k, c = nonzero(rng, -6, 9), nonzero(rng, -15, 15)
        low = rng.randint(1, 9)
        high = low + rng.randint(8, 30)
        a, last, n = k * low + c, k * high + c, high - low + 1
        prompt = (
            "What is the value of this sum?\n\n"
            rf"$$\sum_{{i={low}}}^{{{high}}} \left({poly([k, c], 'i')}\right)$$"
        )
        steps = (
            f"The first term is ${a}$, the last ${last}$.",
            f"There are ${high} - {low} + 1 = {n}$ terms.",
        )
    else:
        d = rng.randint(3, 19)
        low, high = rng.randint(20, 150), rng.randint(300, 900)
        a, last = -(-low // d) * d, high // d * d
        n = (last - a) // d + 1
        prompt = f"What is the sum of all multiples of ${d}$ from ${low}$ to ${high}$?"
        steps = (
            f"The first is ${a}$, the last ${last}$.",
            rf"There are $\frac{{{last} - {a}}}{{{d}}} + 1 = {n}$ of them.",
        )
    value = n * (a + last) // 2
    return Made(
        prompt=prompt,
        answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"${value}$",
        hints=(
            "Pair the first term with the last, the second with the last but one, and so on.",
            r"The sum is $\frac{n}{2}\,(\text{first} + \text{last})$.",
        ),
        steps=(
            *steps,
            rf"The sum is $\frac{{{n}}}{{2}} \cdot \left({a} + {par(last)}\right) = {value}$.",
        ),
        expected_time_s={"easy": 60.0, "medium": 90.0, "hard": 130.0}[band],
    )


@generator("sums.geometric", subject=SUBJECT, topic=TOPIC, title="Geometric sums")
def geometric(rng: random.Random, band: str) -> Made:
    """The first terms; an infinite series; an infinite series that starts late."""
    if band == "easy":
        a, r, n = rng.randint(1, 99), nonzero(rng, -4, 5, but=(1, -1)), rng.randint(4, 8)
        value = Fraction(a * (r**n - 1), r - 1)
        return Made(
            prompt=(
                f"What is the sum of the first ${n}$ terms of the geometric sequence "
                rf"${a}, {a * r}, {a * r * r}, \dots$?"
            ),
            answer=NumericAnswer(float(value), rel_tol=1e-6),
            answer_text=f"${num(value)}$",
            hints=(
                "By which factor does each term follow from the one before?",
                r"$a + ar + \dots + ar^{n-1} = a\,\frac{r^n - 1}{r - 1}$.",
            ),
            steps=(
                f"The factor is $r = {r}$.",
                rf"The sum is ${a} \cdot \frac{{{par(r)}^{{{n}}} - 1}}{{{r} - 1}} = {num(value)}$.",
            ),
            expected_time_s=70.0,
        )
    below = rng.randint(2, 12)
    r_part = Fraction(nonzero(rng, -below + 1, below - 1), below)
    a = nonzero(rng, -60, 60)
    start = 0 if band == "medium" else rng.randint(1, 3)
    first = a * r_part**start
    value = first / (1 - r_part)
    ratio = rf"\left({num(r_part)}\right)"
    return Made(
        prompt=(
            f"What is the value of this series? {FRACTION_GOES}\n\n"
            rf"$$\sum_{{n={start}}}^{{\infty}} {a} \cdot {ratio}^n$$"
        ),
        answer=NumericAnswer(float(value), rel_tol=0.005),
        answer_text=f"${exact_and_rounded(value)}$",
        hints=(
            "The terms shrink by a constant factor, so the sum is finite.",
            r"The sum is $\frac{\text{first term}}{1 - r}$.",
        ),
        steps=(
            f"The factor is $r = {num(r_part)}$; the first term, for $n = {start}$, is "
            f"${num(first)}$.",
            rf"$1 - r = {num(1 - r_part)}$.",
            rf"The sum is ${num(first)} \div {num(1 - r_part)} = {exact_and_rounded(value)}$.",
        ),
        expected_time_s={"medium": 80.0, "hard": 120.0}[band],
    )
