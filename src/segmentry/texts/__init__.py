"""Words of customers: the language of a text, what in it is personal, its terms, and what spellings mean.

Nothing is learned and nothing is read here. ``language.py`` tells languages apart and knows their common words and
stems, ``personal.py`` finds what names somebody, ``terms.py`` makes a text the list of terms that themes are found in,
``vocabularies.py`` holds how people write the values of a category.
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
