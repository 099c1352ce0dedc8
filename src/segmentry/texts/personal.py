"""What in a free text names somebody: e-mail addresses, numbers, links, handles, names.

What cannot be told from the text (a surname without a title, in the middle of a sentence) is told by the names of the
one who wrote it. Nothing here keeps a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

HIDDEN = "•••"

# Given names that are frequent in several countries, and are no towns, months or things.
_GIVEN = """
    james john robert michael william david richard thomas charles daniel matthew anthony mark paul steven andrew
    kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry
    justin scott brandon benjamin samuel gregory frank alexander patrick raymond dennis jerry tyler aaron jose adam
    nathan henry peter mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra
    margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia
    kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine rachel oliver harry
    jack noah leo oscar archie isla olivia sophie ava mia lily lucy hannah thomas hans klaus jürgen wolfgang stefan
    andreas michael uwe petra monika sabine ursula claudia heike pierre jean michel philippe nicolas julien marie
    nathalie isabelle sylvie céline antonio manuel francisco javier carlos miguel maría carmen ana lucía giuseppe
    giovanni francesco marco luca giulia chiara francesca jan piet kees anneke"""
GIVEN_NAMES = frozenset(_GIVEN.split())
_ALSO_WORDS = frozenset(
    ("mark", "jack", "frank", "carol", "lily", "ana", "jean", "marco", "jan")
)  # in lower case they are no names

_NAME = r"[^\W\d_](?:[\w'’.-]*[^\W\d_])?"  # letters, hyphens, apostrophes; a point inside
_TITLE = r"mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|mme|mlle|monsieur|madame|se[ñn]ora?|sra?|sig(?:nora?|ra)?|mevr(?:ouw)?"
_INTRODUCED = (
    r"my name is|my name's|name is|ich hei(?:ß|ss)e|mein name ist|je m['’]appelle|mon nom est|me llamo|mi nombre es|"
    r"mi chiamo|il mio nome è|ik heet|mijn naam is"
)
_SIGNED = (
    r"regards|sincerely|cheers|best wishes|gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|cordialement|bien à vous|saludos|saluti|"
    r"groet(?:en|jes)?"
)
_FORMS = (
    r"[^\s@<>()]+@[^\s@<>()]+",  # e-mail addresses
    r"(?i:\bhttps?://|\bwww\.)\S+",  # links
    r"(?<!\w)[@#]\w+",  # handles
    r"\(?\+?\d[\d\s().\-/]{5,}\d",  # phone numbers, dates, card numbers in groups
    r"\b\w*\d{4,}\w*\b",  # numbers of orders, accounts, postcodes
    r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{5,}\b",  # codes of letters and digits
    r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b",  # British postcodes
    rf"\b(?i:{_TITLE})\b\.?\s+{_NAME}",
    rf"\b(?i:{_INTRODUCED})\s+{_NAME}(?:\s+{_NAME})?",
    rf"\b(?i:{_SIGNED})\b[\s,.!:-]+(?:{_NAME}[\s,.]*){{1,3}}\Z",
)
_FORMED = re.compile("|".join(_FORMS))
_WORD = re.compile(_NAME)
_LETTERS = re.compile(r"[^\W\d_]+")


def without_personal(text: str, names: Collection[str] = ()) -> str:
    """The text with a gap wherever it names somebody; ``names`` are those of its writer, from :func:`names_in`.

    >>> without_personal("Hi, Emma Brown here (emma@mail.example, 0171 2345678): parcel late")
    'Hi,     here (   ): parcel late'
    """
    return _replaced(text, names, " ")


def masked(text: str, names: Collection[str] = ()) -> str:
    """The text as it may be shown.

    >>> masked("Call Mr Kowalski on +44 20 7946 0018, the app took 12 days")
    'Call ••• on •••, the app took 12 days'
    """
    return re.sub(rf"{HIDDEN}(?:[\s,.]+{HIDDEN})+", HIDDEN, _replaced(text, names, HIDDEN))


def names_in(*fields: str | None) -> frozenset[str]:
    """The words of somebody's names and address, in lower case, to be taken out of what they write.

    >>> sorted(names_in("Anne-Marie O'Neill", None, "x"))
    ['anne', 'marie', 'neill']
    """
    return frozenset(word.casefold() for field in fields for word in _LETTERS.findall(field or "") if len(word) > 1)


def is_given_name(word: str) -> bool:
    """Whether a word is a frequent given name; in lower case only one that means nothing else."""
    plain = word.casefold()
    return plain in GIVEN_NAMES and (word[:1].isupper() or plain not in _ALSO_WORDS)


def _replaced(text: str, names: Collection[str], by: str) -> str:
    shown = _FORMED.sub(by, text)
    for start, end in reversed(list(_named(shown, names))):
        shown = f"{shown[:start]}{by}{shown[end:]}"
    return shown


def _named(text: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where names stand: the writer's own, and frequent given names with the capitalised word behind them."""
    surname_at = -1  # where a surname would begin
    for match in _WORD.finditer(text):
        word = match[0]
        parts = [word] if word.isalpha() else _LETTERS.findall(word)
        if (surname_at == match.start() and word[:1].isupper()) or any(part.casefold() in names for part in parts):
            yield match.span()
        elif any(is_given_name(part) for part in parts):
            yield match.span()
            surname_at = match.end() + 1 if word[:1].isupper() and not word.isupper() else -1
