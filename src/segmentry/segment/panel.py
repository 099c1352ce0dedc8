"""How many segments, by the panel of evidence, and the solution on the whole sample: the same for every finder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from segmentry.placement import exact
from segmentry.segment.fitting import Learning, Numbers
from segmentry.stats import choosing
from segmentry.stats.finding import Finder, Solution

KS = range(2, 9)
PANEL_ROWS = 2_000
STARTS = 25

S = TypeVar("S", bound=Solution)


def chosen(
    finder: Finder[S], rows: Numbers, learning: Learning, asked: int | None, warnings: list[str]
) -> tuple[S, Mapping[str, Any]]:
    """The solution of the largest accepted number whose segments are all large enough on the whole sample."""
    how = replace(choosing.INTERACTIVE, seed=learning.seed)
    evidence = choosing.panel(
        rows,
        [asked] if asked else KS,
        finder=finder,
        weights=learning.row_weights,
        how=how,
        max_rows=PANEL_ROWS,
        progress=learning.progress,
    )
    verdict = choosing.decide(evidence)
    solution = _solution(finder, rows, learning, asked, verdict, warnings)
    report = {
        "k": solution.k,
        "asked": asked,
        "verdict": verdict.structure,
        "because": verdict.sentence,
        "panel": [_row(option) for option in evidence.options],
        "passed": list(verdict.passed),
        "sizes": [round(n) for n in solution.sizes],
    }
    return solution, report


def _solution(
    finder: Finder[S],
    rows: Numbers,
    learning: Learning,
    asked: int | None,
    verdict: choosing.Verdict,
    warnings: list[str],
) -> S:
    wanted = [asked] if asked else sorted({verdict.k, *verdict.passed}, reverse=True)
    wanted = [k for k in wanted if asked or k <= verdict.k] + ([] if asked else list(range(verdict.k - 1, 1, -1)))
    for k in dict.fromkeys(wanted):
        solution = finder.solve(rows, learning.row_weights, k, STARTS, learning.seed)
        smallest = float(solution.sizes.min() / solution.sizes.sum())
        if smallest >= choosing.MIN_SHARE:
            if k != (asked or verdict.k):
                warnings.append(f"{verdict.k} segments were taken down to {k}: of more, one holds under 5 % of all.")
            return solution
    warnings.append(f"The smallest of the {solution.k} segments holds only {100 * smallest:.1f} % of the customers.")
    return solution


def _row(option: choosing.Option) -> dict[str, Any]:
    found = option.solution
    criteria = {}
    if found.parameters is not None:
        bic = found.parameters * math.log(float(found.sizes.sum())) + 2 * found.loss
        criteria = {"bic": exact(bic), "icl": exact(bic + 2 * (found.overlap or 0.0))}
    return {
        "k": option.k,
        "ari": [exact(float(a)) for a in option.ari],
        "mean_ari": exact(option.mean_ari),
        "jaccard": [exact(float(j)) for j in option.jaccard],
        "min_jaccard": exact(option.min_jaccard),
        "smallest_share": exact(option.smallest_share),
        "loss": exact(found.loss),
        **criteria,
        "failures": list(option.failures),
    }
