"""Themes of many short texts: which words go together, how many such themes come back, how much of each is in a text.

TF-IDF and non-negative matrix factorisation (Lee & Seung 1999); as many themes as come back, every one of them, when
texts are left out (after Greene, O'Callaghan & Cunningham 2014, "How many topics? Stability analysis for topic models",
who compare leading terms; the cosine of all weights minds less which word is the tenth).

A document is a list of terms: the caller has split the text, dropped stop words and reduced words to their stems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError

Floats = NDArray[np.float64]
Document = Sequence[str]

FEWEST_DOCUMENTS = 50  # different texts below which themes are anecdotes
_TERMS_MOST = 5_000  # the most frequent terms are looked at
_IN_AT_LEAST = 3  # documents that a term must be in
_IN_AT_MOST = 0.5  # share of the documents above which a term tells nothing
_SAMPLES, _SAMPLED = 10, 0.8
_STABLE = 0.8  # cosine from which a theme has come back


@dataclass(frozen=True)
class Themes:
    """Themes, the most frequent first.

    Attributes:
        terms: (v,) the vocabulary.
        rarity: (v,) weight of each term, its inverse document frequency.
        weights: (k, v) weight of each term in each theme, each theme of length 1.
        shares: (k,) share of the documents whose main theme it is.
        agreement: for each number of themes tried, how well the least stable of them came back when a fifth of the
            texts was left out: mean cosine, 0 to 1. Empty if one number was given.
        documents: how many had any term of the vocabulary.
        seed: the seed that gives these themes again.
    """

    terms: tuple[str, ...]
    rarity: Floats
    weights: Floats
    shares: Floats
    agreement: Mapping[int, float]
    documents: float
    seed: int

    @property
    def k(self) -> int:
        """Number of themes."""
        return len(self.weights)

    def leading(self, count: int = 10) -> tuple[tuple[str, ...], ...]:
        """The terms with the largest weights of each theme."""
        order = np.argsort(-self.weights.round(9), axis=1, kind="stable")[:, :count]
        return tuple(
            tuple(self.terms[j] for j in row if weights[j] > 0)
            for row, weights in zip(order, self.weights, strict=True)
        )

    def of(self, documents: Sequence[Document]) -> Floats:
        """(n, k) how much of each theme is in each document: shares that add up to 1; zeros where no term is known."""
        matrix = _tf_idf(documents, {term: j for j, term in enumerate(self.terms)}, self.rarity)
        amounts = _amounts(matrix, self.weights)
        sums = amounts.sum(axis=1, keepdims=True)
        return np.divide(amounts, sums, out=np.zeros_like(amounts), where=sums > 0)


def find_themes(
    documents: Sequence[Document],
    *,
    counts: ArrayLike | None = None,
    numbers: Iterable[int] = range(3, 13),
    seed: int = 0,
) -> Themes:
    """The themes of documents: the largest of the ``numbers`` of which every theme is stable (else the most stable).

    Args:
        documents: the terms of each text; the order within a document does not matter.
        counts: how often each document occurs, default 1.
        numbers: numbers of themes to try, each at least 2; a single one is taken as it is.
        seed: at least 0. The same documents in any order and seed give the same themes.

    Raises:
        FitError: fewer than 50 different documents with a term that at least three documents share.
    """
    matrix, terms, rarity, weight = _vocabulary(documents, counts)
    tried = sorted({k for k in numbers if 2 <= k < min(len(terms), matrix.shape[0])})
    if not tried:
        raise FitError(f"{len(terms)} terms make no themes.", why="A theme is made of terms that come together.")
    agreement = {} if len(tried) == 1 else {k: _agreement(matrix, weight, k, seed) for k in tried}
    stable = [k for k in tried if agreement.get(k, 1.0) >= _STABLE]
    best = max(stable) if stable else max(tried, key=lambda k: agreement[k])
    themes = _factorised(matrix, weight, best, seed)
    amounts = _amounts(matrix, themes)
    main = np.bincount(amounts.argmax(axis=1), weight, best) / weight.sum()
    order = np.argsort(-main.round(9), kind="stable")
    return Themes(terms, rarity, themes[order], main[order], agreement, float(weight.sum()), seed)


def _vocabulary(documents: Sequence[Document], counts: ArrayLike | None) -> tuple[Any, tuple[str, ...], Floats, Floats]:
    """Unique documents as a matrix (u, v), the terms, their rarity, and how often each document occurs."""
    given = np.ones(len(documents)) if counts is None else np.asarray(counts, dtype=np.float64)
    unique: dict[tuple[str, ...], float] = {}
    for document, count in zip(documents, given, strict=True):
        terms_of = tuple(sorted(set(document)))
        unique[terms_of] = unique.get(terms_of, 0.0) + float(count)
    in_documents: dict[str, float] = {}
    for document, count in unique.items():
        for term in document:
            in_documents[term] = in_documents.get(term, 0.0) + count
    total = sum(unique.values())
    useful = {t: n for t, n in in_documents.items() if n >= _IN_AT_LEAST and n <= _IN_AT_MOST * total}
    terms = tuple(sorted(sorted(useful, key=lambda term: (-useful[term], term))[:_TERMS_MOST]))
    known = set(terms)
    kept = sorted(document for document in unique if known.intersection(document))
    if len(kept) < FEWEST_DOCUMENTS:
        raise FitError(
            f"{len(kept)} of {len(unique)} different texts have a word that at least {_IN_AT_LEAST} texts share.",
            why=f"Fewer than {FEWEST_DOCUMENTS} make no themes.",
            fix="Read them one by one, or collect more.",
        )
    rarity = np.array([np.log((1 + total) / (1 + useful[term])) + 1 for term in terms])  # as scikit-learn smooths it
    matrix = _tf_idf(kept, {term: j for j, term in enumerate(terms)}, rarity)
    return matrix, terms, rarity, np.array([unique[document] for document in kept])


def _tf_idf(documents: Sequence[Document], places: Mapping[str, int], rarity: Floats) -> Any:
    """(n, v) sparse rows of length 1; a term counts once a document, for feedback is short."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    found = [sorted({places[term] for term in document if term in places}) for document in documents]
    columns = np.array([j for row in found for j in row], dtype=np.int64)
    lengths = np.array([len(row) for row in found], dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    matrix = csr_matrix((rarity[columns], columns, ends), shape=(len(documents), len(rarity)))
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(norms, lengths)
    return matrix


def _factorised(matrix: Any, weight: Floats, k: int, seed: int) -> Floats:
    """(k, v) themes of length 1."""
    from sklearn.decomposition import NMF  # noqa: PLC0415  # a second of a command's start

    heavy = matrix.multiply(np.sqrt(weight)[:, None]).tocsr()  # a document that occurs nine times counts nine times
    model = NMF(k, init="nndsvda", max_iter=2_000, tol=1e-4, random_state=seed).fit(heavy)
    lengths = np.linalg.norm(model.components_, axis=1, keepdims=True)
    themes: Floats = model.components_ / np.where(lengths > 0, lengths, 1.0)
    return themes


def _amounts(matrix: Any, themes: Floats) -> Floats:
    """(n, k) non-negative amounts of the themes that come closest to each document: coordinate descent, all at once."""
    overlap = themes @ themes.T
    amounts = np.zeros((matrix.shape[0], len(themes)))
    wanted = np.asarray(matrix @ themes.T)
    for _ in range(50):
        for j in range(len(themes)):
            amounts[:, j] = np.maximum(0.0, wanted[:, j] - amounts @ overlap[j] + amounts[:, j] * overlap[j, j])
    return amounts


def _agreement(matrix: Any, weight: Floats, k: int, seed: int) -> float:
    """How well the least stable of k themes comes back in samples of the documents: mean cosine with its best match."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rng = np.random.default_rng([seed, k])
    whole = _factorised(matrix, weight, k, seed)
    size = max(k + 1, round(_SAMPLED * len(weight)))
    found = np.zeros((_SAMPLES, k))
    for i in range(_SAMPLES):
        rows = np.sort(rng.choice(len(weight), size, replace=False))
        alike = whole @ _factorised(matrix[rows], weight[rows], k, seed).T
        found[i] = alike[linear_sum_assignment(-alike)]
    return float(found.mean(axis=0).min())
