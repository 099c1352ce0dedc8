"""Who the people of the demo company are: their work, what they need, what they think, what they are called. Data only.

The tables are assumptions. Needs and attitudes lean on behaviour, age and work without following from them: a segment's
weight is the product of three rows, one each of its group, its age band and its occupation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AGE_BANDS = (25, 40, 61)  # under 25, 25 to 39, 40 to 60, over 60: the first years of the later bands
ATTITUDES = ("innovativeness", "price_consciousness", "brand_loyalty", "privacy_concern")
ATTITUDE_SPREAD = 0.6  # standard deviation within a segment, where the scores of all customers have about 1


@dataclass(frozen=True)
class Occupation:
    """A kind of work: its weight in every age band, and how its people buy tablets."""

    name: str
    by_age: tuple[float, ...]
    works: bool  # can be the contact of a business account
    tablet: float  # share of those with an order who buy a tablet
    tablet_shift: float = 0.0  # which: in standard deviations of the log price
    by_group: Mapping[str, float] = field(default_factory=dict)  # factors other than 1


@dataclass(frozen=True)
class NeedsSegment:
    """What somebody wants from a purchase, and how likely each offer is answered."""

    name: str
    wants: str
    offers: Mapping[str, float]  # offer -> probability of a response


@dataclass(frozen=True)
class AttitudeSegment:
    """Mean scores of a segment on the latent attitudes, in the order of ``ATTITUDES``."""

    name: str
    means: tuple[float, float, float, float]


@dataclass(frozen=True)
class Leanings:
    """Weights of a list of segments by behaviour group, and factors by age band and occupation, in the list's order."""

    by_group: Mapping[str, tuple[float, ...]]
    by_age: tuple[tuple[float, ...], ...]
    by_occupation: Mapping[str, tuple[float, ...]]  # occupations that are not named have factors of 1


OCCUPATIONS = (
    Occupation("student", (0.62, 0, 0, 0), False, 0.45, -0.9),
    Occupation("executive", (0, 0.02, 0.14, 0.02), True, 0.4, 0.9,
               {"lapsed big spenders": 2.0, "office replenishers": 1.5}),
    Occupation("teacher", (0.03, 0.10, 0.11, 0.03), True, 0.09),
    Occupation("engineer", (0.06, 0.16, 0.12, 0.03), True, 0.06, 0.3, {"tech enthusiasts": 2.5}),
    Occupation("office worker", (0.13, 0.28, 0.26, 0.05), True, 0.04, 0.0, {"office replenishers": 1.5}),
    Occupation("health worker", (0.06, 0.14, 0.13, 0.03), True, 0.04),
    Occupation("tradesperson", (0.07, 0.15, 0.12, 0.03), True, 0.02),
    Occupation("freelancer", (0.03, 0.15, 0.10, 0.03), True, 0.08, 0.2, {"content creators": 3.0}),
    Occupation("retired", (0, 0, 0.02, 0.78), False, 0.05, -0.2),
)  # fmt: skip

OFFERS = ("10 % off", "five-year warranty", "early access", "set-up at home")

NEEDS = (
    NeedsSegment("price first", "the lowest price",
                 {"10 % off": 0.30, "five-year warranty": 0.05, "early access": 0.03, "set-up at home": 0.03}),
    NeedsSegment("peace of mind", "something that just works, with a long warranty",
                 {"10 % off": 0.09, "five-year warranty": 0.26, "early access": 0.04, "set-up at home": 0.08}),
    NeedsSegment("latest and fastest", "the newest and fastest",
                 {"10 % off": 0.06, "five-year warranty": 0.06, "early access": 0.28, "set-up at home": 0.02}),
    NeedsSegment("keep it simple", "easy to choose, easy to set up, advice when needed",
                 {"10 % off": 0.08, "five-year warranty": 0.10, "early access": 0.02, "set-up at home": 0.24}),
    NeedsSegment("style and conscience", "design, a good brand, made to last and to be repaired",
                 {"10 % off": 0.05, "five-year warranty": 0.13, "early access": 0.17, "set-up at home": 0.04}),
)  # fmt: skip

NEED_LEANINGS = Leanings(
    by_group={
        #                      price  peace  latest simple style
        "office replenishers":  (0.25, 0.40, 0.08, 0.17, 0.10),
        "tech enthusiasts":     (0.10, 0.12, 0.52, 0.06, 0.20),
        "bargain hunters":      (0.62, 0.12, 0.08, 0.10, 0.08),
        "seasonal gift buyers": (0.18, 0.17, 0.08, 0.30, 0.27),
        "one-time buyers":      (0.28, 0.22, 0.12, 0.25, 0.13),
        "lapsed big spenders":  (0.08, 0.34, 0.26, 0.12, 0.20),
        "new customers":        (0.22, 0.16, 0.24, 0.18, 0.20),
        "never ordered":        (0.30, 0.18, 0.12, 0.25, 0.15),
        "content creators":     (0.10, 0.14, 0.38, 0.08, 0.30),
        "guests":               (0.28, 0.20, 0.12, 0.25, 0.15),
    },
    by_age=(
        (1.4, 0.7, 1.3, 0.5, 1.3), (1.1, 0.9, 1.2, 0.7, 1.1), (0.9, 1.1, 0.9, 1.1, 0.9), (0.8, 1.2, 0.5, 1.8, 0.7),
    ),
    by_occupation={
        "student": (1.6, 0.7, 1.1, 0.7, 1.1), "executive": (0.4, 1.2, 1.5, 1.1, 1.3),
        "engineer": (0.8, 1.0, 1.7, 0.5, 0.9), "teacher": (1.1, 1.1, 0.8, 1.2, 1.0),
        "health worker": (1.0, 1.2, 0.8, 1.2, 0.9), "tradesperson": (1.1, 1.4, 0.9, 0.9, 0.7),
        "freelancer": (0.9, 1.0, 1.3, 0.8, 1.4), "retired": (1.0, 1.2, 0.5, 1.6, 0.8),
    },
)  # fmt: skip

ATTITUDE_SEGMENTS = (
    AttitudeSegment("curious pioneers", (1.1, -0.4, -0.2, -0.7)),
    AttitudeSegment("careful savers", (-0.4, 1.1, -0.5, 0.1)),
    AttitudeSegment("loyal traditionalists", (-0.8, -0.4, 1.1, 0.1)),
    AttitudeSegment("private sceptics", (0.1, 0.1, -0.6, 1.2)),
)

ATTITUDE_LEANINGS = Leanings(
    by_group={
        #                      pioneers savers loyal sceptics
        "office replenishers":  (0.15, 0.25, 0.40, 0.20),
        "tech enthusiasts":     (0.55, 0.12, 0.15, 0.18),
        "bargain hunters":      (0.15, 0.55, 0.10, 0.20),
        "seasonal gift buyers": (0.15, 0.25, 0.40, 0.20),
        "one-time buyers":      (0.20, 0.30, 0.20, 0.30),
        "lapsed big spenders":  (0.30, 0.15, 0.25, 0.30),
        "new customers":        (0.35, 0.25, 0.15, 0.25),
        "never ordered":        (0.20, 0.30, 0.15, 0.35),
        "content creators":     (0.60, 0.15, 0.10, 0.15),
        "guests":               (0.15, 0.30, 0.15, 0.40),
    },
    by_age=((1.4, 1.2, 0.6, 0.8), (1.2, 1.0, 0.8, 1.0), (0.9, 1.0, 1.1, 1.1), (0.5, 0.9, 1.6, 1.0)),
    by_occupation={
        "student": (1.1, 1.5, 0.7, 0.8), "executive": (1.3, 0.5, 1.2, 1.1), "engineer": (1.4, 0.9, 0.8, 1.2),
        "freelancer": (1.4, 1.0, 0.8, 1.0), "retired": (0.6, 1.1, 1.3, 1.0),
    },
)  # fmt: skip

FIRST_NAMES = {
    "F": (
        "Olivia", "Amelia", "Isla", "Ava", "Mia", "Grace", "Freya", "Emily", "Sophie", "Chloe", "Zoë", "Siân",
        "Hannah", "Laura", "Sarah", "Emma", "Charlotte", "Lucy", "Rachel", "Rebecca", "Claire", "Nicola", "Helen",
        "Susan", "Karen", "Julie", "Fatima", "Aisha", "Priya", "Mei", "Aoife", "Niamh", "Katarzyna", "Anna", "Marie",
        "Ingrid", "Renée", "Elizabeth", "Margaret", "Jennifer",
    ),
    "M": (
        "Oliver", "George", "Harry", "Noah", "Jack", "Leo", "Arthur", "Muhammad", "Oscar", "Charlie", "James",
        "Thomas", "William", "Daniel", "Matthew", "Andrew", "David", "Paul", "Mark", "Stephen", "Robert", "Peter",
        "Ian", "Gareth", "Callum", "Rhys", "Seán", "Ciarán", "Ahmed", "Raj", "Wei", "Piotr", "Jürgen", "François",
        "Lars", "Sanjay", "Kofi", "Richard", "Michael", "Christopher",
    ),
}  # fmt: skip

LAST_NAMES = (
    "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Robinson", "Wright",
    "Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Khan", "Harris",
    "Lewis", "Turner", "Hill", "Scott", "Cooper", "Morris", "Ward", "Moore", "King", "Watson", "Baker", "Morgan",
    "Bell", "Murphy", "Kelly", "O'Brien", "Walsh", "Ryan", "Byrne", "MacDonald", "Campbell", "Stewart", "Begum",
    "Singh", "Ali", "Ahmed", "Hussain", "Kowalski", "Nowak", "Müller", "Schmidt", "Weber", "Martin", "Bernard",
    "Dubois", "de Vries", "van Dijk", "Jansen", "García", "Silva", "Okafor", "Mensah", "Chen", "Wang", "Nguyen",
    "Cole-Hughes", "Fraser",
)  # fmt: skip

NICKNAMES = {
    "Andrew": "Andy", "Charlotte": "Lottie", "Christopher": "Chris", "Daniel": "Dan", "David": "Dave",
    "Elizabeth": "Liz", "Emily": "Em", "James": "Jim", "Jennifer": "Jen", "Katarzyna": "Kasia", "Margaret": "Maggie",
    "Matthew": "Matt", "Michael": "Mike", "Nicola": "Nicky", "Oliver": "Ollie", "Peter": "Pete", "Rebecca": "Becky",
    "Richard": "Dick", "Robert": "Bob", "Stephen": "Steve", "Susan": "Sue", "Thomas": "Tom", "William": "Bill",
}  # fmt: skip
