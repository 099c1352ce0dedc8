"""Which devices and technologies customers use."""

from __future__ import annotations

from segmentry.catalogue.trait import Trait

TECHNOGRAPHIC: tuple[Trait, ...] = ()
