"""Statistics and probability."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from studysmart.content.bank import Made, generator, nonzero
from studysmart.content.text import (
    FRACTION_GOES,
    THREE_FIGURES,
    exact_and_rounded,
    num,
    power,
    sig,
)
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Mathematics", "Statistics"


@generator("statistics.mean-and-spread", subject=SUBJECT, topic=TOPIC, title="Mean and spread")
def mean_and_spread(rng: random.Random, band: str) -> Made:
    """A mean; a missing value from a mean; a standard deviation."""
    if band == "easy":
        n = rng.randint(4, 6)
        mean = rng.randint(8, 40)
        while True:
            data = [mean + rng.randint(-7, 7) for _ in range(n - 1)]
            data.append(mean * n - sum(data))
            if data[-1] > 0:
                break
        rng.shuffle(data)
        shown = ", ".join(map(str, data))
        return Made(
            prompt=f"What is the mean of ${shown}$?",
            answer=NumericAnswer(float(mean), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"${mean}$",
            hints=("Add them up, then divide.", f"There are ${n}$ of them."),
            steps=(
                f"The sum is ${sum(data)}$, and there are ${n}$ values.",
                rf"$\bar x = \frac{{{sum(data)}}}{{{n}}} = {mean}$.",
            ),
            expected_time_s=35.0,
        )
    if band == "medium":
        n, mean = rng.randint(5, 8), rng.randint(20, 60)
        while True:
            data = [mean + nonzero(rng, -9, 9) for _ in range(n - 1)]
            missing = mean * n - sum(data)
            if missing > 0:
                break
        shown = ", ".join(map(str, data))
        return Made(
            prompt=(
                f"${n}$ values have the mean ${mean}$. "
                f"All but one are ${shown}$. What is the missing one?"
            ),
            answer=NumericAnswer(float(missing), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"${missing}$",
            hints=("What must all of them add up to?", f"The known ones add up to ${sum(data)}$."),
            steps=(
                rf"All together: ${n} \cdot {mean} = {n * mean}$.",
                f"The known ones: ${sum(data)}$.",
                f"The missing one: ${n * mean} - {sum(data)} = {missing}$.",
            ),
            expected_time_s=70.0,
        )
    centre = rng.randint(15, 60)
    d, e = rng.sample(range(1, 12), 2)
    data = [centre - d, centre + d, centre - e, centre + e]
    rng.shuffle(data)
    variance = Fraction(d * d + e * e, 2)
    sd = math.sqrt(variance)
    shown = ", ".join(map(str, data))
    return Made(
        prompt=(
            f"These four values are a whole population: ${shown}$. "
            f"What is its standard deviation? {THREE_FIGURES}"
        ),
        answer=NumericAnswer(sd, rel_tol=0.005),
        answer_text=rf"$\sigma \approx {sig(sd)}$",
        hints=(
            "Find the mean first, then the mean of the squared distances from it.",
            f"The mean is ${centre}$. Divide by the number of values, as it is a whole population.",
        ),
        steps=(
            f"The mean is ${centre}$.",
            f"The squared distances are ${', '.join(str((x - centre) ** 2) for x in data)}$.",
            f"Their mean, the variance, is ${num(float(variance))}$.",
            rf"The standard deviation is its root, so $\sigma \approx {sig(sd)}$.",
        ),
        expected_time_s=120.0,
    )


_THINGS = (
    "seed sprouts", "throw hits", "part passes its test", "train is on time", "call is answered",
    "egg hatches", "lamp lasts a year", "letter arrives the next day", "pupil cycles to school",
    "match is won at home",
)  # fmt: skip


@generator("statistics.binomial", subject=SUBJECT, topic=TOPIC, title="Binomial probability")
def binomial(rng: random.Random, band: str) -> Made:
    """All of a few; exactly k; at least two."""
    while True:
        p = Fraction(
            rng.randint(*{"easy": (15, 97), "medium": (10, 95), "hard": (5, 60)}[band]), 100
        )
        n = rng.randint(*{"easy": (2, 5), "medium": (3, 6), "hard": (4, 8)}[band])
        k = rng.randint(1, n - 1)
        q = 1 - p
        none, one = q**n, n * p * q ** (n - 1)
        ways = math.comb(n, k)
        value = {
            "easy": p**n,
            "medium": ways * p**k * q ** (n - k),
            "hard": 1 - none - one,
        }[band]
        if Fraction(1, 200) < value < Fraction(199, 200):  # else a rounded guess would do
            break
    shown_p, shown_q = num(float(p)), num(float(q))
    if band == "easy":
        question = f"all ${n}$ of ${n}$"
        hints = ("Independent chances multiply.", f"There are ${n}$ equal factors.")
        steps: tuple[str, ...] = (
            "The chances are independent, so they multiply.",
            rf"$P = {shown_p}^{{{n}}}$, that is $P \approx {sig(value)}$.",
        )
    elif band == "medium":
        question = f"exactly ${k}$ of ${n}$"
        hints = (
            r"$P(X = k) = \binom{n}{k} p^k (1-p)^{n-k}$.",
            rf"The number of ways is $\binom{{{n}}}{{{k}}}$.",
        )
        steps = (
            rf"There are $\binom{{{n}}}{{{k}}} = {ways}$ ways to choose which ones.",
            rf"Each has the chance ${power(shown_p, k)} \cdot {power(shown_q, n - k)}$.",
            rf"${ways} \cdot {power(shown_p, k)} \cdot {power(shown_q, n - k)}$ gives "
            rf"$P \approx {sig(value)}$.",
        )
    else:
        question = f"at least two of ${n}$"
        hints = (
            "The opposite event is easier.",
            "Take the chance of none and of exactly one from the whole.",
        )
        steps = (
            "The opposite is none or exactly one.",
            rf"Not one: ${shown_q}^{{{n}}} \approx {num(float(none), 6)}$.",
            rf"One: ${n} \cdot {shown_p} \cdot {shown_q}^{{{n - 1}}}"
            rf" \approx {num(float(one), 6)}$.",
            rf"$1 - {num(float(none), 6)} - {num(float(one), 6)}$ gives $P \approx {sig(value)}$.",
        )
    return Made(
        prompt=(
            f"Each {rng.choice(_THINGS)} with probability ${shown_p}$, independently of the "
            f"others. What is the probability that this holds for {question}? {THREE_FIGURES}"
        ),
        answer=NumericAnswer(float(value), rel_tol=0.006, abs_tol=1e-9),
        answer_text=rf"$P \approx {sig(value)}$",
        hints=hints,
        steps=steps,
        expected_time_s={"easy": 35.0, "medium": 80.0, "hard": 130.0}[band],
    )


@generator(
    "statistics.conditional-probability",
    subject=SUBJECT,
    topic=TOPIC,
    title="Conditional probability",
)
def conditional_probability(rng: random.Random, band: str) -> Made:
    """From a table of counts; the total probability; Bayes' rule."""
    if band == "easy":
        with_a, with_b, without_a, without_b = (rng.randint(4, 40) for _ in range(4))
        group, first, second, mark = rng.choice(
            [
                ("students", "cycle", "walk", "play an instrument"),
                ("customers", "pay by card", "pay in cash", "come back"),
                ("plants", "stand in the sun", "stand in the shade", "bloom"),
            ]
        )
        value = Fraction(with_a, with_a + without_a)
        return Made(
            prompt=(
                f"Of the {group} that {first}, ${with_a}$ {mark} and ${without_a}$ do not; of "
                f"those that {second}, ${with_b}$ {mark} and ${without_b}$ do not. One of the "
                "first group is picked at random. What is the probability that it is one of those "
                f"that {mark}? {FRACTION_GOES}"
            ),
            answer=NumericAnswer(float(value), rel_tol=0.005),
            answer_text=f"$P = {exact_and_rounded(value)}$",
            hints=(
                "Which of the four groups can the one that was picked belong to?",
                f"There are ${with_a} + {without_a}$ that {first}.",
            ),
            steps=(
                f"In all, ${with_a} + {without_a} = {with_a + without_a}$ {first}.",
                f"Of these ${with_a}$ {mark}, so $P = {exact_and_rounded(value)}$.",
            ),
            expected_time_s=45.0,
        )
    share, rate_1, rate_2 = (
        Fraction(rng.randint(*ends), 100) for ends in ((5, 60), (60, 98), (2, 30))
    )
    rest = 1 - share
    whole = share * rate_1 + rest * rate_2
    percent = [num(float(100 * part)) for part in (share, rate_1, rate_2)]
    thing, sign, text = rng.choice(
        [
            ("have an illness", "test positive", "people"),
            ("are junk", "are caught by the filter", "messages"),
            ("are faulty", "are sorted out", "parts"),
        ]
    )
    given = (
        rf"${percent[0]}\,\%$ of all {text} {thing}. Of these, ${percent[1]}\,\%$ {sign}; of the "
        rf"others, ${percent[2]}\,\%$ {sign} as well."
    )
    products = (
        rf"${num(float(share))} \cdot {num(float(rate_1))} = {num(float(share * rate_1))}$ of all "
        f"{thing} and {sign}.",
        rf"${num(float(rest))} \cdot {num(float(rate_2))} = {num(float(rest * rate_2))}$ of all "
        f"are of the other kind and {sign}.",
    )
    if band == "medium":
        return Made(
            prompt=f"{given} Which share of all {text} {sign}? {THREE_FIGURES}",
            answer=NumericAnswer(float(whole), rel_tol=0.005),
            answer_text=f"$P = {num(float(whole))}$",
            hints=(
                "Both kinds add to it: think of a thousand of them.",
                r"$P(B) = P(A)\,P(B \mid A) + P(\bar A)\,P(B \mid \bar A)$.",
            ),
            steps=(*products, f"Added up: $P = {num(float(whole))}$."),
            expected_time_s=75.0,
        )
    value = share * rate_1 / whole
    return Made(
        prompt=(f"{given} Of those that {sign}, which share really {thing}? {THREE_FIGURES}"),
        answer=NumericAnswer(float(value), rel_tol=0.005),
        answer_text=rf"$P \approx {sig(value)}$",
        hints=(
            "Think of ten thousand of them: how many are of each kind?",
            r"$P(A \mid B) = \frac{P(A)\,P(B \mid A)}{P(B)}$.",
        ),
        steps=(
            *products,
            f"Together ${num(float(whole))}$ {sign}.",
            rf"$\frac{{{num(float(share * rate_1))}}}{{{num(float(whole))}}}$ gives "
            rf"$P \approx {sig(value)}$.",
        ),
        expected_time_s=120.0,
    )
