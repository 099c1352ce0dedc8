"""The frozen themes: plain data, and how much of each is in a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from segmentry.stats.themes import Themes
from segmentry.texts import Languages, code_of, terms_of

UNITS = 1_000_000  # a text's themes add up to so many, so that customers' sums are exact


@dataclass(frozen=True)
class Theme:
    """One theme: its label of two or three words, those that tell it, and the language of most of its texts."""

    label: str
    words: tuple[str, ...]
    language: str
    share: float  # of the texts of its languages in the sample
    customers: int  # in the sample, whose text is mostly about it


@dataclass(frozen=True)
class Group:
    """The themes of some languages: which stems count, how rare they are, and their weight in each theme."""

    languages: tuple[str, ...]
    terms: tuple[str, ...]
    rarity: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]  # a row per theme
    agreement: Mapping[str, float]  # by number of themes tried: how well the least stable came back
    seed: int

    @cached_property
    def themes(self) -> Themes:
        """As the mathematics has them."""
        weights = np.array(self.weights)
        return Themes(self.terms, np.array(self.rarity), weights, np.zeros(len(weights)), {}, 0.0, self.seed)


@dataclass(frozen=True)
class ThemeModel:
    """What was learned: ``kinds`` of texts with the language of most of each, ``languages`` that people write, the
    ``groups`` of languages with themes of their own, and all ``themes`` in the order of the groups."""

    kinds: Mapping[str, str]
    languages: tuple[str, ...]
    groups: tuple[Group, ...]
    themes: tuple[Theme, ...]

    @property
    def schema(self) -> ibis.Schema:
        """Of :meth:`scored`."""
        return ibis.schema({"text_id": "string", **{f"theme_{i}": "int32" for i in range(len(self.themes))}})

    def scored(self, texts: pa.RecordBatch) -> pa.RecordBatch:
        """How much of each theme is in each text, in millionths; nothing of any where it has no known word."""
        found = self.amounts(texts.column("text").to_pylist(), texts.column("kind").to_pylist(),
                             texts.column("language").to_pylist())  # fmt: skip
        units = np.floor(found * UNITS + 0.5).astype(np.int32)
        ids = texts.column("text_id").cast(pa.string())
        columns = [pa.array(units[:, i]) for i in range(len(self.themes))]
        return pa.RecordBatch.from_arrays([ids, *columns], schema=self.schema.to_pyarrow())

    def amounts(self, texts: Sequence[str], kinds: Sequence[str], spoken: Sequence[str]) -> np.ndarray[Any, Any]:
        """(texts, themes) shares of the themes; each text has those of the group of its language only."""
        languages = [self.language_of(*each) for each in zip(texts, kinds, spoken, strict=True)]
        made = np.zeros((len(texts), len(self.themes)))
        first = 0
        for group in self.groups:
            rows = [i for i, language in enumerate(languages) if language in group.languages]
            documents = [[term for term, _ in terms_of(texts[i], languages[i])] for i in rows]
            last = first + len(group.weights)
            if rows:
                with threadpool_limits(limits=1):  # as they were learned: the same digits on any number of threads
                    made[np.array(rows), first:last] = group.themes.of(documents)
            first = last
        return made

    def language_of(self, text: str, kind: str, spoken: str) -> str:
        """The language of a text: its own, else its writer's, else that of most texts of the kind."""
        return self._identified.of(text, code_of(spoken), self.kinds.get(kind))

    @cached_property
    def _identified(self) -> Languages:
        return Languages(self.languages)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ThemeModel:
        """What :meth:`to_json` made plain data of."""
        groups = tuple(
            Group(
                tuple(g["languages"]),
                tuple(g["terms"]),
                tuple(g["rarity"]),
                tuple(tuple(row) for row in g["weights"]),
                g["agreement"],
                g["seed"],
            )
            for g in data["groups"]
        )
        themes = tuple(Theme(**{**t, "words": tuple(t["words"])}) for t in data["themes"])
        return cls(data["kinds"], tuple(data["languages"]), groups, themes)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "kinds": dict(self.kinds),
            "languages": list(self.languages),
            "themes": [{**t.__dict__, "words": list(t.words)} for t in self.themes],
            "groups": [
                {
                    "languages": list(g.languages),
                    "terms": list(g.terms),
                    "rarity": list(g.rarity),
                    "weights": [list(row) for row in g.weights],
                    "agreement": dict(g.agreement),
                    "seed": g.seed,
                }
                for g in self.groups
            ],
        }
