"""How numbers, dates, ranks and chances are written: pure functions from a value to its text.

Every number a reader sees passes through here, so that a figure has one spelling in sentence,
table, caption and text alternative. Style: GOV.UK (numerals, "percentage points", sentence case)
and ONS (a true minus sign, no hyphen between the ends of a range).
"""

import math
from datetime import date

from pmf_analysis.period_spans import MONTH_NAMES
from pmf_analysis.story.bank import count_of, inflected, say

MINUS = "\u2212"
_FREQUENCY_BASES = (2, 4, 5, 10, 20)  # so that words say the very twentieths that dots show
_ALARM_BASES = (2, 3, 4, 5, 6, 7, 8, 10, 20)
_LARGEST_ERROR = 0.025


def format_number(value: float, decimals: int) -> str:
    """Write a number with thousands separators; a value that rounds to zero has no sign.

    Examples
    --------
    >>> format_number(-0.04, 1), format_number(12345.6, 0)
    ('0.0', '12,346')
    """
    return MINUS * (rounded_sign(value, decimals) < 0) + f"{abs(value):,.{decimals}f}"


def format_value(value: float, unit: str, decimals: int) -> str:
    """Write a value with its unit.

    ``%`` and ``£`` are attached, a unit that describes a scale (score, 2019 = 100) is left to
    the subtitle, any other unit follows in words.

    Examples
    --------
    >>> format_value(39.84, "%", 1), format_value(1234.5, "£ per resident", 0)
    ('39.8%', '£1,234 per resident')
    >>> format_value(-3, "£ million", 1), format_value(1, "days", 0)
    ('−£3.0 million', '1 day')
    """
    number = format_number(value, decimals)
    if unit.startswith("£"):
        sign, digits = (MINUS, number[1:]) if number.startswith(MINUS) else ("", number)
        return f"{sign}£{digits} {unit[1:].strip()}".strip()
    if unit == "%":
        return f"{number}%"
    shown = inflected("unit", unit)
    if not shown or "=" in unit:
        return number
    return f"{number} {inflected('singular', shown) if number == '1' else shown}"


def format_change(change: float, unit: str, decimals: int) -> str:
    """Write the size of a change, without its sign; of percentages it is in percentage points.

    Examples
    --------
    >>> format_change(-2.54, "%", 1), format_change(1, "%", 0), format_change(12, "days", 0)
    ('2.5 percentage points', '1 percentage point', '12 days')
    """
    if unit != "%":
        return format_value(abs(change), unit, decimals)
    number = format_number(abs(change), decimals)
    return count_of("number.points", 1 if number == "1" else 0, number=number)


def rounded_sign(change: float, decimals: int) -> int:
    """Return -1, 0 or 1: the direction of a change as it is shown, 0 when it rounds to nothing."""
    shown = round(float(change), decimals)
    return (shown > 0) - (shown < 0)


def ordinal(number: int) -> str:
    """Write a rank in figures with its ending: 1st, 2nd, 3rd, 11th, 12th, 22nd."""
    return inflected("ordinal", str(number))


def format_date(day: date) -> str:
    """Write a date in full, as in "31 October 2026"."""
    return inflected("labels", f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}")


def in_sentence(period_long: str) -> str:
    """Write a period's long label so that it can follow a preposition.

    Examples
    --------
    >>> in_sentence("Quarter 2 (July to September) 2026-27")
    'quarter 2 (July to September) 2026-27'
    >>> in_sentence("2026-27 financial year (April to March)"), in_sentence("September 2026")
    ('the 2026-27 financial year (April to March)', 'September 2026')
    """
    return inflected("in_sentence", period_long)


def format_age(days: int) -> str:
    """Write an age in whole years, or in whole months below a year and a half.

    Examples
    --------
    >>> format_age(214), format_age(669), format_age(20)
    ('7 months', '2 years', '1 month')
    """
    months = max(round(days / 30.44), 1)
    unit, n = ("years", round(days / 365.25)) if months >= 18 else ("months", months)
    return count_of(f"number.{unit}", n)


def twentieths(probability: float) -> int:
    """Return a probability as the nearest number of chances in 20, the detail readers are shown.

    Half-way goes to the nearer end, as the twenty quantiles mostly do that are drawn as dots.
    """
    chances = round(probability * 20, 9)
    return math.ceil(chances - 0.5) if probability < 0.5 else math.floor(chances + 0.5)


def format_chance(probability: float) -> str:
    """Write a probability as a percentage in steps of 5, for tables.

    Steps of 5 because the calibration error of the forecasts is 2 to 5 points; the ends are
    "under 5%" and "over 95%", since no forecast of a council's figures is certain.
    """
    if probability < 0.05:
        return say("number.under")
    return say("number.over") if probability > 0.95 else f"{5 * twentieths(probability)}%"


def format_frequency(probability: float, *, of_cases: bool = False, fine: bool = False) -> str:
    """Write a probability as a natural frequency, off by at most 2.5 points.

    ``of_cases`` is for a share of things that were counted: fewer than, not less than; ``fine`` for
    what is never drawn as twenty dots.

    The phrase with the smallest base is taken, since small whole numbers are understood best
    (Spiegelhalter, Pearson and Short, Science 2011).

    Examples
    --------
    >>> format_frequency(0.16), format_frequency(0.5), format_frequency(0.01)
    ('around 3 in 20', 'around 1 in 2', 'less than 1 in 20')
    """
    if probability < 0.05:
        return say("number.few_of" if of_cases else "number.rarely")
    if probability > 0.95:
        return say("number.nearly_always")
    for base in _ALARM_BASES if fine else _FREQUENCY_BASES:
        count = round(probability * base)
        if 0 < count < base and abs(count / base - probability) <= _LARGEST_ERROR + 1e-12:
            return say("number.frequency", count=count, base=base)
    raise AssertionError(f"no frequency within {_LARGEST_ERROR} of {probability}")


def format_false_alarm(probability: float) -> str:
    """Write how often chance alone gives a signal: "around 1 in 60", to two figures at most."""
    if probability < 0.001:
        return say("number.alarm_rarely")
    if probability > 0.2:
        return format_frequency(probability, fine=True)
    one_in = 1 / probability
    step = 1 if one_in < 20 else 5 if one_in < 100 else 50
    return say("number.alarm", base=f"{round(one_in / step) * step:,}")
