"""A text as the list of terms that themes are found in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segmentry.texts.language import common_words, stem

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_UNSPACED = frozenset(("zh", "ja", "th"))  # written without spaces between words
_LEAST, _MOST = 2, 40  # letters of a word


def words_of(text: str, language: str) -> Iterator[str]:
    """The words of a text that may say what it is about, in lower case, without common ones.

    A language that is written without spaces gives pairs of neighbouring characters, as search engines read it.

    >>> list(words_of("I don't like the Wi-Fi set-up: l'appli plante!", "en"))
    ['wi-fi', 'set-up', 'appli', 'plante']
    """
    common = common_words(language)
    for match in _WORD.finditer(text.casefold().replace("’", "'")):
        word = match[0]
        if language in _UNSPACED:
            yield from (word[i : i + 2] for i in range(len(word) - 1))
            continue
        # An apostrophe joins a word that says nothing: don't, l'appli, dell'ordine.
        part = word if word in common else max(word.split("'"), key=len)
        if part not in common and _LEAST <= len(part) <= _MOST:
            yield part


def terms_of(text: str, language: str) -> list[tuple[str, str]]:
    """The terms of a text, each with the word that stands for it there: ``(stem, word)``.

    >>> terms_of("The deliveries were late", "en")
    [('deliveri', 'deliveries'), ('late', 'late')]
    """
    return [(stem(word, language), word) for word in words_of(text, language)]
