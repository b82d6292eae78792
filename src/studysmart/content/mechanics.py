"""Mechanics. g = 9.81 m/s² is given in the prompts that use it."""

from __future__ import annotations

import math
import random

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import THREE_FIGURES, num, sig
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Physics", "Mechanics"
G = 9.81
_TAKE_G = f"Take $g = {G}$ m/s² and leave the air's resistance out. {THREE_FIGURES}"


@generator(
    "mechanics.constant-acceleration", subject=SUBJECT, topic=TOPIC, title="Constant acceleration"
)
def constant_acceleration(rng: random.Random, band: str) -> Made:
    """A speed; a distance from two speeds and a time; a braking distance with a reaction time."""
    if band == "easy":
        v0, a, t = rng.randint(0, 30), rng.randint(1, 8), rng.randint(2, 20)
        v = v0 + a * t
        start = f"moves at ${v0}$ m/s" if v0 else "starts from rest"
        return Made(
            prompt=(
                f"A car {start} and accelerates at ${a}$ m/s² for ${t}$ s. How fast is it then?"
            ),
            answer=NumericAnswer(float(v), rel_tol=0.001, unit="m/s"),
            answer_text=f"$v = {v}$ m/s",
            hints=("How much speed is gained in each second?", "$v = v_0 + a t$."),
            steps=(
                "The speed grows evenly: $v = v_0 + a t$.",
                rf"${v0} + {a} \cdot {t}$ gives $v = {v}$ m/s.",
            ),
            expected_time_s=35.0,
        )
    if band == "medium":
        v0, t = rng.randint(2, 30), rng.randint(3, 25)
        v = v0 + rng.choice([k for k in range(-v0, 25) if k != 0])
        distance = (v0 + v) * t / 2
        verb = "speeds up" if v > v0 else "slows down"
        return Made(
            prompt=(
                f"A train {verb} evenly from ${v0}$ m/s to ${v}$ m/s in ${t}$ s. "
                "How far does it travel meanwhile?"
            ),
            answer=NumericAnswer(distance, rel_tol=0.005, unit="m"),
            answer_text=f"$s = {num(distance)}$ m",
            hints=(
                "What is the average speed while it changes evenly?",
                r"$s = \frac{v_0 + v}{2}\, t$.",
            ),
            steps=(
                rf"The average speed is $\frac{{{v0} + {v}}}{{2}} = {num((v0 + v) / 2)}$ m/s.",
                rf"${num((v0 + v) / 2)} \cdot {t}$ gives $s = {num(distance)}$ m.",
            ),
            expected_time_s=60.0,
        )
    kmh, brake = rng.randint(30, 130), rng.randint(8, 17) / 2
    reaction = rng.randint(5, 16) / 10
    v_ms = kmh / 3.6
    first, second = v_ms * reaction, v_ms**2 / (2 * brake)
    return Made(
        prompt=(
            f"A driver at ${kmh}$ km/h sees an obstacle, reacts after ${num(reaction)}$ s and then "
            f"brakes at ${num(brake)}$ m/s². How far does the car travel until it stands? "
            f"{THREE_FIGURES}"
        ),
        answer=NumericAnswer(first + second, rel_tol=0.01, unit="m"),
        answer_text=rf"$s \approx {sig(first + second)}$ m",
        hints=(
            "There are two stretches: one at constant speed, one while braking.",
            r"Braking distance: $s = \frac{v^2}{2a}$, with the speed in m/s.",
        ),
        steps=(
            rf"$v = \frac{{{kmh}}}{{3.6}} \approx {sig(v_ms, 5)}$ m/s.",
            rf"While reacting: ${sig(v_ms, 5)} \cdot {num(reaction)} \approx {sig(first, 5)}$ m.",
            rf"While braking: $\frac{{{sig(v_ms, 5)}^2}}{{2 \cdot {num(brake)}}} \approx "
            rf"{sig(second, 5)}$ m.",
            rf"Together: ${sig(first, 5)} + {sig(second, 5)}$, "
            rf"so $s \approx {sig(first + second)}$ m.",
        ),
        expected_time_s=140.0,
    )


@generator("mechanics.projectiles", subject=SUBJECT, topic=TOPIC, title="Projectiles")
def projectiles(rng: random.Random, band: str) -> Made:
    """A horizontal throw; the range on level ground; a throw at an angle from a height."""
    if band == "easy":
        h, v = rng.randint(2, 80), rng.randint(3, 40)
        t = math.sqrt(2 * h / G)
        return Made(
            prompt=(
                f"A ball is thrown horizontally at ${v}$ m/s from a height of ${h}$ m. "
                f"How far away, measured along the ground, does it land? {_TAKE_G}"
            ),
            answer=NumericAnswer(v * t, rel_tol=0.01, unit="m"),
            answer_text=rf"$x \approx {sig(v * t)}$ m",
            hints=(
                "How long does it fall? The throw does not change that.",
                r"$t = \sqrt{\frac{2h}{g}}$, and meanwhile it moves on at constant speed.",
            ),
            steps=(
                rf"$t = \sqrt{{\frac{{2 \cdot {h}}}{{{G}}}}} \approx {sig(t, 5)}$ s.",
                rf"${v} \cdot {sig(t, 5)}$ gives $x \approx {sig(v * t)}$ m.",
            ),
            expected_time_s=75.0,
        )
    v, angle = rng.randint(8, 60), rng.choice([n for n in range(15, 76) if n != 45])
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    if band == "medium":
        value = v * v * math.sin(math.radians(2 * angle)) / G
        return Made(
            prompt=(
                rf"A ball is kicked at ${v}$ m/s under ${angle}^\circ$ to the level ground. "
                f"How far away does it come down again? {_TAKE_G}"
            ),
            answer=NumericAnswer(value, rel_tol=0.01, unit="m"),
            answer_text=rf"$x \approx {sig(value)}$ m",
            hints=(
                "Split the speed into a level and an upright part; how long is it in the air?",
                r"$t = \frac{2 v \sin\alpha}{g}$ and $x = v \cos\alpha \cdot t$.",
            ),
            steps=(
                rf"In the air: $t = \frac{{2 \cdot {v} \cdot \sin {angle}^\circ}}{{{G}}} \approx "
                rf"{sig(2 * v * sine / G, 5)}$ s.",
                rf"Along the ground: ${v} \cdot \cos {angle}^\circ \approx "
                rf"{sig(v * cosine, 5)}$ m/s.",
                rf"The product is $x \approx {sig(value)}$ m.",
            ),
            expected_time_s=110.0,
        )
    h = rng.randint(2, 50)
    up, along = v * sine, v * cosine
    t = (up + math.sqrt(up * up + 2 * G * h)) / G
    return Made(
        prompt=(
            rf"A stone is thrown at ${v}$ m/s under ${angle}^\circ$ above the horizontal from a "
            f"cliff ${h}$ m above the sea. How far from the cliff's foot does it hit the water? "
            f"{_TAKE_G}"
        ),
        answer=NumericAnswer(along * t, rel_tol=0.01, unit="m"),
        answer_text=rf"$x \approx {sig(along * t)}$ m",
        hints=(
            "Split the speed into a level and an upright part.",
            r"When is $h + v_y t - \tfrac12 g t^2 = 0$? Take the positive solution.",
        ),
        steps=(
            rf"$v_x = {v} \cos {angle}^\circ \approx {sig(along, 5)}$ m/s and "
            rf"$v_y = {v} \sin {angle}^\circ \approx {sig(up, 5)}$ m/s.",
            rf"$t = \frac{{v_y + \sqrt{{v_y^2 + 2 g h}}}}{{g}} \approx {sig(t, 5)}$ s.",
            rf"${sig(along, 5)} \cdot {sig(t, 5)}$ gives $x \approx {sig(along * t)}$ m.",
        ),
        expected_time_s=190.0,
    )


@generator("mechanics.energy", subject=SUBJECT, topic=TOPIC, title="Work and energy")
def energy(rng: random.Random, band: str) -> Made:
    """Kinetic energy; speed after a fall; a slide with friction."""
    if band == "easy":
        m, v = rng.randint(2, 90), rng.randint(2, 40)
        value = m * v * v / 2
        return Made(
            prompt=f"What is the kinetic energy of ${m}$ kg moving at ${v}$ m/s?",
            answer=NumericAnswer(value, rel_tol=0.001, unit="J"),
            answer_text=f"$E = {num(value)}$ J",
            hints=("Which quantities does kinetic energy depend on?", r"$E = \tfrac12 m v^2$."),
            steps=(
                r"$E = \tfrac12 m v^2$.",
                rf"$\tfrac12 \cdot {m} \cdot {v}^2$ gives $E = {num(value)}$ J.",
            ),
            expected_time_s=40.0,
        )
    if band == "medium":
        h, v0 = rng.randint(2, 100), rng.choice([0, *range(1, 26)])
        speed = math.sqrt(v0 * v0 + 2 * G * h)
        before = f"{v0}^2 + " if v0 else ""
        start = f"thrown straight down at ${v0}$ m/s" if v0 else "dropped"
        thing = rng.choice(["stone", "ball", "nut"])
        return Made(
            prompt=(
                f"A {thing} is {start} from a height of ${h}$ m. How fast is it when it reaches "
                f"the ground? {_TAKE_G}"
            ),
            answer=NumericAnswer(speed, rel_tol=0.01, unit="m/s"),
            answer_text=rf"$v \approx {sig(speed)}$ m/s",
            hints=(
                "The energy of height turns into energy of motion.",
                r"$\tfrac12 v^2 = \tfrac12 v_0^2 + g h$: the mass drops out.",
            ),
            steps=(
                r"$\tfrac12 m v^2 = \tfrac12 m v_0^2 + m g h$; the mass drops out.",
                rf"$\sqrt{{{before}2 \cdot {G} \cdot {h}}}$ gives $v \approx {sig(speed)}$ m/s.",
            ),
            expected_time_s=75.0,
        )
    angle, mu, length = rng.randint(20, 50), rng.randint(5, 25) / 100, rng.randint(3, 60)
    a = G * (math.sin(math.radians(angle)) - mu * math.cos(math.radians(angle)))
    speed = math.sqrt(2 * a * length)
    return Made(
        prompt=(
            rf"A sledge starts from rest and slides ${length}$ m down a slope of ${angle}^\circ$ "
            f"with a friction coefficient of ${num(mu)}$. How fast is it then? {_TAKE_G}"
        ),
        answer=NumericAnswer(speed, rel_tol=0.01, unit="m/s"),
        answer_text=rf"$v \approx {sig(speed)}$ m/s",
        hints=(
            "Weight pulls along the slope; friction holds against it. What is left?",
            r"$a = g(\sin\alpha - \mu\cos\alpha)$, then $v = \sqrt{2as}$.",
        ),
        steps=(
            rf"Along the slope: ${G}\,(\sin {angle}^\circ - {num(mu)} \cos {angle}^\circ)"
            rf" \approx {sig(a, 5)}$ m/s².",
            rf"$\sqrt{{2 \cdot {sig(a, 5)} \cdot {length}}}$ gives $v \approx {sig(speed)}$ m/s.",
        ),
        expected_time_s=150.0,
    )


@generator("mechanics.forces", subject=SUBJECT, topic=TOPIC, title="Newton's laws")
def forces(rng: random.Random, band: str) -> Made:
    """A net force; a pull against friction; two crates and the rope between them."""
    m, a = rng.randint(2, 40), rng.randint(2, 25)
    thing = rng.choice(["trolley", "crate", "sledge", "boat"])
    if band == "easy":
        pull = m * a
        prompt = (
            f"A net force of ${pull}$ N acts on a {thing} of ${m}$ kg. What is its acceleration?"
        )
        right = f"${a}$ m/s²"
        wrong = [f"${pull * m}$ m/s²", f"${sig(m / pull, 3)}$ m/s²", f"${pull}$ m/s²"]
        hints = ("Only the net force accelerates.", r"$a = \frac{F}{m}$.")
        steps: tuple[str, ...] = (
            "Newton's second law: $F = m a$.",
            rf"$\frac{{{pull}}}{{{m}}} = {a}$",
        )
    elif band == "medium":
        friction = rng.randint(1, 60)
        pull = m * a + friction
        prompt = (
            f"A {thing} of ${m}$ kg is pulled along with ${pull}$ N; ${friction}$ N of friction "
            "hold back. What is its acceleration?"
        )
        right = f"${a}$ m/s²"
        wrong = [
            f"${sig(pull / m, 3)}$ m/s²",
            f"${sig((pull + friction) / m, 3)}$ m/s²",
            f"${m * a}$ m/s²",
            f"${sig(friction / m, 3)}$ m/s²",
        ]
        hints = ("Only the net force accelerates.", r"$a = \frac{F_\text{net}}{m}$.")
        steps = (
            f"The net force is ${pull} - {friction} = {pull - friction}$ N.",
            rf"$\frac{{{pull - friction}}}{{{m}}} = {a}$",
        )
    else:
        n = rng.choice([k for k in range(2, 41) if k != m])
        pull = (m + n) * a
        prompt = (
            f"A force of ${pull}$ N pulls a crate of ${m}$ kg over smooth ice. A rope ties a "
            f"second crate of ${n}$ kg to it, behind the first. What is the force in the rope?"
        )
        right = f"${n * a}$ N"
        wrong = [f"${pull}$ N", f"${m * a}$ N", f"${sig(pull / 2)}$ N", "$0$ N"]
        hints = (
            "Both crates have the same acceleration. Which force moves the second one?",
            r"$a = \frac{F}{m_1 + m_2}$, and the rope gives $m_2 a$.",
        )
        steps = (
            rf"Both together: $a = \frac{{{pull}}}{{{m} + {n}}} = {a}$ m/s².",
            "The rope alone moves the second crate.",
            rf"${n} \cdot {a} = {n * a}$",
        )
    answer, letter = choice(rng, right, wrong)
    return Made(
        prompt=prompt,
        answer=answer,
        answer_text=f"{letter}: {right}",
        hints=hints,
        steps=(*steps[:-1], f"{steps[-1]}, so it is {letter}: {right}."),
        expected_time_s={"easy": 30.0, "medium": 45.0, "hard": 90.0}[band],
    )
