"""Does every method find what was planted, and nothing where nothing is? ``python -m benchmarks.structure noise``.

``objectives`` is the same of favourable traits: a behaviour that nothing tells, or one trait of twenty-four alone.

Not one of the timed benchmarks: fits of tables drawn from known populations, each by another seed, in turns over the
kinds of tables that a method is for. A line of JSON per fit, then a line per method and per kind with the share of the
right answers and its 95 % interval (Wilson 1927).

The panel measures stability from 6 pairs of bootstrap samples and 44 more where that is too close to call; the product
draws 20 and 30. All else is as the product has it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

import segmentry as sg
from segmentry.catalogue import Model, Trait
from segmentry.config import Objective
from segmentry.errors import FitError
from segmentry.segment import Learning, objectives
from segmentry.stats import choosing
from segmentry.stats.stability import Resampling, adjusted_rand

Draw = Callable[[np.random.Generator, int], pd.DataFrame]

QUICK = Resampling(pairs=6, more=44)
METHODS = {
    "kmeans": sg.KMeans,
    "kprototypes": sg.KPrototypes,
    "latent_classes": sg.LatentClasses,
    "mixtures": sg.Mixtures,
}


# Where nothing is -----------------------------------------------------------------------------------------------------


def _normals(rng: np.random.Generator, n: int) -> pd.DataFrame:
    return _frame(rng.normal(size=(n, 4)))


def _correlated(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """One cloud whose traits rise and fall together: correlations of 0.5."""
    return _frame(np.sqrt(0.5) * rng.normal(size=(n, 4)) + np.sqrt(0.5) * rng.normal(size=(n, 1)))


def _spend(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Amounts: log-normal, with a common part, rounded, and a count."""
    size = rng.normal(size=n)
    amounts = np.exp(3 + 0.6 * size[:, None] + rng.normal(size=(n, 2))).round(2)
    return _frame(np.column_stack([amounts, 1 + rng.poisson(np.exp(0.5 + 0.4 * size)), rng.exponential(90, n).round()]))


def _uniform(rng: np.random.Generator, n: int) -> pd.DataFrame:
    return _frame(rng.random((n, 3)))


def _yes_no(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Answers that have nothing to do with each other, of unequal shares."""
    return _frame(rng.random((n, 8)) < np.linspace(0.1, 0.8, 8))


def _scale(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Answers on a scale of five steps, and a category."""
    found = _frame(rng.choice(5, size=(n, 5), p=[0.1, 0.2, 0.4, 0.2, 0.1]).astype(float))
    return found.assign(kind=rng.choice(list("abcd"), n, p=[0.4, 0.3, 0.2, 0.1]))


def _mixed(rng: np.random.Generator, n: int) -> pd.DataFrame:
    found = _normals(rng, n).iloc[:, :3]
    return found.assign(
        spend=np.exp(rng.normal(size=n)),
        web=rng.random(n) < 0.3,
        plan=rng.choice(["basic", "gold", "silver"], n, p=[0.6, 0.1, 0.3]),
    )


NOISE: dict[str, Draw] = {
    "normals": _normals,
    "correlated normals": _correlated,
    "spend": _spend,
    "uniform": _uniform,
    "yes/no": _yes_no,
    "scale": _scale,
    "mixed": _mixed,
}
FOR = {
    "kmeans": ("normals", "correlated normals", "spend", "uniform", "yes/no"),
    "kprototypes": ("mixed", "correlated normals", "spend", "yes/no"),
    "latent_classes": ("yes/no", "scale"),
    "mixtures": ("normals", "correlated normals", "spend", "uniform"),
}


def _frame(values: Any) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"t{j}" for j in range(values.shape[1])])


def noise(method: str, seed: int, n: int) -> dict[str, Any]:
    """Fit a table without groups; right is that none are found: no segments, or regions of one cloud and told to be so.

    Traits that rise and fall together do have structure (reproducible), but no groups.
    """
    kind = FOR[method][seed % len(FOR[method])]
    table = NOISE[kind](np.random.default_rng([seed, 7]), n)
    report = METHODS[method](traits=["*"]).fit(table, seed=seed).report
    return {"kind": kind, **_told(report), "right": report["verdict"] != "natural" and not report["groups"]}


# Where groups are -----------------------------------------------------------------------------------------------------

# groups, whether their sizes are equal, share of the values that is not known
CASES = tuple((k, equal, gaps) for gaps in (0.0, 0.2, 0.4) for equal in (True, False) for k in (2, 3, 4, 5, 6))


def planted(method: str, seed: int, n: int) -> dict[str, Any]:
    """Fit a table with groups; right is their number, and a refusal is neither right nor wrong."""
    k, equal, gaps = CASES[seed % len(CASES)]
    rng = np.random.default_rng([seed, 8])
    shares = np.ones(k) / k if equal else np.linspace(1, 3, k) / np.linspace(1, 3, k).sum()
    group = rng.choice(k, size=n, p=shares)
    table = _answers(rng, group, k) if method == "latent_classes" else measures(rng, group, k)
    if method == "kprototypes":
        table = table.iloc[:, :4].assign(plan=_levels(rng, group, k), web=rng.random(n) < np.where(group % 2, 0.9, 0.1))
    missing = rng.random(table.shape) < gaps
    table = table.astype({c: object for c in table if table[c].dtype == bool}).mask(missing)
    kind = f"{k} {'equal' if equal else 'unequal'}, {gaps:.0%} gaps"
    try:
        found = METHODS[method](traits=["*"]).fit(table, seed=seed)
    except FitError as error:
        return {"kind": kind, "refused": error.args[0], "right": None}
    placed = found.assign(table)["segment"]
    proper = placed.isin(found.names).to_numpy()
    agreement = adjusted_rand(group[proper], pd.factorize(placed[proper])[0])
    report = found.report
    right = report["k"] == k and report["groups"]
    return {"kind": kind, **_told(report), "ari": round(agreement, 3), "right": right}


def measures(rng: np.random.Generator, group: Any, k: int) -> pd.DataFrame:
    """Five numbers; the groups stand four standard deviations apart or more."""
    centres = 4 * np.array([[(g >> bit) & 1 for bit in range(3)] for g in range(k)], dtype=float)
    centres = np.column_stack([centres, 2 * (np.arange(k) % 2), 2 * (np.arange(k) // 2 % 2)])
    return _frame(centres[group] + rng.normal(size=(len(group), 5)))


def _levels(rng: np.random.Generator, group: Any, k: int) -> Any:
    own = rng.random(len(group)) < 0.8
    return np.array(list("abcdef"))[np.where(own, group, rng.integers(k, size=len(group)))]


def _answers(rng: np.random.Generator, group: Any, k: int) -> pd.DataFrame:
    """Twelve yes/no answers; every group says yes to its own items with a probability of 0.9, to others of 0.1."""
    own = np.zeros((k, 12), dtype=bool)
    for g in range(k):
        own[g, [(2 * g + j) % 12 for j in range(4)]] = True
    return _frame(rng.random((len(group), 12)) < np.where(own[group], 0.9, 0.1))


# A behaviour that nothing tells ---------------------------------------------------------------------------------------

_TRAITS = 24
BEHAVIOURS = ("unrelated traits", "related traits", "one trait tells")


def behaviour(_: str, seed: int, n: int) -> dict[str, Any]:
    """Learn an objective of which nothing, or the trait t0 alone, tells; right is that nothing else goes with it.

    A quarter of the traits each are normals, amounts, answers and categories with gaps. Corrected p-values promise that
    of those called favourable at most one in twenty is none, on average: where nothing tells, that anything is found in
    at most one in twenty fits.
    """
    kind = BEHAVIOURS[seed % len(BEHAVIOURS)]
    rng = np.random.default_rng([seed, 9])
    table = _of_all_kinds(rng, n, related=kind == "related traits")
    told = table["t0"] if kind == "one trait tells" else 0.0
    behaves = rng.random(n) < 1 / (1 + np.exp(1.5 - told))
    kinds = ("number", "number", "boolean", "category")
    specs = {t: Trait(t, Model.BEHAVIORAL, kinds[j % 4], t, needs=(f"customers.{t}",)) for j, t in enumerate(table)}
    specs["met"] = Trait("met", Model.BEHAVIORAL, "boolean", "met", needs=("customers.met",))
    sample = table.assign(met=behaves, **{objectives.MET.name: behaves})
    aim = objectives.aim("random", Objective(behaviour="met"), Learning(sample, specs, "random", seed=seed),
                         as_of=date(2026, 1, 1))  # fmt: skip
    found = [f.trait for f in aim.favourable]
    false = [t for t in found if t != "t0" or kind != "one trait tells"]
    return {"kind": kind, "tried": aim.tried, "found": len(found), "false": len(false), "scored": not aim.refused,
            "right": not false}  # fmt: skip


def _of_all_kinds(rng: np.random.Generator, n: int, *, related: bool) -> pd.DataFrame:
    """Numbers, amounts, answers and categories in turns, a tenth not known; ``related`` ones correlate at about 0.5."""
    values = rng.normal(size=(n, _TRAITS))
    if related:
        values = np.sqrt(0.5) * values + np.sqrt(0.5) * rng.normal(size=(n, 1))
    table = _frame(values)
    for j, name in enumerate(table):
        if j % 4 == 1:
            table[name] = np.exp(3 + table[name]).round(2)
        elif j % 4 == 2:
            table[name] = (table[name] > 0.5).astype("boolean")
        elif j % 4 == 3:
            table[name] = np.array(list("abcde"))[np.digitize(table[name], [-1, 0, 0.5, 1.5])]
            table[name] = table[name].astype(object).mask(rng.random(n) < 0.1)
    return table


# Told -----------------------------------------------------------------------------------------------------------------


def _told(report: Mapping[str, Any]) -> dict[str, Any]:
    return {key: report[key] for key in ("k", "verdict", "groups", "passed")}


def summed(lines: Iterable[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
    """The share of right answers by method or by kind, with its interval."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for line in lines:
        if line["right"] is not None:
            groups[line[by]].append(line["right"])
    found = []
    for name, right in groups.items():
        low, high = binomtest(sum(right), len(right)).proportion_ci(method="wilson")
        found.append({by: name, "fits": len(right), "right": sum(right), "from": round(low, 3), "to": round(high, 3)})
    return found


STUDIES = {"noise": noise, "planted": planted, "objectives": behaviour}


def main(arguments: Sequence[str]) -> int:
    """Fit and tell; gives 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structure", description=__doc__)
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("methods", nargs="*", default=list(METHODS), help="default: all")
    parser.add_argument("--seeds", type=int, default=100, help="fits per method")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--customers", type=int, default=1000)
    chosen = parser.parse_args(arguments)
    choosing.INTERACTIVE = QUICK
    run = STUDIES[chosen.study]
    if chosen.study == "objectives":
        chosen.methods = ["objective"]
    lines = []
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        for method in chosen.methods:
            began = time.process_time()
            line = {"method": method, "seed": seed, **run(method, seed, chosen.customers)}
            lines.append({**line, "seconds": round(time.process_time() - began, 1)})
            print(json.dumps(lines[-1]), flush=True)
    for by in ("method", "kind"):
        for total in summed(lines, by):
            print(json.dumps({"study": chosen.study, "customers": chosen.customers, **total}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
