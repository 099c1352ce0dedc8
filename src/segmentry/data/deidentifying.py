"""From a drawn sample to rows that may leave the company's safe: nobody in them can be told from k - 1 others.

Direct identifiers are dropped, the id becomes a keyed pseudonym, quasi-identifiers are made coarser until the rows that
stay alone are few, and those are left out (k-anonymity, Sweeney 2002). What is sensitive is blanked where a class of
rows that are alike would give it away (l-diversity, Machanavajjhala et al. 2007). What a weight tells counts as known:
where groups of a quasi-identifier were drawn on their own, the group is one, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segmentry.catalogue import Trait
from segmentry.columns import Pii
from segmentry.data import generalising
from segmentry.data.generalising import Form
from segmentry.data.privacy import Drawn
from segmentry.data.pseudonyms import pseudonyms
from segmentry.errors import FitError
from segmentry.stats import anonymity
from segmentry.stats.anonymity import Ints, Risk
from segmentry.stats.sampling import Floats

if TYPE_CHECKING:
    import pandas as pd

_SENSITIVE_DIGITS = 2
_OWN_VALUES = 0.5  # different values over rows from which on a category tells one person from the other


@dataclass(frozen=True)
class Demands:
    """What must hold of the rows: ``k`` alike in every class, ``diversity`` different values of what is sensitive among
    them, and at most the share ``suppress`` left out rather than made coarser."""

    k: int = 5
    diversity: int = 2
    suppress: float = 0.05


@dataclass(frozen=True)
class Change:
    """What was done to one trait. ``lost`` is the share of its information (entropy) that went; ``applies`` whether a
    rule that was learned on the new values can be applied to the base."""

    trait: str
    done: str
    lost: float
    applies: bool


@dataclass(frozen=True)
class Statement:
    """The risk that somebody in the sample is found again, and what it took to get there.

    ``before`` and ``after`` are risks by the quasi-identifiers (see :class:`anonymity.Risk`); ``rows`` were drawn and
    the share ``suppressed`` of them left out; ``blanked`` is the share of the known sensitive values that were taken
    out; ``of_base`` the share of the base that the sample is: being in it at all is not known to a stranger.
    """

    k: int
    diversity: int
    rows: int
    before: Risk
    after: Risk
    suppressed: float
    blanked: float
    of_base: float
    dropped: tuple[str, ...]
    quasi: tuple[str, ...]
    sensitive: tuple[str, ...]
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Deidentified:
    """The rows that are left, in the order of their pseudonyms: columns are traits. ``kept`` (n,) says which rows of
    the drawn sample they were, in this order."""

    rows: pd.DataFrame
    pseudonyms: Sequence[str]
    weights: Floats
    stratum: Sequence[str]
    kept: Ints
    specs: tuple[Trait, ...]
    statement: Statement


def deidentify(drawn: Drawn, specs: Sequence[Trait], demands: Demands, key: bytes) -> Deidentified:
    """Make a sample anonymous.

    Raises :class:`FitError` when the rows are fewer than k, or would all have to be left out, or were drawn by a trait
    that is sensitive or names a person.
    """
    there = [s for s in specs if s.name in drawn.rows.columns]
    known = {s.name: s.pii for s in there if s.name in drawn.by}
    if told := [name for name, pii in known.items() if pii in (Pii.DIRECT, Pii.SENSITIVE)]:
        raise FitError(f"A sample drawn by {told[0]} cannot be made anonymous.", why="The weight of a row tells it.")
    naming = tuple(s.name for s in there if s.pii is Pii.DIRECT or _own_values(drawn.rows[s.name], s))
    quasi = [s for s in there if s.pii is Pii.QUASI]
    sensitive = [s for s in there if s.pii is Pii.SENSITIVE]
    ways = {s.name: generalising.forms(drawn.rows[s.name], s) for s in quasi}
    ladders = [generalising.ladder(ways[s.name]) for s in quasi]
    if Pii.QUASI in known.values():
        ladders.append(anonymity.Ladder(np.unique(np.array(drawn.stratum), return_inverse=True)[1][None, :]))
    steps = anonymity.search(ladders, demands.k, demands.suppress)
    chosen = {s.name: ways[s.name][step] for s, step in zip(quasi, steps, strict=False)}
    n = len(drawn.rows)
    if n < demands.k:
        raise FitError(f"A sample of {n} rows cannot hide anybody among {demands.k}.", fix="Lower sample.k_anonymity.")
    of = anonymity.classes(
        [ladder.codes[step] for ladder, step in zip(ladders, steps, strict=True)] or [np.zeros(n, int)]
    )
    kept = np.flatnonzero(np.bincount(of)[of] >= demands.k)
    if not len(kept):
        raise FitError(
            f"No row of the sample can be hidden among {demands.k}.",
            fix="Raise sample.size, or lower sample.k_anonymity or sample.suppress.",
        )
    names = np.array(pseudonyms(drawn.ids, key))
    kept = kept[np.argsort(names[kept])]  # the order of the draw is that of a hash of the id, which is no secret
    there = [s for s in there if s.name not in naming]
    frame = _frame(drawn.rows, there, chosen).iloc[kept].reset_index(drop=True)
    blanked, changes = _diverse(frame, sensitive, anonymity.classes([of[kept]]), demands.diversity)
    changes = [
        *(
            _change(s, chosen[s.name], ladder, step)
            for s, ladder, step in zip(quasi, ladders, steps, strict=False)
            if step
        ),
        *changes,
    ]
    statement = Statement(
        demands.k,
        demands.diversity,
        n,
        anonymity.risk(anonymity.classes([ladder.codes[0] for ladder in ladders] or [np.zeros(n, int)])),
        anonymity.risk(of[kept]),
        1 - len(kept) / n,
        blanked,
        n / max(drawn.base, 1),
        naming,
        tuple(s.name for s in quasi),
        tuple(s.name for s in sensitive),
        tuple(changes),
    )
    stratum = np.array(drawn.stratum, dtype=object)
    left = tuple(s for s in there if s.name in frame.columns)
    weights = _reweighted(drawn, kept)
    return Deidentified(frame, names[kept].tolist(), weights, stratum[kept].tolist(), kept, left, statement)


def _frame(rows: pd.DataFrame, specs: Sequence[Trait], chosen: Mapping[str, Form]) -> pd.DataFrame:
    """The columns that may stay, in the form that was chosen."""
    import pandas as pd  # noqa: PLC0415  # half a second to import

    columns: dict[str, pd.Series] = {}
    for spec in specs:
        form = chosen.get(spec.name)
        values = rows[spec.name] if form is None else form.values
        if values is not None:
            columns[spec.name] = values
    return pd.DataFrame(columns, index=rows.index)


def _change(trait: Trait, form: Form, ladder: anonymity.Ladder, step: int) -> Change:
    return Change(trait.name, form.words, float(ladder.losses[step]), form.applies)


def _own_values(column: pd.Series, trait: Trait) -> bool:
    """Whether a category that nobody called personal has an own value for most rows, as a card number has."""
    if trait.kind != "category" or trait.pii is not Pii.NONE:
        return False
    return bool(column.nunique() > max(_OWN_VALUES * column.notna().sum(), 1))


def _diverse(frame: pd.DataFrame, sensitive: Sequence[Trait], of: Ints, least: int) -> tuple[float, list[Change]]:
    """Round and blank sensitive values in place; gives the share of the known ones that was blanked.

    What is made of the same data, such as an income and its band, is blanked together: one would tell the other.
    """
    lacking = {}
    for spec in sensitive:
        if spec.kind == "number":  # before values are counted: two that are told alike are one
            frame[spec.name] = generalising.rounded(frame[spec.name], _SENSITIVE_DIGITS)
        codes = generalising.coded(frame[spec.name], spec.kind)
        lacking[spec.name] = anonymity.lacking_diversity(of, codes, least)
    known, taken, changes = 0, 0, []
    for spec in sensitive:
        column = frame[spec.name]
        there = int(column.notna().sum())
        told = [lacking[s.name] for s in sensitive if s is spec or set(s.needs) & set(spec.needs)]
        blank = np.logical_or.reduce(told) & column.notna().to_numpy()
        if blank.any():
            frame[spec.name] = column.mask(blank)
        gone = int(blank.sum()) / there if there else 0.0
        words = [f"told to {_SENSITIVE_DIGITS} digits"] if spec.kind == "number" else []
        words += [f"blanked for {100 * gone:.1f} %"] if gone else []
        if words:
            changes.append(Change(spec.name, ", ".join(words), gone, True))
        known, taken = known + there, taken + int(blank.sum())
    return taken / known if known else 0.0, changes


def _reweighted(drawn: Drawn, kept: Ints) -> Floats:
    """Weights of the rows that are left: those of a stratum stand for the rows of it that were left out as well, and
    all of them for a stratum of which nobody could stay."""
    stratum = np.array(drawn.stratum)
    _, inverse = np.unique(stratum, return_inverse=True)
    before = np.bincount(inverse, drawn.weights)
    after = np.bincount(inverse[kept], drawn.weights[kept], len(before))
    factors = np.divide(before, after, out=np.zeros_like(before), where=after > 0)
    weights = drawn.weights[kept] * factors[inverse[kept]]
    return np.asarray(weights * (drawn.weights.sum() / weights.sum()), dtype=np.float64)
