"""Free text of customers: which language it is in, what in it is personal, and the terms that it is made of.

Nothing is learned and nothing is read here. ``language.py`` tells languages apart and knows their common words and
stems, ``personal.py`` finds what names somebody, ``terms.py`` makes a text the list of terms that themes are found in.
"""

from segmentry.texts.language import Languages, code_of
from segmentry.texts.personal import HIDDEN, masked, names_in, without_personal
from segmentry.texts.terms import terms_of

__all__ = [
    "HIDDEN",
    "Languages",
    "code_of",
    "masked",
    "names_in",
    "terms_of",
    "without_personal",
]
