"""What all lifetime models share: positive parameters by name, how well they are known, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from segmentry.errors import ArtefactError, UsageError
from segmentry.stats.lifetime.cells import Floats
from segmentry.stats.lifetime.estimate import Estimate, normal_quantile

_STEP = 1e-4  # of a logarithm: central differences then err by 1e-8 of a figure


@dataclass(frozen=True)
class Model:
    """A frozen model: its fields are its parameters.

    Attributes:
        estimate: how the parameters were found and how well they are known; None if they were given.
    """

    kind: ClassVar[str]
    estimate: Estimate | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"{type(self).__name__}: {name} is {value}.", why="It is a finite number above 0.")

    @property
    def parameters(self) -> dict[str, float]:
        """Parameter -> value, in the order of the paper."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "estimate"}

    @property
    def fitted(self) -> Estimate:
        """The estimate; raises :class:`UsageError` if the parameters were given."""
        if self.estimate is None:
            raise UsageError(
                f"This {type(self).__name__} was made from given parameters.",
                why="How well they are known is not said, so there is no interval.",
                fix="Fit it, or use its figures without intervals.",
            )
        return self.estimate

    @property
    def standard_errors(self) -> dict[str, float]:
        """Parameter -> standard error, in the unit of the parameter."""
        variances = np.diag(self.fitted.covariance)
        return {n: v * math.sqrt(s) for (n, v), s in zip(self.parameters.items(), variances, strict=True)}

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Parameter -> interval, symmetric in its logarithm (Wald)."""
        z = normal_quantile(level)
        reach = [math.exp(z * math.sqrt(s)) for s in np.diag(self.fitted.covariance)]
        return {n: (v / factor, v * factor) for (n, v), factor in zip(self.parameters.items(), reach, strict=True)}

    def slopes(self, figure: Callable[[Self], Floats]) -> Floats:
        """(parameters, ...) derivatives of a figure in the logarithms of the parameters, for the delta method."""
        make: Any = type(self)
        rows = []
        for name, value in self.parameters.items():
            up, down = (make(**{**self.parameters, name: value * math.exp(step)}) for step in (_STEP, -_STEP))
            rows.append((figure(up) - figure(down)) / (2 * _STEP))
        return np.array(rows)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it; nothing about single customers is in it."""
        told = None if self.estimate is None else self.estimate.to_dict()
        return {"kind": self.kind, "parameters": self.parameters, "estimate": told}

    def to_json(self) -> str:
        """``to_dict`` as text; ``from_json`` gives back an equal model."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """What ``to_dict`` wrote; raises :class:`ArtefactError` if it is something else."""
        if given.get("kind") != cls.kind:
            raise ArtefactError(
                f"This is a {given.get('kind')!r}, not a {cls.kind!r}.", fix="Read it with its own class."
            )
        try:
            told = given["estimate"]
            estimate = None if told is None else Estimate.from_dict(told)
            values = {name: float(value) for name, value in given["parameters"].items()}
            return cls(**values, estimate=estimate)
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
            raise ArtefactError(
                f"A {cls.kind} model is damaged: {error!r}.",
                fix="Fit it anew, or bring back the file that was written.",
            ) from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What ``to_json`` wrote; raises :class:`ArtefactError` if it is something else."""
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise ArtefactError(
                f"This is not JSON: {error}.", fix=f"Give what {cls.__name__}.to_json wrote."
            ) from error
        if not isinstance(given, dict):
            raise ArtefactError("This is not a JSON object.", fix=f"Give what {cls.__name__}.to_json wrote.")
        return cls.from_dict(given)
