"""Themes: planted ones are found, as many as there are, and the same ones every time."""

from __future__ import annotations

import numpy as np
import pytest

from segmentry.errors import FitError
from segmentry.stats.themes import find_themes

PLANTED = {
    "delivery": ["parcel", "courier", "late", "doorbell", "delivery", "box"],
    "app": ["app", "crash", "login", "screen", "update", "slow"],
    "price": ["price", "cheap", "offer", "voucher", "expensive", "discount"],
    "advice": ["staff", "advice", "friendly", "store", "helpful", "phone"],
}
CHATTER = ["really", "today", "again", "thing", "bit", "always"]


def texts(n: int, seed: int = 1) -> tuple[list[list[str]], np.ndarray]:
    """n texts of three or four words of one theme and one or two that mean nothing, and their themes."""
    rng = np.random.default_rng(seed)
    themes = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    vocabularies = list(PLANTED.values())
    return [
        [*rng.choice(vocabularies[t], rng.integers(3, 5), replace=False), *rng.choice(CHATTER, rng.integers(1, 3))]
        for t in themes
    ], themes


def test_planted_themes_are_found_and_counted() -> None:
    documents, planted = texts(800)
    found = find_themes(documents, numbers=range(2, 8))
    assert found.k == 4, found.agreement
    for words, leading in zip(PLANTED.values(), found.leading(6), strict=True):
        assert len(set(words) & set(leading)) >= 5
    assert found.shares == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.05)
    assert (found.of(documents).argmax(axis=1) == planted).mean() > 0.97


def test_a_text_of_two_themes_has_a_share_of_each() -> None:
    found = find_themes(texts(800)[0], numbers=[4])
    both = found.of([["parcel", "late", "courier", "app", "crash", "login"]])[0]
    assert both[:2].min() > 0.3
    assert both.sum() == pytest.approx(1)


def test_a_text_without_any_known_word_has_no_theme() -> None:
    found = find_themes(texts(300)[0], numbers=[4])
    assert found.of([["zebra"], []]).tolist() == [[0.0] * 4] * 2


def test_order_of_the_texts_does_not_matter_and_counts_repeat_them() -> None:
    documents, _ = texts(300)
    found = find_themes(documents, numbers=[4], seed=3)
    again = find_themes(documents[::-1], numbers=[4], seed=3)
    assert (found.weights == again.weights).all()
    twice = find_themes([*documents, *documents], numbers=[4], seed=3)
    counted = find_themes(documents, counts=[2] * 300, numbers=[4], seed=3)
    assert (twice.weights == counted.weights).all()
    assert counted.documents == 600


def test_few_texts_are_left_to_the_reader() -> None:
    with pytest.raises(FitError, match="of 30 different texts"):
        find_themes([["one", f"word{i}"] for i in range(30)])
