"""Leading zeros that a spreadsheet or a number type has taken away: 02134 becomes 2134, and no longer joins anything.

Nothing is put back unasked: whether a short code is whole is for a person to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from segmentry.data.mapping import quoted
from segmentry.data.profiling import ColumnProfile
from segmentry.data.recognise import SourceProposal

_CODES = range(4, 7)  # digits of postal codes that consist of digits alone (Universal Postal Union)
_MOSTLY = (
    0.6  # of the postal codes have the full width; in some states of the US none, in Massachusetts all begin with 0
)
# Of codes drawn evenly from 00000 to 99999 nine in ten have all their digits without the zeros in front.
_FULL = 0.88
_SHORTEST = 5  # digits; shorter ids are mostly counted from 1
_TOP = 0.9  # how far ids reach up to 99999: what is counted ends anywhere
_SPARSE = 0.5  # of the numbers up to the highest are used: what is counted uses all
_LEAST = 50  # values


def lost_zeros(source: SourceProposal) -> Iterator[str]:
    """What looks as if leading zeros were lost in a source, in words, with what to do."""
    for target, judge in (("postcode", _short_codes), ("customer", _short_ids), ("account", _short_ids)):
        mapped = source.columns.get(target)
        if mapped is not None and len(mapped.uses) == 1 and mapped.uses[0] == mapped.expression:
            yield from judge(source, source.table[mapped.uses[0]], target)


def padded(column: ColumnProfile, width: int) -> str:
    """The expression that puts one lost zero back."""
    name = quoted(column.name)
    text = name if column.stored == "text" else f"cast({name} as varchar)"
    return f"case when length({text}) = {width - 1} then '0' || {text} else {text} end"


def _short_codes(source: SourceProposal, column: ColumnProfile, target: str) -> Iterator[str]:
    """Postal codes of the country that most rows are of, a digit shorter than most."""
    widths = _widths(_of_one_country(source, column))
    total = sum(widths.values())
    if total < _LEAST:
        return
    width, most = widths.most_common(1)[0]
    short = widths[width - 1]
    if width in _CODES and short and most >= _MOSTLY * total:
        yield _told(column, target, width, short / total)


def _short_ids(_: SourceProposal, column: ColumnProfile, target: str) -> Iterator[str]:
    digits = [v for v in set(column.values) if v.isdigit() and v.isascii()]
    widths = _widths(digits)
    if len(digits) < max(_LEAST, 0.95 * len(set(column.values))):
        return
    width = max(widths)
    short = len(digits) - widths[width]
    highest = max(int(v) for v in digits)
    sparse = column.distinct < _SPARSE * highest
    full = widths[width] >= _FULL * len(digits) and highest >= _TOP * 10**width
    if width >= _SHORTEST and short and full and sparse:
        yield _told(column, target, width, short / len(digits))


def _of_one_country(source: SourceProposal, column: ColumnProfile) -> Sequence[str]:
    mapped = source.columns.get("country")
    if mapped is None or len(mapped.uses) != 1:
        return column.values
    country = source.table[mapped.uses[0]]
    if not country.levels:
        return column.values
    pairs = zip(column.sample, country.sample, strict=True)
    return [code for code, where in pairs if code is not None and where == country.levels[0]]


def _widths(values: Sequence[str]) -> Counter[int]:
    return Counter(len(v) for v in values if v.isdigit() and v.isascii())


def _told(column: ColumnProfile, target: str, width: int, share: float) -> str:
    percent = f"{100 * share:.0f} %" if share >= 0.01 else "some"
    short = f"{width - 1} digits" if target == "postcode" else f"fewer than {width} digits"
    return (
        f"{percent} of {column.name} have {short}, most have {width}: leading zeros may be lost. Nothing is changed. "
        f"Export the column as text; or, if a short one always lacks a zero, map {target}: {padded(column, width)}"
    )
