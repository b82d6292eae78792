"""Microeconomics."""

from __future__ import annotations

import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import num, term
from studysmart.grading import NumericAnswer

SUBJECT = "Economics"
TOPIC = "Microeconomics"


@generator(
    "microeconomics.equilibrium", subject=SUBJECT, topic=TOPIC, title="Supply, demand, equilibrium"
)
def equilibrium(rng: random.Random, band: str) -> Made:
    """The price; the quantity; the dead-weight loss of a tax."""
    b, d = rng.randint(1, 6), rng.randint(1, 6)
    price = rng.randint(4, 30)
    quantity = rng.randint(b + d, 60) + b * 2
    a, c = quantity + b * price, quantity - d * price
    curves = rf"$Q_d = {a}{term(-b, 'P')}$ and $Q_s = {num(c)}{term(d, 'P')}$"
    same = f"Set them equal: ${a}{term(-b, 'P')} = {num(c)}{term(d, 'P')}$."
    solved = f"${b + d}P = {a - c}$, so $P = {price}$."
    if band == "easy":
        return Made(
            prompt=f"Demand and supply are {curves}. What is the equilibrium price?",
            answer=NumericAnswer(float(price), rel_tol=1e-4),
            answer_text=f"$P = {price}$",
            hints=("In equilibrium as much is offered as is wanted.", same),
            steps=(same, solved),
            expected_time_s=50.0,
        )
    if band == "medium":
        return Made(
            prompt=f"Demand and supply are {curves}. How much is traded in equilibrium?",
            answer=NumericAnswer(float(quantity), rel_tol=1e-4),
            answer_text=f"$Q = {quantity}$",
            hints=("Find the price first.", same + " Put the price into either curve."),
            steps=(
                same,
                solved,
                rf"Put it in: $Q = {a} - {b} \cdot {price} = {quantity}$.",
            ),
            expected_time_s=70.0,
        )
    tax = rng.randint(1, max(1, quantity * (b + d) // (b * d) // 2))
    drop = Fraction(b * d * tax, b + d)
    loss = drop * tax / 2
    return Made(
        prompt=(
            f"Demand and supply are {curves}. A tax of ${tax}$ per unit is laid on the sellers. "
            "How large is the dead-weight loss? A fraction is welcome."
        ),
        answer=NumericAnswer(float(loss), rel_tol=0.005),
        answer_text=f"${num(loss)}$"
        + (f"$\\;\\approx {num(float(loss), 2)}$" if loss.denominator > 1 else ""),
        hints=(
            "By how much does the traded quantity fall?",
            r"$\Delta Q = \frac{bd}{b+d}\,t$ for slopes $b$ and $d$; the loss is a triangle.",
        ),
        steps=(
            rf"The quantity falls by $\Delta Q = \frac{{{b} \cdot {d}}}{{{b} + {d}}} \cdot {tax}"
            rf" = {num(drop)}$.",
            rf"The loss is the triangle $\tfrac12 \cdot {tax} \cdot {num(drop)} = {num(loss)}$.",
        ),
        expected_time_s=150.0,
    )


@generator("microeconomics.elasticity", subject=SUBJECT, topic=TOPIC, title="Elasticity")
def elasticity(rng: random.Random, band: str) -> Made:
    """What elastic means; at a point of a line; by the midpoint formula."""
    if band == "easy":
        rise = rng.choice([2, 4, 5, 8, 10, 12, 20, 25])
        fall = rng.choice(
            [n for n in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 24, 30) if n != rise]
        )
        e = fall / rise
        right = "elastic" if e > 1 else "inelastic"
        answer, letter = choice(
            rng,
            f"$-{num(e, 2)}$: demand is {right}",
            [
                f"$-{num(e, 2)}$: demand is {'inelastic' if e > 1 else 'elastic'}",
                f"$-{num(1 / e, 2)}$: demand is {'inelastic' if e > 1 else 'elastic'}",
                f"$-{num(1 / e, 2)}$: demand is {right}",
            ],
        )
        return Made(
            prompt=(
                f"A price rises by ${rise}$ % and the quantity demanded falls by ${fall}$ %. "
                "What is the price elasticity of demand?"
            ),
            answer=answer,
            answer_text=f"{letter}: $-{num(e, 2)}$, {right}",
            hints=(
                "Percentage change of quantity over percentage change of price.",
                "Above 1 in size, demand reacts more than the price does: elastic.",
            ),
            steps=(
                rf"$\varepsilon = \frac{{-{fall}\,\%}}{{{rise}\,\%}} \approx -{num(e, 2)}$.",
                f"Its size is {'above' if e > 1 else 'below'} 1, so demand is {right}: {letter}.",
            ),
            expected_time_s=45.0,
        )
    if band == "medium":
        b, p = rng.randint(1, 8), rng.randint(2, 30)
        q = rng.randint(5, 90)
        a = q + b * p
        e = Fraction(-b * p, q)
        return Made(
            prompt=(
                f"Demand is $Q = {a}{term(-b, 'P')}$. What is the price elasticity of demand "
                f"(with its sign) at $P = {p}$?"
            ),
            answer=NumericAnswer(float(e), rel_tol=0.01),
            answer_text=rf"${num(e)}$"
            + (rf"$\;\approx {num(float(e), 3)}$" if e.denominator > 1 else ""),
            hints=(
                r"$\varepsilon = \frac{dQ}{dP}\cdot\frac{P}{Q}$.",
                f"The slope is $-{b}$; find $Q$ at $P = {p}$.",
            ),
            steps=(
                rf"At $P = {p}$: $Q = {a} - {b} \cdot {p} = {q}$.",
                rf"$\varepsilon = -{b} \cdot \frac{{{p}}}{{{q}}} = {num(e)}$.",
            ),
            expected_time_s=80.0,
        )
    p1, q1 = rng.randint(4, 40), rng.randint(20, 120)
    p2 = p1 + rng.choice([n for n in range(-3, 9) if n != 0])
    q2 = q1 + rng.randint(2, 18) * (-1 if p2 > p1 else 1)
    e = Fraction(q2 - q1, q1 + q2) / Fraction(p2 - p1, p1 + p2)
    return Made(
        prompt=(
            f"When the price goes from ${p1}$ to ${p2}$, the quantity demanded goes from ${q1}$ to "
            f"${q2}$. What is the price elasticity (with its sign) by the midpoint formula? "
            "Give at least three figures."
        ),
        answer=NumericAnswer(float(e), rel_tol=0.01),
        answer_text=rf"$\approx {num(float(e), 4)}$",
        hints=(
            "Take each change relative to the middle of its two values.",
            r"$\varepsilon = \frac{(Q_2-Q_1)/(Q_1+Q_2)}{(P_2-P_1)/(P_1+P_2)}$.",
        ),
        steps=(
            rf"Quantity: $\frac{{{q2} - {q1}}}{{{q1} + {q2}}} \approx "
            rf"{num(float(Fraction(q2 - q1, q1 + q2)), 5)}$.",
            rf"Price: $\frac{{{p2} - {p1}}}{{{p1} + {p2}}} \approx "
            rf"{num(float(Fraction(p2 - p1, p1 + p2)), 5)}$.",
            rf"$\varepsilon \approx {num(float(e), 4)}$.",
        ),
        expected_time_s=120.0,
    )


@generator("microeconomics.profit", subject=SUBJECT, topic=TOPIC, title="Maximising profit")
def profit(rng: random.Random, band: str) -> Made:
    """A firm that takes the price; a monopoly's quantity; its profit."""
    if band == "easy":
        quantity, slope = rng.randint(3, 40), rng.randint(1, 5)
        first = rng.randint(1, 12)
        price = first + slope * quantity
        return Made(
            prompt=(
                f"A firm that takes the market price of ${price}$ has the marginal cost "
                rf"$MC = {first}{term(slope, 'Q')}$. Which quantity maximises its profit?"
            ),
            answer=NumericAnswer(float(quantity), rel_tol=1e-4),
            answer_text=f"$Q = {quantity}$",
            hints=(
                "One more unit pays as long as it brings more than it costs.",
                "Set price equal to marginal cost.",
            ),
            steps=(
                f"Price equals marginal cost: ${price} = {first}{term(slope, 'Q')}$.",
                f"$Q = {quantity}$.",
            ),
            expected_time_s=50.0,
        )
    slope, quantity = rng.randint(1, 4), rng.randint(3, 30)
    cost = rng.randint(2, 20)
    top = cost + 2 * slope * quantity
    price = top - slope * quantity
    market = rf"Inverse demand is $P = {top}{term(-slope, 'Q')}$ and marginal cost is ${cost}$"
    revenue = f"$MR = {top}{term(-2 * slope, 'Q')}$."
    equal = f"$MR = MC$: ${top}{term(-2 * slope, 'Q')} = {cost}$, so $Q = {quantity}$."
    if band == "medium":
        return Made(
            prompt=f"{market}, without fixed cost. Which **price** does a monopoly set?",
            answer=NumericAnswer(float(price), rel_tol=1e-4),
            answer_text=f"$P = {price}$",
            hints=("Marginal revenue falls twice as fast as demand.", revenue),
            steps=(
                revenue,
                equal,
                rf"The price is on the demand curve: $P = {top} - {slope} \cdot {quantity}"
                rf" = {price}$.",
            ),
            expected_time_s=85.0,
        )
    fixed = rng.randint(5, 200)
    value = (price - cost) * quantity - fixed
    return Made(
        prompt=(
            f"{market}; fixed cost is ${fixed}$. How large is a monopoly's profit? "
            "A loss has a minus sign."
        ),
        answer=NumericAnswer(float(value), rel_tol=1e-4),
        answer_text=f"${value}$",
        hints=("Quantity and price first.", f"{revenue} Then take all cost from the revenue."),
        steps=(
            f"{revenue} {equal}",
            f"$P = {price}$, so each unit earns ${price} - {cost} = {price - cost}$.",
            rf"Profit: ${price - cost} \cdot {quantity} - {fixed} = {value}$.",
        ),
        expected_time_s=120.0,
    )
