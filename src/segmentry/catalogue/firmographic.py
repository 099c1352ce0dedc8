"""What kind of organisation an account is."""

from __future__ import annotations

from segmentry.catalogue.trait import Trait

FIRMOGRAPHIC: tuple[Trait, ...] = ()
