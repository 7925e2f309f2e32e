"""Small counts hidden, after every derivation, so that no person can be recognised.

Hiding one figure is not enough where a published sum and the other parts give it back. So a second
part, or the sum, is hidden too; what an earlier report published is taken as known for ever.
Source: Government Statistical Service, "Disclosure control guidance for tables produced from
administrative sources": primary and secondary suppression.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import KEYS, SERIES_PARTS, USABLE_STATUSES

Known = pd.DataFrame | None
MINIMUM = 5  # smallest count that may be shown
NOTE = "suppressed to protect individuals"
EXPOSED_NOTE = "could be worked out from figures published earlier"
_KEY = list(KEYS["observations"])
_DAY = pd.Timedelta(days=1)
# A figure and those whose sum it is, by their positions in the table of cells.
_Sum = tuple[int, Sequence[int]]
_Span = tuple[pd.Timestamp, pd.Timestamp]


def suppress(
    observations: pd.DataFrame, *, history: Known = None, exempt: Collection[str] = ()
) -> pd.DataFrame:
    """Hide counts of 1 to below MINIMUM, and whatever would give them back.

    Parameters
    ----------
    observations
        Rows of the contract's table, after differencing. A row is judged by its numerator; a row
        without one, and a numerator that is not a whole number (money, full-time equivalents),
        cannot be. Zero is shown.
    history
        Rows published before, as they were published: a figure that was shown then counts as
        known, protects nothing, and sums with it are protected too.
    exempt
        Indicators whose small counts show no person, such as fires or bridges. What their source
        hid stays hidden, and protected.

    Returns
    -------
    DataFrame
        The same rows; those hidden have no value, numerator and interval, and status
        ``suppressed``. Sums over the members of a breakdown and over the periods of a longer
        period are protected; sums over areas are not, because membership is not in the table. A
        figure that earlier publications give away in spite of all this says so in ``value_note``.
    """
    cells = _protected(_cells(observations, history, exempt))
    cells = cells.iloc[: len(observations)].set_index(observations.index)
    hidden = cells["hidden"]
    result = observations.copy()
    measured = ["value", "numerator", "ci_lower", "ci_upper"]
    result[measured] = result[measured].mask(hidden)
    note = result["value_note"].mask(hidden & (result["value_status"] != "suppressed"), NOTE)
    result["value_note"] = note.mask(hidden & cells["exposed"], f"{NOTE}; {EXPOSED_NOTE}")
    result["value_status"] = result["value_status"].mask(hidden, "suppressed")
    return result


def _cells(observations: pd.DataFrame, history: Known, exempt: Collection[str]) -> pd.DataFrame:
    """Figures of today, then figures that only history shows; with amount, hidden, published."""
    needed = [*_KEY, "numerator", "value_status"]
    now = observations[needed]
    past = now.iloc[:0] if history is None else history[needed]
    past = past[past["value_status"].isin(USABLE_STATUSES)].drop_duplicates(_KEY, keep="last")
    before, today = (pd.MultiIndex.from_frame(rows[_KEY]) for rows in (past, now))
    cells = pd.concat([now, past[~before.isin(today)]], ignore_index=True)
    is_today = np.arange(len(cells)) < len(now)
    published = np.r_[today.isin(before), np.ones(len(cells) - len(now), dtype=bool)]
    count = cells["numerator"].round(6)
    is_small = (count > 0) & (count < MINIMUM) & (count % 1 == 0)
    is_small &= ~cells["indicator_id"].isin(list(exempt))
    hidden = is_today & (is_small | (cells["value_status"] == "suppressed"))
    # What a source hid is a small count too; 1 is the least it can be.
    amount = count.mask(hidden, count.fillna(1))
    return cells.assign(amount=amount, hidden=hidden, published=published)


def _protected(cells: pd.DataFrame) -> pd.DataFrame:
    """Hide further cells until no sum gives a hidden one back; `exposed` marks those one does."""
    sums = [*_breakdown_sums(cells), *_period_sums(cells)]
    hidden = cells["hidden"].to_numpy(copy=True)
    amount, published = cells["amount"].to_numpy(), cells["published"].to_numpy()
    exposed: set[int] = set()
    pending = True
    while pending:
        pending = False
        for total, parts in sums:
            unknown = [i for i in (*parts, total) if hidden[i] and not published[i]]
            # Two unknown figures that make 2 are known to be 1 and 1.
            is_enough = total in unknown or amount[unknown].sum() >= MINIMUM
            if not unknown or (len(unknown) > 1 and is_enough):
                continue
            free = [i for i in parts if not hidden[i] and not published[i]]
            if free:  # the smallest part, zeros last
                hidden[min(free, key=lambda i: (amount[i] == 0, amount[i]))] = pending = True
            elif not hidden[total] and not published[total]:
                hidden[total] = pending = True
            else:
                exposed.update(unknown)
    return cells.assign(hidden=hidden, exposed=cells.index.isin(list(exposed)))


def _breakdown_sums(cells: pd.DataFrame) -> Iterator[_Sum]:
    """Totals with the members of each of their breakdowns, where a member is hidden."""
    known = cells[cells["amount"].notna()]
    whole = [name for name in _KEY if name not in {"dimension", "dimension_value"}]
    parts = known[known["dimension"] != ""]
    touched = parts.groupby([*whole, "dimension"])["hidden"].transform("any").astype(bool)
    places = known[known["dimension"] == ""].reset_index().set_index(whole)["index"].to_dict()
    for key, group in parts[touched].groupby([*whole, "dimension"]):
        if key[:-1] in places:
            yield int(places[key[:-1]]), list(group.index)


def _period_sums(cells: pd.DataFrame) -> Iterator[_Sum]:
    """Longer periods with shorter ones that fill them, in series where something is hidden."""
    known = cells[cells["amount"].notna()]
    days = (known["period_end"] - known["period_start"]).dt.days
    facts = known.assign(days=days).groupby(list(SERIES_PARTS))
    # Months differ by three days: only a clearly longer span can hold shorter ones.
    mixed = facts["days"].transform("max") > 1.5 * facts["days"].transform("min")
    touched = facts["hidden"].transform("any").astype(bool)
    for _, group in known[touched & mixed].groupby(list(SERIES_PARTS)):
        yield from _tilings(group)


def _tilings(series: pd.DataFrame) -> Iterator[_Sum]:
    """Every span of a series with the shortest neighbours, or the two pieces, that fill it."""
    places = series.reset_index().set_index(["period_start", "period_end"])["index"]
    spans: dict[Any, int] = places.to_dict()
    ends_from = series.groupby("period_start")["period_end"].agg(list).to_dict()
    for (start, end), total in spans.items():
        pieces = _fill(start, end, ends_from)
        if pieces:
            yield total, [spans[piece] for piece in pieces]
        for middle in ends_from[start]:
            rest = (middle + _DAY, end)
            if middle < end and rest in spans:
                yield total, [spans[start, middle], spans[rest]]


def _fill(start: pd.Timestamp, end: pd.Timestamp, ends_from: dict[Any, Any]) -> list[_Span]:
    """Shortest spans that fill the one from `start` to `end` without a gap; none: empty."""
    pieces: list[_Span] = []
    while start <= end:
        options = [e for e in ends_from.get(start, []) if e < end or (e == end and pieces)]
        if not options:
            return []
        pieces.append((start, min(options)))
        start = min(options) + _DAY
    return pieces
