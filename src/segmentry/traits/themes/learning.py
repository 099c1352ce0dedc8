"""Finding the themes: on a bounded sample of the different texts, by language, without anything personal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from threadpoolctl import threadpool_limits

from segmentry import engine
from segmentry.errors import FitError
from segmentry.stats.themes import Themes, find_themes
from segmentry.texts import Languages, code_of, names_in, terms_of, without_personal
from segmentry.traits.known import KEY, Known
from segmentry.traits.learning import Learner
from segmentry.traits.themes.model import Group, Theme, ThemeModel
from segmentry.traits.themes.said import Kind, has_texts, kinds, said

NAME = "themes"
TRAITS = ("texts", "main_theme", "theme_*")
SAMPLE = 5_000  # different texts: themes that ten samples of these agree on are there
LEAST_CUSTOMERS = 5  # who must use a word, and whose main theme one must be: nobody is known by it
_LEAST_OF_A_LANGUAGE = 300  # different texts; a smaller language is learned with the largest one
_NUMBERS = range(2, 13)  # of themes that are tried: more than a dozen nobody keeps apart
_LABEL_WORDS, _TOLD_WORDS = 3, 10
_LABEL_WEIGHT = 0.4  # of a theme's heaviest word, from which a further one stands in its label
_NAMES = ("first_name", "last_name", "name", "email", "city")
_AS_OFTEN = 0.2  # a customers' name counts as one from so many customers called so for each that writes it
_DIGITS = 6  # decimals of a weight that are kept


@dataclass(frozen=True)
class Written:
    """One different text of the sample, with whom it names if it names its writer."""

    text: str
    kind: str
    spoken: str
    customer: int  # the first who wrote it
    customers: int
    times: int
    names: frozenset[str]


@dataclass
class _Word:
    """A term while it is being learned: who uses it, and how it is spelt."""

    customers: set[int] = field(default_factory=set)
    most: int = 0  # customers of one text
    texts: int = 0
    spelt: Counter[str] = field(default_factory=Counter)

    @property
    def is_common(self) -> bool:
        return max(len(self.customers), self.most) >= LEAST_CUSTOMERS


def learn(known: Known, seed: int) -> dict[str, Any]:
    """The themes of what customers wrote until ``as_of``, as plain data.

    Raises :class:`FitError` when there are too few different texts.
    """
    texts = said(known)
    found = [] if texts is None else kinds(texts)
    free = [kind for kind in found if kind.is_free]
    if texts is None or not free:
        raise FitError("No question and no event has texts in people's own words.", why=_told(found),
                       fix="Ask an open question, or map the text of tickets to `text`.")  # fmt: skip
    written = sample(known, texts.filter(texts["kind"].isin([kind.name for kind in free])), SAMPLE, seed)
    plain = [without_personal(each.text, each.names) for each in written]
    languages = Languages.among(plain)
    first = [languages.of(text, code_of(each.spoken)) for text, each in zip(plain, written, strict=True)]
    usual = _usual_languages(written, first)
    told = [
        languages.of(text, code_of(each.spoken), usual[each.kind]) for text, each in zip(plain, written, strict=True)
    ]
    groups, themes = [], []
    for of in _groups(told):
        group, its_themes = _group(known, [(w, p, t) for w, p, t in zip(written, plain, told, strict=True) if t in of],
                                   of, seed)  # fmt: skip
        groups.append(group)
        themes += its_themes
    return ThemeModel(usual, languages.codes, tuple(groups), tuple(_distinct(themes))).to_json()


THEMES = Learner(settings=lambda _: {"sample": SAMPLE}, ready=has_texts, learn=learn, traits=TRAITS)


def _told(found: Sequence[Kind]) -> str:
    if not found:
        return "There are no answers and no texts of customers."
    most = found[0]
    return (
        f"The most frequent of {len(found)}, '{most.name}', has {most.different:,} different texts of "
        f"{most.words:.1f} words."
    )


def sample(known: Known, texts: ir.Table, size: int, seed: int) -> list[Written]:
    """At most ``size`` different texts, with the names of their writers, in an order that says nothing about them."""
    different = texts.group_by("text_id").agg(
        text=texts["text"].min(),
        kind=texts["kind"].min(),
        language=texts["language"].min(),
        customer=texts[KEY].min(),
        customers=texts[KEY].nunique(),
        times=texts.count(),
    )
    drawn = different.mutate(place=engine.sample_order(different["text_id"], f"themes {seed}"))
    drawn = drawn.order_by("place").limit(size)
    there = [name for name in _NAMES if known.has(f"customers.{name}")]
    people = known.customers.select(writer=KEY, **{f"own_{name}": name for name in there})
    rows = drawn.left_join(people, drawn["customer"] == people["writer"]).order_by("place").to_pyarrow().to_pylist()
    return [
        Written(row["text"], row["kind"], row["language"], row["customer"], row["customers"], row["times"],
                names_in(*(row[f"own_{name}"] for name in there)))
        for row in rows
    ]  # fmt: skip


def _usual_languages(written: Sequence[Written], languages: Sequence[str]) -> dict[str, str]:
    """By kind of text, the language of most."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each, language in zip(written, languages, strict=True):
        counts[each.kind][language] += 1
    return {kind: min(c, key=lambda code: (-c[code], code)) for kind, c in sorted(counts.items())}


def _groups(languages: Sequence[str]) -> list[tuple[str, ...]]:
    """Languages that are learned together: each large one by itself, the small ones with the largest."""
    counts = Counter(languages)
    order = sorted(counts, key=lambda code: (-counts[code], code))
    alone = [code for code in order[1:] if counts[code] >= _LEAST_OF_A_LANGUAGE]
    small = [code for code in order[1:] if code not in alone]
    return [(order[0], *small), *((code,) for code in alone)]


def _group(
    known: Known, texts: Sequence[tuple[Written, str, str]], languages: tuple[str, ...], seed: int
) -> tuple[Group, list[Theme]]:
    """The themes of the texts in some languages: (written, the same without what is personal, its language)."""
    said_in = [terms_of(plain, language) for _, plain, language in texts]
    words = _words(said_in, [written for written, _, _ in texts])
    common = {term for term, word in words.items() if word.is_common}
    forms = {form: term for term in common for form in words[term].spelt}
    common -= names_among(known, forms, {term: words[term].texts for term in common}, len(texts))
    documents = [[term for term, _ in terms if term in common] for terms in said_in]
    with threadpool_limits(limits=1):  # threads share sums out, and then the last digits depend on their number
        found = find_themes(documents, counts=[w.times for w, _, _ in texts], numbers=_NUMBERS, seed=seed)
        main = found.of(documents)
    used = [j for j in range(len(found.terms)) if found.weights[:, j].max() >= 10**-_DIGITS]
    group = Group(
        languages,
        tuple(found.terms[j] for j in used),
        tuple(round(float(found.rarity[j]), _DIGITS) for j in used),
        tuple(tuple(round(float(row[j]), _DIGITS) for j in used) for row in found.weights),
        {str(k): round(agreement, 4) for k, agreement in found.agreement.items()},
        seed,
    )
    return group, [
        _theme(found, k, words, [t for t, row in zip(texts, main, strict=True) if row[k] > 0 and row.argmax() == k])
        for k in range(found.k)
    ]


def _words(said_in: Iterable[Sequence[tuple[str, str]]], written: Sequence[Written]) -> dict[str, _Word]:
    words: defaultdict[str, _Word] = defaultdict(_Word)
    for terms, each in zip(said_in, written, strict=True):
        for term in {term for term, _ in terms}:
            word = words[term]
            word.customers.add(each.customer)
            word.most = max(word.most, each.customers)
            word.texts += 1
        for term, spelt in terms:
            words[term].spelt[spelt] += 1
    return words


def names_among(known: Known, forms: Mapping[str, str], texts: Mapping[str, int], of: int) -> set[str]:
    """Words that are customers' names rather than words: more of the customers are called so than one expects of words.

    'price' is written by many and the name of few; a surname is written as seldom as it is worn. Names of others than
    the writer are meant: a writer's own were taken out before. ``forms`` are the spellings with their words, ``texts``
    in how many ``of`` all texts each word is.
    """
    there = [name for name in ("first_name", "last_name") if known.has(f"customers.{name}")]
    if not there or not forms:
        return set()
    listed = ibis.memtable({"called": sorted(forms)})
    columns = [known.customers.select(called=known.customers[name].strip().lower()) for name in there]
    names = ibis.union(*columns) if len(columns) > 1 else columns[0]
    called = names.semi_join(listed, "called").group_by("called").agg(customers=ibis._.count())
    everybody = known.filled["customers.customer_key"]
    worn: Counter[str] = Counter()
    for row in called.order_by("called").to_pyarrow().to_pylist():
        worn[forms[row["called"]]] += row["customers"]
    return {word for word, n in worn.items() if n / everybody >= _AS_OFTEN * texts[word] / of}


def _theme(found: Themes, k: int, words: Mapping[str, _Word], texts: Sequence[tuple[Written, str, str]]) -> Theme:
    """A theme with readable words: the most frequent spelling of each stem."""
    order = np.argsort(-found.weights[k].round(9), kind="stable")[:_TOLD_WORDS]
    weights = found.weights[k]
    told = [(_spelling(words[found.terms[j]]), float(weights[j])) for j in order if weights[j] > 0]
    strong = [word for word, weight in told if weight >= _LABEL_WEIGHT * told[0][1]]
    label = ", ".join((strong if len(strong) > 1 else [word for word, _ in told[:2]])[:_LABEL_WORDS])
    languages = Counter(language for _, _, language in texts)
    return Theme(
        label,
        tuple(word for word, _ in told),
        min(languages, key=lambda code: (-languages[code], code)) if languages else "",
        round(float(found.shares[k]), 4),
        len({written.customer for written, _, _ in texts}),
    )


def _spelling(word: _Word) -> str:
    return min(word.spelt, key=lambda form: (-word.spelt[form], form))


def _distinct(themes: Sequence[Theme]) -> list[Theme]:
    """Themes with labels that differ, which name their traits: one that is taken gets its language or further words."""
    taken: set[str] = set()
    made = []
    for theme in themes:
        label = theme.label
        for extra in (theme.language, *theme.words[_LABEL_WORDS:], *(str(n) for n in range(2, 99))):
            if label not in taken:
                break
            label = f"{theme.label}, {extra}"
        taken.add(label)
        made.append(replace(theme, label=label))
    return made
