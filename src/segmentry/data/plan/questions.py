"""Survey questions that are ready to be asked: wording, answer scale, how to score, and where the form comes from.

Wordings are neutral, ask one thing each, and let people decline what is private. A battery has at least one item that
is worded the other way round, so that agreeing to everything shows (Paulhus 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["one", "several", "scale", "matrix", "best and worst", "number", "text"]
DECLINE = "Prefer not to say"
AGREE = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
ZERO_TO_TEN = tuple(str(n) for n in range(11))


@dataclass(frozen=True)
class Question:
    """One question.

    ``options`` are the answers (of every item, in a matrix). ``items`` are the statements of a matrix, or what is
    compared in best and worst; ``reverse`` names by position, from 1, the items to turn round before adding up.
    ``scoring`` says how answers become numbers and who published the form.
    """

    wording: str
    form: Form
    options: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    reverse: tuple[int, ...] = ()
    scoring: str = ""
    private: bool = False  # to be asked only where it is needed, last, and with a way to decline

    @property
    def seconds(self) -> int:
        """How long it takes a respondent, roughly: 7 seconds an item, 12 a best-and-worst choice (Puleston 2012)."""
        choices = len(self.items) if self.form == "matrix" else 1
        return 12 * max(1, round(0.75 * len(self.items))) if self.form == "best and worst" else 7 * max(1, choices)


def one(wording: str, *options: str, private: bool = False, scoring: str = "") -> Question:
    """One answer out of several."""
    return Question(wording, "one", (*options, DECLINE) if private else options, private=private, scoring=scoring)


def several(wording: str, *options: str, scoring: str = "") -> Question:
    """All answers that apply."""
    return Question(wording, "several", (*options, "None of these"), scoring=scoring)


def agreement(wording: str, *items: str, reverse: tuple[int, ...], scoring: str = "") -> Question:
    """A battery of statements to agree or disagree with."""
    each = "1 (strongly disagree) to 5 (strongly agree); turn the reverse items round (6 - answer), then the mean"
    return Question(wording, "matrix", AGREE, items, reverse, scoring or f"{each}.")


def zero_to_ten(wording: str, low: str, high: str, scoring: str, *items: str) -> Question:
    """A scale from 0 to 10 with named ends."""
    return Question(
        f"{wording} (0 = {low}, 10 = {high})", "matrix" if items else "scale", ZERO_TO_TEN, items, scoring=scoring
    )


# Demographic ----------------------------------------------------------------------------------------------------------

AGE = one(
    "How old are you?", "Under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65 or over", private=True,
    scoring="The bands of the trait age_band.",
)  # fmt: skip
GENDER = one("How do you describe yourself?", "Female", "Male", "In another way", private=True)
HOUSEHOLD = one("How many people live in your household, you included?", "1", "2", "3", "4", "5 or more", private=True)
CHILDREN = one("How many children under 18 live in your household?", "None", "1", "2", "3 or more", private=True)
INCOME = one(
    "What is the yearly income of your household before tax, all incomes together?",
    "Under 15,000", "15,000 to 24,999", "25,000 to 34,999", "35,000 to 49,999", "50,000 to 74,999",
    "75,000 to 99,999", "100,000 or more",
    private=True,
    scoring="Band midpoints; compare with the national bands before raking. Ask it last.",
)  # fmt: skip
EDUCATION = one(
    "What is the highest level of education that you have finished?",
    "No qualification", "Lower secondary", "Upper secondary", "Vocational or short-cycle tertiary",
    "Bachelor's degree", "Master's degree or higher",
    private=True,
    scoring="Ordered; the groups follow ISCED 2011 (UNESCO).",
)  # fmt: skip
MARITAL = one(
    "What is your family status?", "Single", "Living with a partner", "Married or in a civil partnership",
    "Divorced or separated", "Widowed", private=True,
)  # fmt: skip
OCCUPATION = one(
    "What do you mainly do?", "Employed full time", "Employed part time", "Self-employed", "Student or in training",
    "Looking after home or family", "Looking for work", "Retired", "Something else", private=True,
)  # fmt: skip
LANGUAGE = one("In which language shall we write to you?", "English", "German", "French", "Spanish", "Another one")
ROLE = one(
    "What is your part in decisions to buy products like ours?",
    "I decide",
    "I decide together with others",
    "I recommend",
    "I use them",
    "I have no part in it",
    scoring="Buying-centre roles after Webster and Wind 1972.",
)

# Geographic -----------------------------------------------------------------------------------------------------------

POSTCODE = Question("What are the first letters or digits of your postcode?", "text", private=True)
COUNTRY = Question("In which country do you live?", "text")
AREA = one("Where do you live?", "In a large city", "In a suburb", "In a town", "In a village or the countryside")

# Psychographic --------------------------------------------------------------------------------------------------------

ATTITUDES = agreement(
    "How much do you agree with these statements?",
    "I compare prices in several shops before I buy.",
    "I look out for offers and vouchers.",
    "What something costs hardly matters if I like it.",
    "When I have found a brand I like, I stay with it.",
    "I often switch brands just to try something else.",
    "I would pay more for a brand that I trust.",
    "I would pay more for a product that is kinder to the environment.",
    "I enjoy shopping and take my time.",
    "I want to be done with shopping as quickly as I can.",
    reverse=(3, 5, 9),
    scoring="Price consciousness: items 1, 2, 3; brand loyalty: 4, 5, 6; green: 7; enjoyment: 8, 9. Means of 1 to 5, "
    "reverse items turned round; check Cronbach's alpha.",
)
VALUES = Question(
    "Here are some people. How much is each of them like you?",
    "matrix",
    ("Not like me at all", "Not like me", "A little like me", "Somewhat like me", "Like me", "Very much like me"),
    (
        "It is important to this person to have new ideas and to do things their own way.",
        "It is important to this person to live in safe surroundings.",
        "It is important to this person to be rich and to own expensive things.",
        "It is important to this person to help the people around them.",
        "It is important to this person to care for nature.",
        "It is important to this person to have a good time.",
        "It is important to this person to be very successful.",
        "It is important to this person to keep to customs and traditions.",
    ),
    scoring="1 to 6, each answer less the person's own mean (after the portrait values of Schwartz 2001).",
)
INTERESTS = several(
    "What do you like to spend your free time on?",
    "Sports and outdoors", "Travel", "Cooking and food", "Home and garden", "Music, films and series", "Reading",
    "Gaming", "Making and repairing things", "Fashion and beauty", "Family", "Volunteering", "Technology",
    scoring="Yes or no for each; latent classes on the pattern.",
)  # fmt: skip
PERSONALITY = agreement(
    "I see myself as someone who ...",
    "is outgoing and sociable.", "tends to find fault with others.", "does a thorough job.",
    "gets nervous easily.", "has an active imagination.",
    "is reserved.", "is generally trusting.", "tends to be lazy.", "is relaxed and handles stress well.",
    "has few artistic interests.",
    reverse=(2, 6, 8, 9, 10),
    scoring="Two items a trait, the second of each pair five lines below: extraversion 1 and 6, agreeableness 2 and 7, "
    "conscientiousness 3 and 8, emotional stability 4 and 9 (turned round), openness 5 and 10 (after the BFI-10, "
    "Rammstedt and John 2007).",
)  # fmt: skip

# Technographic --------------------------------------------------------------------------------------------------------

DEVICES = several(
    "Which of these do you use at least once a week?",
    "Android phone", "iPhone", "Tablet", "Windows computer", "Mac", "Smart TV", "Smart speaker", "Smart watch",
    "Games console",
)  # fmt: skip
ADOPTION = agreement(
    "How much do you agree with these statements about technology?",
    "I am usually among the first to try new technology.",
    "I like to find out about new devices before others do.",
    "I wait until others have tried a new product.",
    "I can usually work out new devices without help.",
    "Technology often fails when I need it most.",
    reverse=(3, 5),
    scoring="Mean of 1 to 5, reverse items turned round (after domain-specific innovativeness, Goldsmith and Hofacker "
    "1991, and technology readiness, Parasuraman and Colby 2015).",
)
PRIVACY = agreement(
    "How much do you agree with these statements about data?",
    "I worry about what companies do with my data.",
    "I avoid giving personal details online.",
    "I do not mind being tracked if the offers get better.",
    reverse=(3,),
)
CONTACT_CHANNELS = one(
    "How do you most like to hear from us?", "E-mail", "Text message", "App notification", "Telephone", "Post",
    "In the store", "Not at all",
)  # fmt: skip
STACK = several(
    "Which of these does your company use?", "CRM system", "Marketing automation", "Web shop", "ERP system",
    "Data warehouse", "Help-desk system", "Business intelligence tool",
)  # fmt: skip

# Behavioural ----------------------------------------------------------------------------------------------------------

USAGE = one(
    "How often do you use our product?", "Daily", "Several times a week", "Once a week", "One to three times a month",
    "Less often", "Not any more",
)  # fmt: skip
OCCASION = one(
    "For whom did you buy last time?", "For myself", "For my household", "As a gift", "For my work or company",
    "For somebody else",
)  # fmt: skip
HEARD = one(
    "How did you first hear of us?", "Friends or family", "Web search", "Social media", "Advertisement",
    "Press or a review", "In a store", "An event or fair", "Something else", "I do not remember",
)  # fmt: skip

# Needs ----------------------------------------------------------------------------------------------------------------

_BENEFITS = (
    "Low prices", "Dependable quality", "Fast delivery", "Personal advice", "A wide choice", "Simple returns",
    "Easy to use", "Good design", "Sustainable products", "Long warranty",
)  # fmt: skip
BENEFITS = Question(
    "Which of these is most important to you when you buy from a company like ours, and which is least important?",
    "best and worst",
    ("Most important", "Least important"),
    _BENEFITS,
    scoring="MaxDiff: show four benefits at a time in a balanced design, so that each is seen three times or more; "
    "score = times best less times worst, over times shown (Louviere, Flynn and Marley 2015). Put in your "
    "own benefits, 8 to 15.",
)
IMPORTANCE = zero_to_ten(
    "How important is this to you?", "not at all", "extremely",
    "With satisfaction: opportunity = importance + max(importance - satisfaction, 0) (Ulwick 2002).", *_BENEFITS,
)  # fmt: skip
SATISFACTION = zero_to_ten(
    "How satisfied are you with us on this?", "not at all", "completely", "See importance: ask both of the same items.",
    *_BENEFITS,
)  # fmt: skip
NPS = zero_to_ten(
    "How likely are you to recommend us to a friend or colleague?", "not at all likely", "extremely likely",
    "Promoters 9 and 10, passives 7 and 8, detractors 0 to 6; NPS = share of promoters less share of detractors "
    "(Reichheld 2003).",
)  # fmt: skip
REASON = Question("What is the main reason for your answer?", "text", scoring="Read for e-mails and names before use.")
COMMENT = Question(
    "Is there anything else you would like to tell us?", "text", scoring="`segmentry themes` finds what it is about."
)
CSAT = one(
    "Overall, how satisfied were you with your last purchase?",
    "Very dissatisfied",
    "Dissatisfied",
    "Neither satisfied nor dissatisfied",
    "Satisfied",
    "Very satisfied",
    scoring="CSAT = share of satisfied and very satisfied.",
)
CES = one(
    "How much do you agree: the company made it easy for me to get my issue solved.",
    "Strongly disagree", "Disagree", "Somewhat disagree", "Neither agree nor disagree", "Somewhat agree", "Agree",
    "Strongly agree",
    scoring="CES 2.0: mean of 1 to 7, or share of 5 to 7 (Dixon, Toman and DeLisi 2013).",
)  # fmt: skip
JOB = Question(
    "What did you want to get done when you last looked for a product like ours?",
    "text",
    scoring="Group the answers by hand first (jobs to be done, Christensen et al. 2016); ask as a list next time.",
)
BARRIERS = several(
    "What has kept you from buying more from us?",
    "Too expensive", "Not what I was looking for", "Delivery takes too long", "I was not sure about the quality",
    "Ordering is complicated", "I buy elsewhere out of habit", "I had a bad experience", "I did not need anything",
)  # fmt: skip

# Value ----------------------------------------------------------------------------------------------------------------

WALLET = one(
    "Of ten purchases of this kind, how many do you make with us?",
    "0",
    "1 or 2",
    "3 or 4",
    "5 or 6",
    "7 or 8",
    "9 or 10",
    scoring="Share of wallet: the midpoint over 10; potential = spend / share - spend.",
)
CONTRACT = Question("What is your company's yearly budget for products like ours, roughly?", "number", private=True)

# Firmographic ---------------------------------------------------------------------------------------------------------

INDUSTRY = Question(
    "In which industry does your company mainly work?", "text", scoring="Code it by NACE Rev. 2.1, or NAICS 2022."
)
EMPLOYEES = one(
    "How many people work for your company, in all places together?",
    "1 to 9",
    "10 to 49",
    "50 to 249",
    "250 to 999",
    "1,000 or more",
    scoring="Size classes of the EU (2003/361/EC), the largest one split.",
)
REVENUE = one(
    "What was the turnover of your company last year?",
    "Under 2 million",
    "2 to 10 million",
    "10 to 50 million",
    "50 to 250 million",
    "250 million or more",
    private=True,
    scoring="Size classes of the EU (2003/361/EC), the largest one split.",
)
