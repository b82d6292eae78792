"""Numbers as people type them, and what is no number."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studysmart.grading import Grade, NumericAnswer, Verdict, grade

READ = [
    ("3.5", 3.5), ("3,5", 3.5), (".5", 0.5), (",5", 0.5), ("5.", 5), ("+7", 7), ("-7", -7),
    ("\N{MINUS SIGN}7", -7), ("\N{EN DASH}7", -7), ("- 7", -7), (" 7 ", 7),
    ("1 234", 1234), ("1\u202f234\u202f567", 1234567), ("1'234.5", 1234.5), ("12 345,6", 12345.6),
    ("1,234,567", 1234567), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1.234.567", 1234567),
    ("0,125", 0.125), ("1234,567", 1234.567), ("0.250", 0.25),
    ("3/4", 0.75), ("-3/4", -0.75), ("3⁄4", 0.75), ("1 1/2", 1.5), ("-1 1/2", -1.5), ("2½", 2.5),
    ("¾", 0.75), ("6:4", 1.5), ("1/2/2", 0.25),
    ("35 %", 0.35), ("35%", 0.35), ("0,5 %", 0.005),
    ("3e8", 3e8), ("3E8", 3e8), ("3e-8", 3e-8), ("3·10^8", 3e8), ("3x10^8", 3e8), ("3 X 10^8", 3e8),
    ("3*10**8", 3e8), ("3×10⁸", 3e8), ("3×10⁻⁸", 3e-8), ("10^-3", 1e-3), ("2^3^2", 512),
    ("-2^2", -4), ("(-2)^2", 4), ("2^(1/2)", math.sqrt(2)), ("4^0.5", 2),
    ("sqrt(2)/2", math.sqrt(2) / 2), ("√2/2", math.sqrt(2) / 2), ("3√2", 3 * math.sqrt(2)),
    ("2sqrt(3)", 2 * math.sqrt(3)), ("sqrt 2", math.sqrt(2)), ("√(1+3)", 2),
    ("2π/3", 2 * math.pi / 3), ("pi/6", math.pi / 6), ("2 pi", 2 * math.pi), ("π^2", math.pi**2),
    ("e", math.e), ("2e", 2 * math.e), ("e^2", math.e**2), ("ln(2)", math.log(2)),
    ("exp(1)", math.e), ("2(3+4)", 14), ("(2)(3)", 6), ("2 - (-3)", 5), ("1+2*3", 7), ("7-2-1", 4),
    ("x = 3", 3), ("x=-3", -3), ("x_1 = 3", 3), ("f'(2) = 3", 3), ("P(A) = 3", 3), ("= 3", 3),
    ("≈ 3", 3), ("λ = 3", 3), ("((((3))))", 3),
]  # fmt: skip
NO_NUMBERS = [
    "", " ", "\n", "x", "foo", "3x", "x+1", "3 4", "3 4 5", "1 3/2", "1.2.3", "1,2,3", "3..5",
    "3,,5",
    "+", "-", "*", "/", "^", "(", ")", "()", "(3", "3)", ")3(", "3+", "3*", "3/", "3^", "*3", "3**",
    "++3", "--3", "+-3", "3 +- 4", "3 - -4", "3//4", "1/0", "0/0", "1/(2-2)", "0^-1", "sqrt(-1)",
    "√-4",
    "(-8)^(1/3)", "ln(0)", "ln(-1)", "sqrt", "sqrt()", "ln", "e^", "π π π =", "9**9**9", "9^9^9",
    "1e999999", "1e-999999", "1e99999999999999999999", "10^1000", "10^-1000", "2^2^2^2^2^2",
    "1e300*1e300", "inf", "-inf", "nan", "Infinity", "1_000", "0x10", "e1e", "3j", "±3", "3 or 4",
    "3; 4", "3, 4", "{3}", "[3]", r"\frac{3}{4}", "$3$", "3!", "|3|", "3 = 4", "x = y = 3", "x ==3",
    "__import__('os').system('id')", "().__class__", "lambda: 3", "exec('1')", "3 if 1 else 4",
    "'; DROP TABLE attempt; --", "<script>alert(1)</script>", "\x00", "3\x00", "3\x00" * 50,
    "\u0663", "\u0967\u0968", "\uff13", "\U0001d7d1", "३/४", "³", "3\u200b", "\u202e3", "３.５",
    "\ud800", "😀", "3😀", "a" * 300, "9" * 300, "9" * 301, "(" * 100_000,
    "(" * 150 + "3" + ")" * 149,
    "-" * 300, "√" * 299 + "4", "3^" * 149 + "3", "1/" * 149 + "0", "1+" * 150, "(1+" * 60 + "1",
    "x=" * 150, "½½", "½3", "3 ½ ½", "% 3", "° 3", "%", "m", "3 m m m =", "5 apples", "5 m/",
    "5 m^", "5 m^x", "5 m^99", "5 m^0", "5 m + 3 m", "m 5",
]  # fmt: skip


def read(value: float, text: str, unit: str | None = None) -> Grade:
    """The grade of a text where the value must be met closely."""
    return grade(NumericAnswer(value, rel_tol=1e-9, abs_tol=1e-12, unit=unit), text)


@pytest.mark.parametrize(("text", "value"), READ)
def test_numbers_are_read_as_meant(text: str, value: float) -> None:
    """Every usual way of writing a number is read, and shown back."""
    graded = read(value, text)
    assert graded.verdict is Verdict.CORRECT, graded
    assert graded.understood
    assert graded.understood.count("{") == graded.understood.count("}")
    assert read(value + 1, text).verdict is Verdict.INCORRECT


@pytest.mark.parametrize("text", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_number_is_never_wrong(text: str) -> None:
    """Garbage, look-alike digits, code and monsters are invalid at once, with a reason."""
    start = time.perf_counter()
    graded = read(3.0, text)
    assert time.perf_counter() - start < 0.05
    assert graded.verdict is Verdict.INVALID, graded
    assert len(graded.message) < 400
    assert graded.message.isprintable()


def test_a_comma_that_goes_either_way_is_read_as_the_right_one() -> None:
    """1,234 is a thousand and more to one learner and one and a bit to another."""
    assert read(1234, "1,234").verdict is Verdict.CORRECT
    assert read(1.234, "1,234").verdict is Verdict.CORRECT
    assert read(1.234, "-1,234").verdict is Verdict.INCORRECT
    assert read(12.34, "1,234").verdict is Verdict.INCORRECT


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("3 + * 4", 5, "'*' was not expected"),
        ("2 + (3 * 4", 11, "opened at position 5 is not closed"),
        ("12 foo", 4, "'foo' is neither a number nor a unit"),
        ("5 5", 3, "two numbers"),
        ("½ + #", 5, "'#' has no meaning"),
        ("4/(2-2)", 2, "divides by zero"),
        ("5\x00", 2, "'U+0000'"),
        ("x = ", 5, "no number yet"),
    ],
)
def test_faults_are_named_with_their_place(text: str, position: int, words: str) -> None:
    """A message tells what is wrong, where in the text as typed, and what to do."""
    message = read(3.0, text).message
    assert f"at position {position}," in message
    assert words in message
    assert message.endswith(". Nothing was counted.")


@given(st.floats(1e-200, 1e200) | st.floats(-1e200, -1e-200))
@example(0.0)
@example(-0.5)
def test_a_printed_number_is_read_back(value: float) -> None:
    """What Python prints is read as the same number."""
    assert read(value, repr(value)).verdict is Verdict.CORRECT


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4))
def test_a_fraction_is_its_quotient(above: int, below: int) -> None:
    """a/b is a divided by b, with a sign and in brackets too."""
    assert read(above / below, f"{above}/{below}").verdict is Verdict.CORRECT
    assert read(above / below, f"({above}):({below})").verdict is Verdict.CORRECT


@given(st.text(max_size=400))
def test_any_text_gets_a_grade(text: str) -> None:
    """No text raises; what is graded was read as a number, so that it has a digit or a constant."""
    graded = read(3.0, text)
    if graded.verdict is not Verdict.INVALID:
        assert graded.understood
        assert any(c in "0123456789½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞" for c in text) or any(
            c in text.lower() for c in ("e", "π", "pi")
        )


@given(st.text("0123456789.,+-*/^()eπ√ xm%½²=", max_size=60))
def test_texts_of_the_right_signs_get_a_grade(text: str) -> None:
    """Texts made of the signs of numbers never raise, and take no time."""
    start = time.perf_counter()
    graded = read(3.0, text, "m")
    assert time.perf_counter() - start < 0.1
    assert (graded.verdict is Verdict.INVALID) == (graded.understood is None)


@given(st.text(st.characters(exclude_characters="0123456789½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞eEπpP"), max_size=80))
def test_texts_without_a_number_are_invalid(text: str) -> None:
    """Without a digit or a constant nothing is counted as wrong."""
    assert read(3.0, text).verdict is Verdict.INVALID
