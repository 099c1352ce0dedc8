"""Which language a text is in, which words of a language say nothing, and the stems of the others."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pycountry

_SURE = 0.8  # probability from which a text's language is believed among all languages
_LIKELY = 0.6  # the same among the few that are known to be written here
_LEAST_TEXTS, _LEAST_SHARE = 10, 0.01  # of all texts that must surely be in a language before others may be
UNKNOWN = "und"  # ISO 639-2 for a language that nobody can tell


class Languages:
    """Tells the language of texts among the few that people write here (py3langid, after Lui & Baldwin 2012).

    Short texts are seldom sure among a hundred languages, and nearly always among three: :meth:`among` looks at many
    texts which languages there are, and each text is then told among those. One that still is not sure is taken to be
    in the language of its writer, else in that of most texts of its kind.

    >>> Languages(["de", "en"]).of("tolle Qualität"), Languages(["de", "en"]).of("ok", "de", "en")
    ('de', 'de')
    """

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        self._identifier = _identifier(self.codes) if len(self.codes) > 1 else None

    @classmethod
    def among(cls, texts: Iterable[str]) -> Languages:
        """The languages of many texts, the most frequent first; those of a handful are no languages of their own."""
        everything = _identifier(())
        sure: Counter[str] = Counter()
        for text in texts:
            code, probability = everything.classify(text)
            if probability >= _SURE:
                sure[code] += 1
        least = max(_LEAST_TEXTS, _LEAST_SHARE * sure.total())
        found = [code for code, count in sorted(sure.items(), key=lambda pair: (-pair[1], pair[0])) if count >= least]
        return cls(found or [code for code, _ in sure.most_common(1)] or [UNKNOWN])

    def of(self, text: str, *likely: str | None) -> str:
        """The language of a text; ``likely`` are those to believe where the text itself is not sure, the best first."""
        if self._identifier is None:
            return self.codes[0]
        code, probability = self._identifier.classify(text)
        if probability >= _LIKELY and any(c.isalpha() for c in text):
            return str(code)
        return next((guess for guess in likely if guess in self.codes), str(code))


@functools.lru_cache(maxsize=8)
def _identifier(codes: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  # its model takes half a second

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if codes:
        found.set_languages(codes)
    return found


@functools.cache
def code_of(language: str | None) -> str | None:
    """The ISO 639-1 code of a language as customer records have it; None where it is none.

    >>> code_of("en-GB"), code_of("German"), code_of("deu"), code_of("?")
    ('en', 'de', 'de', None)
    """
    plain = re.split(r"[-_ (]", (language or "").strip(), maxsplit=1)[0]
    if len(plain) < 2:
        return None
    known = pycountry.languages
    found = known.get(alpha_2=plain.lower()) or known.get(alpha_3=plain.lower()) or known.get(name=plain.capitalize())
    return getattr(found, "alpha_2", None)


# Words ----------------------------------------------------------------------------------------------------------------

# What the lists of common words hold although customers' feedback is about it.
_TELLING: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """bill changes click computer copy date empty help homepage information interface number numbers order
            ordered ordering orders page pages part parts problem problems room rooms small stop system text thick thin
            value webpage website welcome width work worked working works""",
        "de": "gross groß grosse große kurz lange ordnung schlecht startseite suche zeit",
        "fr": "cher chers chère chères different retour valeur vite",
        "es": "tarde tiempo trabaja trabajo valor peor",
        "it": "accidenti attesa comprare consiglio cortesia nuovo nuovi posto registrazione tempo",
        "nl": "klaar snel vroeg",
    }.items()
}
# Courtesies and hedges that no list has: every letter begins and ends with them.
_COURTESY: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """dear hi hey cheers regards kind sincerely morning afternoon evening team bit lot thx ok okay yes
            honestly simply mostly really ago day days week weeks month months hour hours minute minutes one
            somebody nobody""",
        "de": """hallo liebe lieber grüße gruß guten freundlichen freundliche danke bitte team tage tagen woche wochen
            monat monate stunde stunden ok okay ja hi moin""",
        "fr": """bonjour cordialement madame monsieur merci équipe jour jours semaine semaines mois heure heures ok oui
            salut svp""",
        "es": "hola gracias saludos cordial buenos favor semana semanas mes meses hora horas ok sí",
        "it": "ciao salve grazie saluti cordiali gentile buongiorno settimana settimane mese ore ok sì",
        "nl": "hallo beste groet groeten vriendelijke dank bedankt dag dagen week weken maand maanden uur ok ja",
    }.items()
}
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


@functools.cache
def common_words(language: str) -> frozenset[str]:
    """Words of a language that say nothing of what a text is about; none where nobody lists them."""
    import stopwordsiso  # noqa: PLC0415  # reads its lists when it is imported

    listed = frozenset(stopwordsiso.stopwords(language))
    return (listed - _TELLING.get(language, frozenset())) | _COURTESY.get(language, frozenset())


@functools.lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """The stem of a lower-case word (Snowball, Porter 2001); the word itself in a language without a stemmer.

    >>> stem("deliveries", "en"), stem("delivery", "en"), stem("danfon", "cy")
    ('deliveri', 'deliveri', 'danfon')
    """
    stemmer = _stemmer(language)
    return word if stemmer is None else str(stemmer.stemWord(word))


@functools.cache
def _stemmer(language: str) -> Any:
    import snowballstemmer  # noqa: PLC0415  # 36 stemmers

    return snowballstemmer.stemmer(_STEMMERS[language]) if language in _STEMMERS else None
