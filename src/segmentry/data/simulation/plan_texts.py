"""What the simulated customers write: answers to "why this score?" and messages to support. Data only.

A text is put together from an opening, a body and an ending. ``{product}``, ``{days}`` and ``{place}`` are filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

THINGS = (
    "headphones", "laptop", "printer", "monitor", "smart lamp", "tablet", "office chair", "keyboard", "charger",
    "soundbar", "thermostat", "phone",
)  # fmt: skip


# --- the main reason for a recommendation score -----------------------------------------------------------------------


@dataclass(frozen=True)
class Theme:
    """What an answer is about: how often, and what promoters (9-10), passives (7-8) and detractors (0-6) say."""

    name: str
    weight: tuple[float, float, float]  # among promoters, passives, detractors
    promoters: tuple[str, ...]
    passives: tuple[str, ...]
    detractors: tuple[str, ...]


THEMES = (
    Theme(
        "delivery", (0.20, 0.20, 0.26),
        ("delivery was really quick", "arrived the next day in perfect condition", "the courier kept me informed",
         "my {product} came {days} days early"),
        ("delivery was ok but not fast", "delivery took {days} days, the rest was fine",
         "good shop, the delivery slot was missed once"),
        ("delivery took {days} days", "my parcel was left in the rain", "still waiting for my {product} after {days} "
         "days", "the courier never rang the bell"),
    ),
    Theme(
        "price", (0.16, 0.24, 0.18),
        ("the best price I could find for a {product}", "great value for money", "the offers are really good"),
        ("prices are fair but not the lowest", "a bit dearer than elsewhere", "good range, prices went up lately"),
        ("prices have gone up a lot", "found the same {product} cheaper the next day", "too expensive for what it is"),
    ),
    Theme(
        "advice", (0.20, 0.14, 0.12),
        ("staff in {place} really know what they talk about", "got very good advice on which {product} to buy",
         "somebody took the time to explain it to me"),
        ("the advice was friendly but a bit general", "chat was helpful after a wait"),
        ("nobody could tell me which {product} fits", "was sold the wrong {product}", "no advice at all in {place}"),
    ),
    Theme(
        "returns", (0.08, 0.12, 0.20),
        ("returning a {product} was no trouble at all", "money back within {days} days"),
        ("the return worked but the refund took {days} days", "had to print the label myself"),
        ("still no refund after {days} days", "returning the {product} is a nightmare", "they refused my return"),
    ),
    Theme(
        "app", (0.16, 0.14, 0.10),
        ("the app is a pleasure to use", "ordering in the app takes a minute", "love the barcode scanner in the app"),
        ("the app is fine but search is poor", "app logs me out now and then"),
        ("the app crashes all the time", "cannot log in to the app since the update", "the app lost my basket twice"),
    ),
    Theme(
        "quality", (0.20, 0.16, 0.14),
        ("my {product} works perfectly", "really good quality", "the {product} just works, year after year"),
        ("quality is decent", "the {product} does what it should"),
        ("the {product} broke after {days} days", "poor quality", "second {product} that is faulty"),
    ),
)  # fmt: skip

OPENINGS = ("", "", "", "Honestly, ", "I must say ", "For me: ", "Simply put, ", "Mostly because ")
ENDINGS = ("", "", "", ".", "!", ". Will be back.", ". Thanks", ", that is all", "...")

# The same themes in the order above, in other languages: (promoters, passives, detractors) for each.
OTHER_LANGUAGES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "cy": (
        ("danfon cyflym iawn", "danfon yn iawn, ond braidd yn araf", "roedd y parsel yn hwyr iawn"),
        ("pris gwych", "prisiau teg", "llawer rhy ddrud"),
        ("staff cyfeillgar a chymorth da iawn", "cyngor digon da", "dim cyngor o gwbl yn y siop"),
        ("roedd dychwelyd y nwyddau yn hawdd", "ad-daliad braidd yn araf", "dim ad-daliad eto"),
        ("mae'r ap yn hawdd ei ddefnyddio", "mae'r ap yn iawn", "nid yw'r ap yn gweithio"),
        ("ansawdd da iawn", "ansawdd digon da", "torrodd ar ôl wythnos"),
    ),
    "de": (
        ("sehr schnelle Lieferung", "Lieferung war in Ordnung", "die Lieferung kam viel zu spät"),
        ("bester Preis weit und breit", "Preise sind in Ordnung", "viel zu teuer geworden"),
        ("sehr gute Beratung", "Beratung war freundlich", "keine Beratung bekommen"),
        ("Rückgabe ganz unkompliziert", "Rückgabe hat etwas gedauert", "warte immer noch auf mein Geld"),
        ("die App ist super", "App ist okay", "die App stürzt ständig ab"),
        ("tolle Qualität", "Qualität passt", "nach zwei Wochen kaputt"),
    ),
    "fr": (
        ("livraison très rapide", "livraison correcte", "colis arrivé très en retard"),
        ("meilleur prix", "prix corrects", "beaucoup trop cher"),
        ("très bons conseils", "conseils corrects", "aucun conseil en magasin"),
        ("retour très facile", "remboursement un peu lent", "toujours pas remboursé"),
        ("l'appli est très pratique", "appli correcte", "l'appli plante sans arrêt"),
        ("très bonne qualité", "qualité correcte", "tombé en panne après une semaine"),
    ),
}
# Who answers in which language: by region or country, else by anybody now and then.
LANGUAGE_SHARES: Mapping[str, Mapping[str, float]] = {
    "cy": {"Wales": 0.25}, "de": {"Germany": 0.6}, "fr": {"France": 0.6},
}  # fmt: skip
LANGUAGE_ELSE = 0.004


# --- support tickets --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matter:
    """What a ticket is about: how common, how long it takes, and what people write."""

    name: str
    weight: float
    minutes: float  # median handling time
    tags: str
    subjects: tuple[str, ...]
    bodies: tuple[str, ...]
    by_need: Mapping[str, float] = field(default_factory=dict)  # factors other than 1
    unhappy: float = 1.0  # factor for people whose satisfaction is below 5
    ease: float = 0.0  # how much easier than usual it is to get it solved, in points of 1 to 7
    content: float = 0.0  # how much more satisfied than usual people are with the help, in points of 0 to 10


MATTERS = (
    Matter(
        "delivery", 0.24, 7, "delivery order",
        ("Where is my order?", "Parcel not here yet", "Late delivery", "Tracking says delivered"),
        ("I ordered a {product} {days} days ago and it is not here yet.", "Tracking has not moved for {days} days.",
         "The courier says delivered, but there is no parcel.", "When can I expect my {product}?"),
        unhappy=1.5, ease=0.3, content=-0.3,
    ),
    Matter(
        "return", 0.20, 9, "return refund",
        ("Return of my order", "Refund please", "Send back a {product}", "How do I return this?"),
        ("I would like to return the {product}. How does that work?", "I sent the {product} back {days} days ago and "
         "have no refund.", "Wrong size of {product}, please send me a label.", "The label you sent does not print."),
        {"price first": 1.3}, ease=-0.2,
    ),
    Matter(
        "faulty product", 0.15, 16, "faulty warranty",
        ("Faulty {product}", "{product} stopped working", "Warranty claim", "Broken on arrival"),
        ("The {product} does not switch on any more after {days} days.", "There is a crack in the {product}.",
         "My {product} makes a strange noise. Is that under warranty?", "It worked for {days} days, then nothing."),
        {"peace of mind": 1.6}, unhappy=1.4, ease=-0.6, content=-0.5,
    ),
    Matter(
        "set-up help", 0.14, 21, "setup howto",
        ("Help with set-up", "Cannot connect my {product}", "How do I install the {product}?", "Wi-Fi problem"),
        ("I cannot get the {product} to connect to my Wi-Fi.", "The instructions for the {product} are no help. What do"
         " I press?", "Could somebody guide me through the set-up on the phone?", "It asks for a code. Which one?"),
        {"keep it simple": 2.6, "latest and fastest": 0.4}, ease=-1.0, content=0.3,
    ),
    Matter(
        "invoice", 0.09, 6, "billing",
        ("Invoice needed", "Wrong VAT number", "Charged twice", "Copy of invoice"),
        ("Please send me an invoice with our company name.", "I was charged twice for the same {product}.",
         "Our VAT number is missing on the invoice.", "I need the invoice for my expenses by Friday."),
        {"price first": 1.2}, ease=0.5, content=0.4,
    ),
    Matter(
        "product advice", 0.10, 12, "presales advice",
        ("Question before I buy", "Which {product}?", "Is it compatible?", "Difference between two models"),
        ("Does the {product} work with my old one?", "Which {product} would you recommend for a small flat?",
         "Will there be a newer {product} soon?", "Can I try the {product} in {place}?"),
        {"keep it simple": 1.5, "latest and fastest": 1.3, "style and conscience": 1.3}, ease=0.3, content=0.6,
    ),
    Matter(
        "complaint", 0.08, 24, "complaint",
        ("Complaint", "Very disappointed", "Third time I write", "Not acceptable"),
        ("This is the third time I write about my {product}.", "I have been waiting on the phone for ages.",
         "You raised the price of the {product} overnight.", "Nobody in {place} wanted to help me."),
        unhappy=3.5, ease=-1.8, content=-2.0,
    ),
)  # fmt: skip

GREETINGS = ("Hello, ", "Hi there, ", "Hi, ", "Dear team, ", "Good morning, ", "", "")
FAREWELLS = (" Thanks", " Kind regards", " Thank you very much!", " Please get back to me soon.", " Cheers", "", "")
