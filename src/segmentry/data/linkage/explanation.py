"""Why records are one: the links of a cluster, each field's evidence in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segmentry.data.linkage.linking import Linked


@dataclass(frozen=True)
class Link:
    """One link between two records: how it was found, and what speaks for and against it, strongest first."""

    left_key: int
    right_key: int
    probability: float
    how: str
    evidence: tuple[str, ...]


def explain(linked: Linked, keys: Sequence[int]) -> tuple[Link, ...]:
    """The links between the records of ``keys``, such as those of one cluster, in the order of their keys.

    A weighed link says of each field how far it agrees, its weight of evidence (the log2 Bayes factor: plus speaks for
    one entity, minus against it), and the odds that it stands for; before that, how rare a link is at all.
    """
    pairs = linked.pairs
    asked = [int(key) for key in keys]
    rows = pairs.filter(pairs["left_key"].isin(asked), pairs["right_key"].isin(asked)).order_by("left_key", "right_key")
    prior = linked.facts.get("prior")
    return tuple(
        Link(r["left_key"], r["right_key"], r["probability"], r["how"], _evidence(r["weights"], prior))
        for r in rows.to_pyarrow().to_pylist()
    )


def _evidence(weights: str | None, prior: float | None) -> tuple[str, ...]:
    if weights is None:
        return ()
    found: Mapping[str, Any] = json.loads(weights)
    fields = sorted(found.items(), key=lambda item: (-abs(item[1]["weight"]), item[0]))
    told = [f"{name.replace('_', ' ')}: {f['level']}, {in_words(f['weight'])}" for name, f in fields]
    start = [f"two records at random: {in_words(math.log2(prior / (1 - prior)))}"] if prior else []
    return (*start, *told)


def in_words(weight: float) -> str:
    """A weight of evidence with its odds.

    >>> in_words(6.15), in_words(-2.0), in_words(0.0)
    ('+6.2 (71 to 1)', '-2.0 (1 to 4)', '+0.0 (1 to 1)')
    """
    odds = 2.0 ** min(abs(weight), 60)
    rounded = f"{round(odds):,}" if odds < 1000 else f"{float(f'{odds:.2g}'):,.0f}"
    return f"{weight:+.1f} " + (f"({rounded} to 1)" if weight >= 0 else f"(1 to {rounded})")
