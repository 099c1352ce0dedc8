"""Values in quarantine: births and ages that nobody has. The rest of their record counts.

Whether an age is possible depends on the day that it is asked for, so collected records stay as they are: traits leave
the value out, and the check of the same day names every one of them, by the conditions that its findings count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from segmentry.ages import OLDEST
from segmentry.data.quality.columns import tests_of
from segmentry.data.quality.findings import Collected

_BIRTHS = ("birth_date", "birth_year", "age")  # of which ages are made, in this order
_REASONS = {
    ("out_of_range", "birth_date"): f"born more than {OLDEST} years before {{day}}",
    ("out_of_range", "birth_year"): f"born after {{day}}, or more than {OLDEST} years before",
    ("out_of_range", "age"): f"not from 0 to {OLDEST} years",
    ("future_dates", "birth_date"): "born after {latest}",
}


def impossible_values(sources: Sequence[Collected], day: date, latest: date) -> ir.Table | None:
    """One row per value of a birth or an age that nobody has on ``day``, in the order of source, file and line.

    ``latest`` is the day after which dates lie in the future. None where no source has such a column.
    """
    found = [rows for collected in sources if collected.kind == "customers" for rows in _of(collected, day, latest)]
    if not found:
        return None
    first, *others = found
    return (first.union(*others) if others else first).order_by(["source", "file", "line", "column"])


def _of(collected: Collected, day: date, latest: date) -> Iterator[ir.Table]:
    for test in tests_of(collected, day, latest):
        if test.column in _BIRTHS and (test.check, test.column) in _REASONS:
            wrong = collected.rows.filter(test.wrong)
            yield wrong.select(
                source=ibis.literal(collected.name),
                file=wrong["file"],
                line=wrong["line"],
                column=ibis.literal(test.column),
                reason=ibis.literal(_REASONS[test.check, test.column].format(day=day, latest=latest)),
                value=wrong[test.column].cast("string"),
            )
