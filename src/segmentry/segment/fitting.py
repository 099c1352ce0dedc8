"""What every method gets and gives: the bounded sample it learns on, and the parts of a segmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from segmentry.catalogue import Trait
from segmentry.errors import FitError, did_you_mean
from segmentry.placement import Cascade, Grid, Nearest
from segmentry.segmentation import Segment

Progress = Callable[[int, int], None]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Learning:
    """What a method learns from.

    ``sample`` has one row per unit of the population (a bounded sample of it) and one column per trait; ``specs``
    describe the columns. ``where`` names the place in the config for errors, such as
    ``segmentry.yaml segmentations.value``. ``seed`` makes chance repeatable.
    """

    sample: pd.DataFrame
    specs: Mapping[str, Trait]
    where: str
    seed: int = 1
    progress: Progress | None = None

    def numbers(self, trait: str) -> Numbers:
        """The known, finite values of a numeric trait.

        Raises :class:`FitError` when the trait is not there, is no number, or is known for nobody.
        """
        if trait not in self.specs:
            raise FitError(
                f"{self.where}: there is no trait {trait}.",
                why=did_you_mean(trait, self.specs),
                fix="`segmentry show traits` lists them.",
            )
        if self.specs[trait].kind == "category":
            raise FitError(f"{self.where}: the trait {trait} is a category; a number is needed.")
        values = self.sample[trait].to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        if known.size == 0:
            raise FitError(
                f"{self.where}: the trait {trait} is not known for any customer.",
                fix="Map the data it needs in segmentry.yaml; `segmentry show traits` shows its fill rate.",
            )
        return known


@dataclass(frozen=True)
class Fitted:
    """What a method gives back: the rule, the segments in their order, and what it found out (plain JSON values)."""

    rule: Cascade | Grid | Nearest
    segments: tuple[Segment, ...]
    report: Mapping[str, Any] = field(default_factory=dict)
