"""The plan of the demo company: all assumptions about its people, shop, accounts and events. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segmentry.data.simulation.plan_groups import GROUPS, GUESTS, Group
from segmentry.data.simulation.plan_people import (
    ATTITUDE_LEANINGS,
    ATTITUDE_SEGMENTS,
    FIRST_NAMES,
    LAST_NAMES,
    NEED_LEANINGS,
    NEEDS,
    OCCUPATIONS,
    AttitudeSegment,
    Leanings,
    NeedsSegment,
    Occupation,
)
from segmentry.data.simulation.plan_shop import (
    BRANDS,
    CATEGORIES,
    PLACES,
    SEASONS,
    SPELLINGS,
    STORES,
    Category,
    Place,
    Season,
    Store,
)


@dataclass(frozen=True)
class Campaign:
    """An e-mail to a random half of the newsletter's readers, and what it does to the orders of the days after it."""

    month: int  # of the window
    day: int  # of that month, counted from 0
    hour: int
    days: int  # how long it works
    treated: float  # share of the readers who get it
    extra: Mapping[str, float]  # group -> orders more per mailed person who is still active
    spoiled: Mapping[str, float]  # group -> share of the orders that the mail puts off


@dataclass(frozen=True)
class PriceRise:
    """New list prices from one day on, and whom they drive away."""

    month: int
    categories: tuple[str, ...]
    factor: float
    kept: Mapping[str, float]  # group -> share of the orders that are still placed
    stopped: Mapping[str, float]  # group -> members who order nothing any more, within two months


@dataclass(frozen=True)
class Plan:
    """All that the simulation needs to know about the company, beside its size and its seed."""

    months: int
    groups: tuple[Group, ...]
    guests: Group
    occupations: tuple[Occupation, ...]
    needs: tuple[NeedsSegment, ...]
    need_leanings: Leanings
    attitudes: tuple[AttitudeSegment, ...]
    attitude_leanings: Leanings
    categories: tuple[Category, ...]
    seasons: tuple[Season, ...]
    places: tuple[Place, ...]
    stores: tuple[Store, ...]
    spellings: Mapping[str, tuple[str, ...]]  # the ways in which a country is mistyped
    brands: tuple[str, ...]
    first_names: Mapping[str, tuple[str, ...]]  # by gender code
    last_names: tuple[str, ...]
    value_levels: Mapping[str, float]  # name -> least planned spend over the window, ascending
    campaign: Campaign
    price_rise: PriceRise
    missing_month: int  # a week of this month of the window is missing from the shop's export

    @property
    def everyone(self) -> tuple[Group, ...]:
        """The groups of registered customers, then the guests."""
        return (*self.groups, self.guests)


PLAN = Plan(
    months=24,
    groups=GROUPS,
    guests=GUESTS,
    occupations=OCCUPATIONS,
    needs=NEEDS,
    need_leanings=NEED_LEANINGS,
    attitudes=ATTITUDE_SEGMENTS,
    attitude_leanings=ATTITUDE_LEANINGS,
    categories=CATEGORIES,
    seasons=SEASONS,
    places=PLACES,
    stores=STORES,
    spellings=SPELLINGS,
    brands=BRANDS,
    first_names=FIRST_NAMES,
    last_names=LAST_NAMES,
    value_levels={"low": 0.0, "middle": 250.0, "high": 1500.0},
    campaign=Campaign(
        month=22,
        day=13,
        hour=10,
        days=30,
        treated=0.5,
        extra={"tech enthusiasts": 0.06, "seasonal gift buyers": 0.10, "content creators": 0.12},
        spoiled={"bargain hunters": 0.5},
    ),
    price_rise=PriceRise(
        month=10,
        categories=("Accessories", "Audio", "Smart home", "Gifts & games"),
        factor=1.12,
        kept={"bargain hunters": 0.5},
        stopped={"bargain hunters": 0.15},
    ),
    missing_month=17,
)
