"""Protected traits: they form no segments unless that is allowed with a reason, and how segments and they go together.

A segment that leaves a protected trait out may still follow it, through a variable that goes with it (a proxy), and so
may a look-alike score. So after every fit, and for the best tenth by a score, it is measured on the sample: the
association (Cramér's V corrected for bias, Bergsma 2013), how often
the people of each group are in each segment (the four-fifths rule, 29 CFR 1607.4 D), and which variables carry it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmentry import config, expressions
from segmentry.catalogue import Model, Trait
from segmentry.columns import Pii
from segmentry.errors import ConfigError, FitError, did_you_mean
from segmentry.placement import exact
from segmentry.segment.fitting import Learning, Numbers
from segmentry.segmentation import OUTSIDE, Segmentation
from segmentry.stats import association

if TYPE_CHECKING:
    import pandas as pd

Codes = npt.NDArray[np.int64]
# EU Charter of Fundamental Rights, article 21; US Equal Credit Opportunity Act, 15 USC 1691.
_NAMED = frozenset(
    {"gender", "sex", "age", "age_band", "generation", "marital_status", "language"}
    | {"nationality", "ethnicity", "race", "religion", "disability"}
)
# What people answer and write is kept from others, but it is what segments by needs and attitudes are made of.
_SAID = (Model.NEEDS, Model.PSYCHOGRAPHIC)
_AGES = (25.0, 35.0, 45.0, 55.0, 65.0)
_GROUPS = 8  # levels of a category; the rarer are one group
NOTABLE = 0.1  # Cohen 1988: from here on an association is small but there
_PROXIES = 3
PROTECTED = "it is protected (bias.protected)"
BEST_TENTH = "the best tenth"


def protected(settings: config.Bias, specs: Mapping[str, Trait]) -> tuple[str, ...]:
    """The protected traits among those there are.

    Raises :class:`ConfigError` for a name that is no trait and stands for none.
    """
    found: list[str] = []
    for pattern in settings.protected:
        hits = [n for n, s in specs.items() if s.is_meant_by(pattern)]
        if pattern == "auto":
            hits = [n for n, s in specs.items() if _by_default(s)]
        elif not hits and pattern not in _NAMED:
            raise ConfigError(
                f"{config.FILE_NAME} bias.protected: '{pattern}' matches no trait.",
                why=did_you_mean(pattern, specs),
                fix="`segmentry show traits` lists them; auto stands for the usual ones.",
            )
        found += hits
    return tuple(dict.fromkeys(found))


def _by_default(trait: Trait) -> bool:
    said = trait.model in _SAID or any(need.startswith(("responses.", "events.")) for need in trait.needs)
    return trait.name in _NAMED or (trait.pii is Pii.SENSITIVE and not said)


def watched(settings: config.Segmentation | config.Objective, found: Sequence[str], *, where: str) -> dict[str, str]:
    """By protected trait, the reason why it may form these segments, or tell this behaviour; empty where it may not.

    Raises :class:`ConfigError` when one is allowed that is not protected.
    """
    for name in settings.allow:
        if name not in found:
            raise ConfigError(
                f"{where}.allow.{name}: this trait is not protected here, or not there.",
                why=did_you_mean(name, found),
                fix="Take the line out: only protected traits need a reason (bias.protected).",
            )
    return {name: settings.allow.get(name, "") for name in found}


def barred(seen: Mapping[str, str]) -> dict[str, str]:
    """By trait that may not form segments, or tell a behaviour, why."""
    return {name: PROTECTED for name, reason in seen.items() if not reason}


def refuse(names: Collection[str], learning: Learning, doing: str = "form segments") -> None:
    """Raise :class:`FitError` when one of the traits may not do what it is wanted for."""
    for name in names:
        if name in learning.barred:
            raise FitError(
                f"{learning.where}: {name} may not {doing}: {learning.barred[name]}.",
                fix=f"Leave it out: how far the result follows it is told afterwards all the same; or give a reason: "
                f'`allow: {{{name}: "why it has to decide"}}` in {learning.where.partition(" ")[2] or "the settings"}.'
                if learning.barred[name] == PROTECTED
                else "Leave it out, or fit where the customers are.",
            )


def named(settings: config.Segmentation, where: str) -> tuple[str, ...]:
    """The traits that settings name outright, without a pattern: in lists and in conditions.

    Raises :class:`ConfigError`, with ``where``, for a condition that is none.
    """
    given = [*getattr(settings, "traits", ()), getattr(settings, "trait", None) or "auto"]
    found = [n.rpartition(".")[2] for n in given if n != "auto" and not set("*?[") & set(n)]
    if isinstance(settings, config.Rules):
        for i, item in enumerate(settings.segments):
            rule = expressions.parse(item.where, where=f"{where}.segments.{i}.where")
            found += [c.lower() for c in rule.columns]
    return tuple(dict.fromkeys(found))


def defining(settings: config.Segmentation, learning: Learning) -> tuple[str, ...]:
    """The traits that the objective of settings is read from, where they have one."""
    name = settings.objective if isinstance(settings, config.Trees) else None
    if name is None or name not in learning.objectives:
        return ()
    where = f"{config.FILE_NAME} objectives.{name}.behaviour"
    rule = expressions.parse(learning.objectives[name].behaviour, where=where)
    return tuple(map(str.lower, rule.columns))


def left_out(settings: config.Segmentation, learning: Learning) -> list[str]:
    """The traits that the patterns of the settings mean, but that may not form segments."""
    there = [s for n, s in learning.specs.items() if n in learning.barred]
    return [s.name for s in there if any(s.is_meant_by(pattern) for pattern in getattr(settings, "traits", ()))]


def open_to(settings: config.Segmentation, learning: Learning) -> config.Segmentation:
    """The settings without the patterns that mean none but traits which may not form segments.

    Raises :class:`FitError` when nothing is left of them.
    """
    patterns = tuple(getattr(settings, "traits", ()))
    free = [s for n, s in learning.specs.items() if n not in learning.barred]
    stuck = [s for n, s in learning.specs.items() if n in learning.barred]
    kept = tuple(p for p in patterns if any(s.is_meant_by(p) for s in free) or not any(s.is_meant_by(p) for s in stuck))
    if patterns and not kept:
        raise FitError(
            f"{learning.where}.traits: {', '.join(patterns)} means none but traits that may not form segments: "
            f"{', '.join(left_out(settings, learning))}.",
            fix="Name others, or allow one with a reason under `allow`.",
        )
    return settings.model_copy(update={"traits": kept}) if kept != patterns else settings


def with_report(fitted: Segmentation, learning: Learning) -> Segmentation:
    """The segmentation with ``report["bias"]``: how its segments and the protected traits go together in the sample.

    A list with, for each protected trait that is known, ``v`` (0 to 1) and the people ``n`` it rests on, ``segments``
    with the group that is least and most often in each (``low`` and ``high`` are shares of the group, ``ratio`` low
    over high, ``passes`` the four-fifths rule), ``proxies``: the variables that go with it most, and the reason why it
    is ``allowed``, if it is.
    """
    if not _compared(learning):  # nothing to hold the placement against
        return replace(fitted, report={**fitted.report, "bias": []})
    placed = (
        replace(fitted, population="").assign(learning.sample[[n for n, _ in fitted.traits]])["segment"].to_numpy(str)
    )
    names = [*fitted.names, *(s.name for s in OUTSIDE)]
    inside = {name: (placed == name).astype(np.float64) for name in names}
    told = _followed(inside, fitted.names, [n for n, _ in fitted.traits], learning)
    return replace(fitted, report={**fitted.report, "bias": told})


def of_best(best: Numbers, read: Sequence[str], learning: Learning) -> tuple[dict[str, Any], ...]:
    """How the tenth of the sample with the highest scores and the protected traits go together: like ``report["bias"]``
    of :func:`with_report`, with this tenth as the only segment.

    ``best`` (n,) is the share of each row that is in it (:func:`lookalike.best_tenth`), ``read`` what the score reads.
    """
    return tuple(_followed({BEST_TENTH: best, "the others": 1.0 - best}, [BEST_TENTH], read, learning))


def _followed(
    inside: Mapping[str, Numbers], told: Sequence[str], read: Sequence[str], learning: Learning
) -> list[dict[str, Any]]:
    """For every protected trait that is known, how it and the segments go together; ``inside`` has, by segment, the
    share (n,) of each row that is in it, and the segments ``told`` are compared."""
    weights = learning.row_weights
    variables = {n: groups(learning.sample[n], learning.specs[n])[0] for n in read}
    found = []
    for name, (codes, labels) in _compared(learning).items():
        known = codes >= 0
        parts = [np.bincount(codes[known], (weights * part)[known], len(labels)) for part in inside.values()]
        table = np.column_stack(parts).astype(np.float64)
        people = float(weights[known].sum() ** 2 / (weights[known] ** 2).sum())
        proxies = {n: association.cramers_v(*crossed(codes, c, weights)) for n, c in variables.items() if n != name}
        places = {segment: place for place, segment in enumerate(inside) if segment in told}
        figures = _measured(table, people, places, labels, proxies)
        found.append({"trait": name, "allowed": learning.watched[name], **figures})
    return found


def _compared(learning: Learning) -> dict[str, tuple[Codes, list[str]]]:
    """The groups of every protected trait that has two or more."""
    found = {name: groups(learning.sample[name], learning.specs[name]) for name in learning.watched}
    return {name: (codes, labels) for name, (codes, labels) in found.items() if len(labels) > 1}


def _measured(
    table: Numbers, people: float, places: Mapping[str, int], labels: list[str], proxies: Mapping[str, float]
) -> dict[str, Any]:
    strongest = sorted(proxies, key=lambda n: (-proxies[n], n))[:_PROXIES]
    found = []
    for name, place in places.items():
        rates = association.rates(table, place)
        if rates is not None:
            ends = {"lowest": labels[rates.lowest], "highest": labels[rates.highest]}
            figures = {"low": exact(rates.low), "high": exact(rates.high), "ratio": exact(rates.ratio)}
            found.append({"segment": name, **ends, **figures, "passes": rates.passes})
    return {
        "v": exact(association.cramers_v(table, people)),
        "n": round(people),
        "segments": found,
        "proxies": [{"trait": n, "v": exact(proxies[n])} for n in strongest if proxies[n] >= NOTABLE],
    }


def crossed(rows: Codes, columns: Codes, weights: Numbers) -> tuple[Numbers, float]:
    """The weighted cross table of two codes, of those for whom both are known (0 or more), and the people behind it."""
    known = (rows >= 0) & (columns >= 0)
    rows, columns, weights = rows[known], columns[known], weights[known]
    height, width = int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1
    table = np.bincount(rows * width + columns, weights, height * width).reshape(height, width)
    return table.astype(np.float64), float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def groups(column: pd.Series, trait: Trait) -> tuple[Codes, list[str]]:
    """The group of every row, -1 where it is not known, and what the groups are called: numbers in bands."""
    if trait.kind == "number":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        if not len(known):
            return np.full(len(values), -1, dtype=np.int64), []
        fifths = np.quantile(known, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf")
        cuts = np.array(_AGES) if trait.unit == "years" else np.unique(fifths)
        cuts = cuts[(cuts > known.min()) & (cuts <= known.max())]
        codes = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="right"), -1)
        ends = [f"{c:g}" for c in cuts]
        labels = [f"{a} to under {b}" for a, b in pairwise(ends)]
        labels = [f"under {ends[0]}", *labels, f"{ends[-1]} and more"] if ends else ["all"]
        return codes.astype(np.int64), labels
    texts = column.astype("string")
    counts = texts.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    kept = [str(level) for level in counts.index[:_GROUPS]]
    labels = kept if len(counts) <= _GROUPS else [*kept, "other"]
    places = {level: i for i, level in enumerate(kept)}
    codes = texts.map(lambda v: places.get(v, len(kept)), na_action="ignore")
    return codes.fillna(-1).to_numpy(np.int64), labels
