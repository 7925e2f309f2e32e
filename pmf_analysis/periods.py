"""Reporting periods: reading a label, naming the period of a day.

The span itself is :class:`pmf_analysis.period_spans.Period`; what a label can mean is in
:mod:`pmf_analysis.period_labels`. Everything that other rooms need is named here.
"""

from functools import lru_cache

from pmf_analysis.period_labels import Context, split_mark
from pmf_analysis.period_spans import PERIODS_PER_YEAR, Period, YearType, period_from_start
from pmf_analysis.problems import PmfError, Problem

__all__ = ["PERIODS_PER_YEAR", "Period", "YearType", "period_from_start", "split_mark"]
__all__ += ["AmbiguousPeriodError", "parse_period"]


class AmbiguousPeriodError(PmfError):
    """A label with more than one meaning; ``choices`` are the periods it may mean."""

    def __init__(self, label: str, choices: tuple[Period, ...]) -> None:
        self.label, self.choices = label, choices
        plain = " or ".join(f'"{choice.plain_label}"' for choice in choices)
        meant = "; or ".join(choice.long_label for choice in choices)
        super().__init__(Problem.of("period-ambiguous", value=label, meanings=meant, plain=plain))

    def __reduce__(self) -> tuple[type["AmbiguousPeriodError"], tuple[str, tuple[Period, ...]]]:
        return AmbiguousPeriodError, (self.label, self.choices)


@lru_cache(maxsize=4096)
def parse_period(
    text: str, *, year_type: YearType | None = None, frequency: str | None = None
) -> Period:
    """Read a period label that has exactly one meaning.

    Parameters
    ----------
    text
        The label as published; marks such as ``(Rev)`` or ``(prov)`` are passed over, see
        :func:`split_mark`.
    year_type
        The type of year of the indicator or file. Without it "2017/18" is refused, because it
        may be a financial or an academic year.
    frequency
        The declared frequency, which tells a month "2011-12" from a year, and the quarter that
        ends on "2008-12-31" from that day.

    Raises
    ------
    AmbiguousPeriodError
        When the label has several meanings, with the choices.
    PmfError
        When it has none; a blank label too.

    Examples
    --------
    >>> parse_period("Q1 18/19").label
    '2018-19 Q1'
    >>> parse_period("2019 Q1 Jan-Mar").long_label
    'Quarter 1 (January to March) 2019'
    """
    found = Context(year_type, frequency).meanings(text)
    if len(found) > 1:
        raise AmbiguousPeriodError(text, tuple(found))
    if not found:
        raise PmfError(Problem.of("period-not-read", value=text))
    return found[0]
