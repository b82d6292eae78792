"""Microeconomics."""

from __future__ import annotations

import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import (
    FRACTION_GOES,
    THREE_FIGURES,
    combine,
    exact_and_rounded,
    num,
    sig,
    term,
    times,
)
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Economics", "Microeconomics"


@generator(
    "microeconomics.equilibrium", subject=SUBJECT, topic=TOPIC, title="Supply, demand, equilibrium"
)
def equilibrium(rng: random.Random, band: str) -> Made:
    """The price; the quantity; the dead-weight loss of a tax."""
    b, d = rng.randint(1, 6), rng.randint(1, 6)
    price = rng.randint(4, 30)
    quantity = rng.randint(b + d, 60) + b * 2
    a, c = quantity + b * price, quantity - d * price
    demand, supply = combine((a, ""), (-b, "P")), combine((c, ""), (d, "P"))
    curves = rf"$Q_d = {demand}$ and $Q_s = {supply}$"
    same = f"Set them equal: ${demand} = {supply}$."
    solved = f"So ${term(b + d, 'P', first=True)} = {a - c}$ and $P = {price}$."
    if band == "easy":
        return Made(
            prompt=f"Demand and supply are {curves}. What is the equilibrium price?",
            answer=NumericAnswer(float(price), rel_tol=1e-6),
            answer_text=f"$P = {price}$",
            hints=("In equilibrium as much is offered as is wanted.", same),
            steps=(same, solved),
            expected_time_s=50.0,
        )
    if band == "medium":
        return Made(
            prompt=f"Demand and supply are {curves}. How much is traded in equilibrium?",
            answer=NumericAnswer(float(quantity), rel_tol=1e-6),
            answer_text=f"$Q = {quantity}$",
            hints=("Find the price first.", same + " Put the price into either curve."),
            steps=(
                same,
                solved,
                rf"Put it in: ${a} - {times(b, price)}$ gives $Q = {quantity}$.",
            ),
            expected_time_s=70.0,
        )
    tax = rng.randint(1, max(1, quantity * (b + d) // (b * d) // 2))
    drop = Fraction(b * d * tax, b + d)
    loss = drop * tax / 2
    return Made(
        prompt=(
            f"Demand and supply are {curves}. A tax of ${tax}$ per unit is laid on the sellers. "
            f"How large is the dead-weight loss? {FRACTION_GOES}"
        ),
        answer=NumericAnswer(float(loss), rel_tol=0.005),
        answer_text=f"${exact_and_rounded(loss)}$",
        hints=(
            "By how much does the traded quantity fall?",
            r"$\Delta Q = \frac{bd}{b+d}\,t$ for slopes $b$ and $d$; the loss is a triangle.",
        ),
        steps=(
            rf"Sellers keep $P - {tax}$, so the quantity falls by "
            rf"$\frac{{{b} \cdot {d}}}{{{b} + {d}}} \cdot {tax} = {num(drop)}$.",
            rf"The loss is the triangle $\frac{{1}}{{2}} \cdot {tax} \cdot {num(drop)} "
            rf"= {exact_and_rounded(loss)}$.",
        ),
        expected_time_s=150.0,
    )


@generator("microeconomics.elasticity", subject=SUBJECT, topic=TOPIC, title="Elasticity")
def elasticity(rng: random.Random, band: str) -> Made:
    """What elastic means; at a point of a line; by the midpoint formula."""
    if band == "easy":
        rise = rng.randint(2, 30)
        fall = rng.choice([n for n in range(1, 41) if n != rise])
        good = rng.choice(["bread", "coffee", "bus tickets", "petrol", "cinema seats", "apples"])
        size, inverse = sig(fall / rise, 3), sig(rise / fall, 3)
        word, other = ("elastic", "inelastic") if fall > rise else ("inelastic", "elastic")
        right = f"$-{size}$: demand is {word}"
        answer, letter = choice(
            rng,
            right,
            [
                f"$-{size}$: demand is {other}",
                f"$-{inverse}$: demand is {other}",
                f"$-{inverse}$: demand is {word}",
            ],
        )
        return Made(
            prompt=(
                rf"The price of {good} rises by ${rise}\,\%$, and the quantity demanded falls by "
                rf"${fall}\,\%$. What is the price elasticity of demand?"
            ),
            answer=answer,
            answer_text=f"{letter}: {right}",
            hints=(
                "Percentage change of quantity over percentage change of price.",
                "Above 1 in size, demand reacts more than the price does: elastic.",
            ),
            steps=(
                rf"$\frac{{-{fall}\,\%}}{{{rise}\,\%}} \approx -{size}$.",
                f"Its size is {'above' if fall > rise else 'below'} $1$, which is "
                f"{letter}: {right}.",
            ),
            expected_time_s=45.0,
        )
    if band == "medium":
        b, p = rng.randint(1, 8), rng.randint(2, 30)
        q = rng.randint(5, 90)
        a = q + b * p
        e = Fraction(-b * p, q)
        share = rf"\frac{{{p}}}{{{q}}}"
        return Made(
            prompt=(
                f"Demand is $Q = {combine((a, ''), (-b, 'P'))}$. What is the price elasticity of "
                f"demand (with its sign) at $P = {p}$? {FRACTION_GOES}"
            ),
            answer=NumericAnswer(float(e), rel_tol=0.005),
            answer_text=rf"$\varepsilon = {exact_and_rounded(e)}$",
            hints=(
                r"$\varepsilon = \frac{dQ}{dP}\cdot\frac{P}{Q}$.",
                f"The slope is $-{b}$; find $Q$ at $P = {p}$.",
            ),
            steps=(
                f"At $P = {p}$: $Q = {a} - {times(b, p)} = {q}$.",
                f"$-{times(b, share)}$ gives $\\varepsilon = {exact_and_rounded(e)}$.",
            ),
            expected_time_s=80.0,
        )
    p1, q1 = rng.randint(4, 40), rng.randint(20, 120)
    p2 = p1 + rng.choice([n for n in range(-3, 9) if n != 0])
    q2 = q1 + rng.randint(2, 18) * (-1 if p2 > p1 else 1)
    of_q, of_p = Fraction(q2 - q1, q1 + q2), Fraction(p2 - p1, p1 + p2)
    e = of_q / of_p
    return Made(
        prompt=(
            f"When the price goes from ${p1}$ to ${p2}$, the quantity demanded goes from ${q1}$ to "
            f"${q2}$. What is the price elasticity (with its sign) by the midpoint formula? "
            f"{THREE_FIGURES}"
        ),
        answer=NumericAnswer(float(e), rel_tol=0.01),
        answer_text=rf"$\varepsilon \approx {sig(e)}$",
        hints=(
            "Take each change relative to the middle of its two values.",
            r"$\varepsilon = \frac{(Q_2-Q_1)/(Q_1+Q_2)}{(P_2-P_1)/(P_1+P_2)}$.",
        ),
        steps=(
            rf"Quantity: $\frac{{{q2} - {q1}}}{{{q1} + {q2}}} \approx {sig(of_q, 5)}$.",
            rf"Price: $\frac{{{p2} - {p1}}}{{{p1} + {p2}}} \approx {sig(of_p, 5)}$.",
            rf"The first over the second: $\varepsilon \approx {sig(e)}$.",
        ),
        expected_time_s=120.0,
    )


@generator("microeconomics.surplus", subject=SUBJECT, topic=TOPIC, title="Surplus")
def surplus(rng: random.Random, band: str) -> Made:
    """The buyers'; both sides' together; what a limit on the quantity costs."""
    b, d = rng.randint(1, 5), rng.randint(1, 5)
    quantity = 2 * rng.randint(3, 30)
    c = rng.randint(2, 30)
    price = c + d * quantity
    a = price + b * quantity
    demand, supply = combine((a, ""), (-b, "Q")), combine((c, ""), (d, "Q"))
    if band == "easy":
        value = b * quantity**2 // 2
        return Made(
            prompt=(
                f"Inverse demand is $P = {demand}$ and the market price is ${price}$. "
                "How large is the consumer surplus?"
            ),
            answer=NumericAnswer(float(value), rel_tol=1e-6),
            answer_text=f"${value}$",
            hints=(
                "It is the area below the demand curve and above the price.",
                "It is a triangle: half of quantity times height.",
            ),
            steps=(
                f"At this price ${demand} = {price}$, so $Q = {quantity}$.",
                rf"The triangle is $\frac{{1}}{{2}} \cdot {quantity} \cdot ({a} - {price})"
                f" = {value}$.",
            ),
            expected_time_s=70.0,
        )
    curves = f"Inverse demand is $P = {demand}$, inverse supply $P = {supply}$."
    meet = (
        f"The curves meet where ${demand} = {supply}$: "
        f"${term(b + d, 'Q', first=True)} = {a - c}$, so $Q = {quantity}$."
    )
    if band == "medium":
        value = (b + d) * quantity**2 // 2
        return Made(
            prompt=f"{curves} How large are consumer and producer surplus together?",
            answer=NumericAnswer(float(value), rel_tol=1e-6),
            answer_text=f"${value}$",
            hints=(
                "Together they are the area between the two curves.",
                "It is a triangle: where do the curves meet, and how far apart are they at "
                "$Q = 0$?",
            ),
            steps=(
                meet,
                f"At $Q = 0$ they are ${a} - {c} = {a - c}$ apart.",
                rf"The triangle is $\frac{{1}}{{2}} \cdot {quantity} \cdot {a - c} = {value}$.",
            ),
            expected_time_s=100.0,
        )
    limit = rng.randint(quantity // 2, quantity - 1)
    short = quantity - limit
    loss = Fraction((b + d) * short**2, 2)
    return Made(
        prompt=(
            f"{curves} A law allows no more than ${limit}$ units to be traded. "
            "How large is the dead-weight loss?"
        ),
        answer=NumericAnswer(float(loss), rel_tol=1e-6),
        answer_text=f"${num(float(loss))}$",
        hints=(
            "Which trades that both sides wanted no longer happen?",
            "The loss is the triangle between the curves, from the limit to the equilibrium.",
        ),
        steps=(
            meet,
            rf"At $Q = {limit}$ the curves are ${a - c} - {b + d} \cdot {limit} = "
            rf"{(b + d) * short}$ apart.",
            rf"The triangle is $\frac{{1}}{{2}} \cdot {short} \cdot {(b + d) * short} "
            rf"= {num(float(loss))}$.",
        ),
        expected_time_s=150.0,
    )


@generator("microeconomics.profit", subject=SUBJECT, topic=TOPIC, title="Maximising profit")
def profit(rng: random.Random, band: str) -> Made:
    """A firm that takes the price; a monopoly's price; its profit."""
    if band == "easy":
        quantity, slope = rng.randint(3, 60), rng.randint(1, 6)
        first = rng.randint(1, 20)
        price = first + slope * quantity
        cost = combine((first, ""), (slope, "Q"))
        return Made(
            prompt=(
                f"A firm that takes the market price of ${price}$ has the marginal cost "
                rf"$MC = {cost}$. Which quantity maximises its profit?"
            ),
            answer=NumericAnswer(float(quantity), rel_tol=1e-6),
            answer_text=f"$Q = {quantity}$",
            hints=(
                "One more unit pays as long as it brings more than it costs.",
                "Set price equal to marginal cost.",
            ),
            steps=(
                f"Price equals marginal cost: ${price} = {cost}$.",
                f"${term(slope, 'Q', first=True)} = {price - first}$, so $Q = {quantity}$.",
            ),
            expected_time_s=50.0,
        )
    slope, quantity = rng.randint(1, 5), rng.randint(3, 40)
    cost_each = rng.randint(2, 30)
    top = cost_each + 2 * slope * quantity
    price = top - slope * quantity
    market = (
        f"Inverse demand is $P = {combine((top, ''), (-slope, 'Q'))}$ and marginal cost is "
        f"${cost_each}$"
    )
    marginal = combine((top, ""), (-2 * slope, "Q"))
    equal = f"$MR = MC$ means ${marginal} = {cost_each}$, so $Q = {quantity}$."
    if band == "medium":
        return Made(
            prompt=f"{market}, without fixed cost. Which **price** does a monopoly set?",
            answer=NumericAnswer(float(price), rel_tol=1e-6),
            answer_text=f"$P = {price}$",
            hints=("Marginal revenue falls twice as fast as demand.", f"$MR = {marginal}$."),
            steps=(
                f"$MR = {marginal}$.",
                equal,
                f"The price is on the demand curve: ${top} - {times(slope, quantity)}$ gives "
                rf"$P = {price}$.",
            ),
            expected_time_s=85.0,
        )
    fixed = rng.randint(5, 200)
    value = (price - cost_each) * quantity - fixed
    return Made(
        prompt=(
            f"{market}; fixed cost is ${fixed}$. How large is a monopoly's profit? "
            "A loss has a minus sign."
        ),
        answer=NumericAnswer(float(value), rel_tol=1e-6),
        answer_text=f"${value}$",
        hints=(
            "Quantity and price first.",
            f"$MR = {marginal}$. In the end take all cost from the revenue.",
        ),
        steps=(
            f"$MR = {marginal}$.",
            equal,
            f"$P = {price}$, so each unit earns ${price} - {cost_each} = {price - cost_each}$.",
            rf"The profit is ${price - cost_each} \cdot {quantity} - {fixed} = {value}$.",
        ),
        expected_time_s=120.0,
    )


_GOODS = (("shirt", "loaf"), ("chair", "basket"), ("poem", "cake"), ("lamp", "vase"))


@generator(
    "microeconomics.comparative-advantage",
    subject=SUBJECT,
    topic=TOPIC,
    title="Comparative advantage",
)
def comparative_advantage(rng: random.Random, band: str) -> Made:
    """From amounts in a day; from hours for each; the range of prices that suits both."""
    first, second = rng.choice(_GOODS)
    while True:
        amounts = [rng.randint(2, 24) for _ in range(4)]
        ann, ben = Fraction(amounts[1], amounts[0]), Fraction(amounts[3], amounts[2])
        if band != "easy":  # hours for one, so that it is the other way round
            ann, ben = 1 / ann, 1 / ben
        if ann != ben and 1 / ann != ben:
            break
    if band == "easy":
        given = (
            f"In a day Anna makes ${amounts[0]}$ {_many(first)} or ${amounts[1]}$ {_many(second)}, "
            f"Ben ${amounts[2]}$ {_many(first)} or ${amounts[3]}$ {_many(second)}."
        )
        how = "What one gives up for one more is the amounts' ratio"
    else:
        given = (
            f"For one {first} Anna needs ${amounts[0]}$ hours and for one {second} "
            f"${amounts[1]}$ hours; Ben needs ${amounts[2]}$ and ${amounts[3]}$ hours."
        )
        how = "What one gives up for one more is the ratio of the hours"
    name, cost, other = ("Anna", ann, ben) if ann < ben else ("Ben", ben, ann)
    loser = "Ben" if name == "Anna" else "Anna"
    costs = f"{how}: Anna ${num(ann)}$ {second} for a {first}, Ben ${num(ben)}$."
    hints = (
        "Not who is faster counts, but who gives up less.",
        f"How many {_many(second)} does each give up for one more {first}?",
    )
    if band == "hard":
        middle = (ann + ben) / 2
        right = f"${num(cost)}$ to ${num(other)}$"
        low, high = sorted((1 / ann, 1 / ben))
        wrong = [
            f"${num(low)}$ to ${num(high)}$",
            f"any price below ${num(cost)}$",
            f"any price above ${num(other)}$",
            f"only exactly ${num(middle)}$",
        ]
        if (low, high) == (cost, other):
            wrong = wrong[1:]
        question = (
            f"At which prices of a {first}, counted in {_many(second)}, do both gain from trade?"
        )
        last = "A price between the two suits both"
    else:
        right = f"{name}, who gives up ${num(cost)}$ {second}"
        wrong = [
            f"{loser}, who gives up ${num(other)}$ {second}",
            f"{loser}, who gives up ${num(1 / other)}$ {second}",
            f"{name}, who gives up ${num(1 / cost)}$ {second}",
        ]
        question = (
            f"Who has the comparative advantage in making a {first}, and what does one {first} "
            "cost that person?"
        )
        last = f"{name} gives up less"
    answer, letter = choice(rng, right, wrong)
    return Made(
        prompt=f"{given} {question}",
        answer=answer,
        answer_text=f"{letter}: {right}",
        hints=hints,
        steps=(costs, f"{last}, so it is {letter}: {right}."),
        expected_time_s={"easy": 60.0, "medium": 80.0, "hard": 110.0}[band],
    )


def _many(thing: str) -> str:
    return {"loaf": "loaves"}.get(thing, f"{thing}s")
