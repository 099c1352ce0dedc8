"""How one column is made coarser, step by step: ages and amounts to bands, postcodes to areas, dates to months, rare
values joined; the last step leaves it out.

Bands of numbers are told by their middle, on the scale of the trait: a rule that was learned on them reads the exact
values of the base as well. Words cannot be read so: see :attr:`Form.applies`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segmentry.catalogue import Trait
from segmentry.placement import exact
from segmentry.stats.anonymity import Ladder

if TYPE_CHECKING:
    import pandas as pd

OTHER = "other"
_YEARS = (5.0, 10.0, 20.0)  # bands of ages, as statistical offices publish them
_STEPS = (1.0, 2.0, 2.5, 5.0)  # a round number times a power of ten
_TAILS = 0.025  # share at either end whose values are told as the last one that is not so rare
_RARE = (0.01, 0.05, 0.2)  # values with less than this share are joined
_DAY = r"\d{4}-\d{2}-\d{2}"
_CODE = re.compile("post(al)?_?code|zip|plz", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """A column at one step. ``words`` say what was done to it; ``values`` are None where it is left out.

    ``applies``: a rule that was learned on these values can be applied to those of the base.
    """

    words: str
    values: pd.Series | None
    applies: bool


def forms(column: pd.Series, trait: Trait) -> list[Form]:
    """The column in ever coarser forms: as it is first, left out last."""
    made = [Form("", column, True)]
    if trait.kind == "number":
        made += _bands(column, trait)
    elif trait.kind == "category":
        made += _words(column, trait)
    return [*made, Form("left out", None, False)]


def ladder(found: Sequence[Form]) -> Ladder:
    """The codes of the forms. Every step joins values of the step before, so that information only falls."""
    n = len(found[0].values) if found[0].values is not None else 0
    codes = [np.zeros(n, dtype=np.int64)]
    for form in reversed(found[:-1]):
        assert form.values is not None  # only the last form is left out
        codes.append(_codes(form.values))
    return Ladder(np.stack(codes[::-1]))


def rounded(column: pd.Series, digits: int = 2) -> pd.Series:
    """Numbers with so many significant digits, as sensitive ones are told: 41,250 as 41,000."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(values)))
    unit = 10.0 ** (np.where(np.isfinite(power), power, 0.0) - digits + 1)
    return _like(column, np.round(values / unit) * unit)


def coded(column: pd.Series, kind: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Codes of a sensitive column, -1 where it is not known; numbers by fifths: to know one nearly is to know it."""
    if kind != "number":
        return np.where(column.isna(), -1, _codes(column)).astype(np.int64)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return np.full(len(values), -1, dtype=np.int64)
    cuts = np.unique(np.quantile(known, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf"))
    return np.where(np.isfinite(values), np.searchsorted(cuts, values, side="left"), -1).astype(np.int64)


def _codes(values: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    import pandas as pd  # noqa: PLC0415  # half a second to import

    return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)


def _like(column: pd.Series, values: object) -> pd.Series:
    import pandas as pd  # noqa: PLC0415  # half a second to import

    return pd.Series(values, index=column.index, name=column.name)


def _bands(column: pd.Series, trait: Trait) -> list[Form]:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    whole = bool((known == np.floor(known)).all())
    low, high = (float(q) for q in np.quantile(known, (_TAILS, 1 - _TAILS), method="inverted_cdf"))
    middle = float(np.quantile(known, 0.75) - np.quantile(known, 0.25)) or high - low
    widths = _YEARS if trait.unit == "years" else tuple(_round(middle / parts) for parts in (8, 4, 2, 1, 0.5))
    ends = np.clip(values, low, high)
    made = [Form(f"below {low:g} and above {high:g} joined", _like(column, ends), True)] if whole else []
    last = 0.0
    for width in sorted(set(widths)):
        # every band of the step before has to lie within one of this: only then is information lost step by step
        nested = not last or abs(width / last - round(width / last)) < 1e-9
        if width <= 0 or not nested or (whole and (width <= 1 or width != int(width))):
            continue
        inside = (width - 1) / 2 if whole else width / 2
        start = np.floor(ends / width) * width
        centres = np.array([exact(v) for v in (start + inside).tolist()])
        made.append(Form(f"in bands of {width:g} {trait.unit}".strip(), _like(column, centres), True))
        last = width
    return made


def _round(width: float) -> float:
    """The next round number from a width upwards: 1, 2, 2.5 or 5 times a power of ten."""
    if width <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(width))
    return float(next((s * power for s in _STEPS if s * power >= width * (1 - 1e-9)), 10 * power))


def _words(column: pd.Series, trait: Trait) -> list[Form]:
    known = column.dropna().astype(str)
    if known.empty:
        return []
    if known.str.fullmatch(_DAY).all():
        return [_mapped(column, "by month", lambda v: v[:7]), _mapped(column, "by year", lambda v: v[:4])]
    if _CODE.search(trait.name):
        return [
            _mapped(column, "by the first three characters", lambda v: _area(v)[:3]),
            _mapped(column, "by area", lambda v: _letters(v) or _area(v)[:2]),
            _mapped(column, "by the first character", lambda v: _area(v)[:1]),
        ]
    shares = known.value_counts(normalize=True)
    made, before = [], 0
    for least in _RARE:
        joined = set(shares.index[shares < least])
        if len(joined) > before and len(joined) < len(shares):
            form = _mapped(column, f"values of under {100 * least:g} % joined", _joining(joined))
            made.append(form)
            before = len(joined)
    return made


def _joining(joined: set[str]) -> Callable[[str], str]:
    return lambda value: OTHER if value in joined else value


def _mapped(column: pd.Series, words: str, change: Callable[[str], str]) -> Form:
    made = {v: change(str(v)) for v in column.dropna().unique()}
    return Form(words, column.map(made, na_action="ignore"), False)


def _area(code: str) -> str:
    """A postcode without spaces and without the country in front: the first characters are the area."""
    return re.sub(r"^[A-Z]{1,2}-(?=\d)", "", code.strip().upper()).replace(" ", "")


def _letters(code: str) -> str:
    """The letters that a British postcode begins with (SW1A 1AA: SW), else nothing."""
    found = re.match(r"[A-Z]{1,2}(?=\d)", _area(code))
    return found.group() if found else ""
