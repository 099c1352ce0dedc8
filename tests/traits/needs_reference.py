"""A survey with every kind of question about needs, and its traits once more in plain Python."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]

BENEFITS = ("Low prices", "Fast delivery", "Good advice", "Long warranty", "Easy set-up")
NEEDS = BENEFITS[:3]
DESIGN = {
    ("A", "1"): (0, 1, 2), ("A", "2"): (0, 3, 4), ("A", "3"): (1, 2, 3), ("A", "4"): (2, 3, 4),
    ("B", "1"): (4, 1, 2), ("B", "2"): (0, 1, 3), ("B", "3"): (0, 2, 4), ("B", "4"): (1, 3, 4),
}  # fmt: skip
TASKS = ("1", "2", "3", "4")
IMPORTANCE = {
    "Not at all important": 1, "Slightly important": 2, "Moderately important": 3, "Very important": 4,
    "Extremely important": 5, "Sehr wichtig": 4, "Überhaupt nicht wichtig": 1,
}  # fmt: skip
REASONS = ("Price", "Brand; colour", "Habit")

SURVEYS = """\
surveys:
  voices:
    best_worst: {best: "BW{task}_most", worst: "BW{task}_least", version: version, design: design.csv}
    choices: {why: Q9}
"""

CONFIG = """\
name: Voices
sources:
  people: {kind: customers, path: people.csv, columns: {customer: id}}
  answers:
    kind: responses
    path: answers.csv
    columns: {customer: id, survey: survey, question: code, item: item, answer: answer, time: at}
"""


def survey(seed: int = 1, customers: int = 80) -> list[Row]:
    """Answers as they are collected: some customers answer twice, the second time perhaps a part; some answer nothing
    that is on a scale; some choose what was not shown."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(customers):
        who = f"P{number:03}"
        for attempt in range(rng.choice([0, 1, 1, 1, 2])):
            at = datetime(2024, 1, 1) + timedelta(
                days=rng.randrange(100) + 120 * attempt, seconds=rng.randrange(80_000)
            )
            said = [*_ratings(rng), *_tasks(rng, 2 if attempt and rng.random() < 0.5 else len(TASKS))]
            said += [("Q9", "Why us?", reason) for reason in REASONS if rng.random() < 0.5]
            rows += [
                {"id": who, "survey": "voices", "code": code, "item": item, "answer": answer, "at": at}
                for code, item, answer in said
                if rng.random() < 0.93
            ]
    return rows


def _ratings(rng: random.Random) -> list[tuple[str, str, str]]:
    said = [
        (
            "NPS",
            "How likely are you to recommend us?",
            "99" if rng.random() < 0.03 else str(rng.choice([*range(11), 10, 9])),
        )
    ]
    said.append(("EASE", "The shop made it easy for me (1 = not at all, 7 = fully).", str(rng.randrange(1, 8))))
    said.append(("SAT", "Over all, how satisfied are you with us?", rng.choice(["Satisfied", "Very satisfied",
                 "Neither satisfied nor dissatisfied", "Dissatisfied", "Very dissatisfied", "Zufrieden"])))  # fmt: skip
    for i, need in enumerate(NEEDS, start=1):
        important = rng.choice([*IMPORTANCE, "weiß nicht"] if rng.random() < 0.3 else list(IMPORTANCE))
        said.append((f"I_{i}", f"How important is this to you? - {need}", important))
        satisfied = str(rng.choice([0, 2, 3, 5, 7, 8, 10, 11 if rng.random() < 0.05 else 9]))
        said.append((f"S_{i}", f"How satisfied are you with this? (0 = not at all, 10 = fully) - {need}", satisfied))
    return said


def _tasks(rng: random.Random, tasks: int) -> list[tuple[str, str, str]]:
    version = rng.choice("AB")
    said = [("version", "version", version)]
    for task in TASKS[:tasks]:
        shown = DESIGN[version, task] if rng.random() < 0.95 else (0, 1, 2, 3, 4)
        best, worst = rng.sample(shown, 2) if rng.random() < 0.97 else (shown[0], shown[0])
        said.append((f"BW{task}_most", "Which is most important?", BENEFITS[best]))
        said.append((f"BW{task}_least", "Which is least important?", BENEFITS[worst]))
    return said


def write(root: Path, rows: Sequence[Row], config: str = "") -> Path:
    """The survey as a workspace's files."""
    root.mkdir(parents=True, exist_ok=True)
    design = ["version,task,item", *(f"{v},{t},{BENEFITS[i]}" for (v, t), shown in DESIGN.items() for i in shown)]
    (root / "design.csv").write_text("\n".join(design), encoding="utf-8")
    people = sorted({row["id"] for row in rows})
    (root / "people.csv").write_text("\n".join(["id", *people, "P999"]), encoding="utf-8")
    with (root / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "survey", "code", "item", "answer", "at"])
        writer.writeheader()
        writer.writerows(rows)
    (root / "segmentry.yaml").write_text(CONFIG + (config or SURVEYS), encoding="utf-8")
    return root


def reference(rows: Sequence[Row], as_of: date) -> dict[str, Row]:
    """The traits of needs by customer, as of a day; a trait that is not known is left out."""
    mine: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["at"].date() <= as_of:
            mine[row["id"]].append(row)
    return {who: _traits(sorted(own, key=lambda r: r["at"])) for who, own in mine.items()}


def _traits(own: Sequence[Row]) -> Row:
    made: Row = {}
    for row in own:  # the latest comes last
        points = _points(row["code"], row["answer"])
        if points is not None:
            made[_name(row["code"])] = points
    if "nps" in made:
        made["nps_group"] = "promoter" if made["nps"] >= 9 else "passive" if made["nps"] >= 7 else "detractor"
    for need in NEEDS:
        ending = need.lower().replace(" ", "_")
        important, satisfied = made.get(f"importance_of_{ending}"), made.get(f"satisfaction_with_{ending}")
        if important is not None and satisfied is not None:
            made[f"opportunity_in_{ending}"] = important + max(important - satisfied, 0)
    reasons = [row for row in own if row["code"] == "Q9"]
    if reasons:
        ticked = {row["answer"] for row in reasons if row["at"] == reasons[-1]["at"]}
        made |= {f"chooses_why_{r.lower().replace('; ', '_')}": r in ticked for r in REASONS}
    return made | _benefits(own)


def _points(code: str, answer: str) -> float | None:
    if code.startswith("I_"):
        return (IMPORTANCE[answer] - 1) * 2.5 if answer in IMPORTANCE else None
    if code.startswith("S_") or code == "NPS":
        return float(answer) if int(answer) <= 10 else None
    if code == "EASE":
        return round((int(answer) - 1) / 6 * 10, 6)
    words = ["Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied", "Very satisfied"]
    return words.index(answer.replace("Zufrieden", "Satisfied")) * 2.5 if code == "SAT" else None


def _name(code: str) -> str:
    if code[:2] in ("I_", "S_"):
        ending = NEEDS[int(code[2:]) - 1].lower().replace(" ", "_")
        return f"importance_of_{ending}" if code[0] == "I" else f"satisfaction_with_{ending}"
    return {"NPS": "nps", "EASE": "ces", "SAT": "csat"}[code]


def _benefits(own: Sequence[Row]) -> Row:
    asked = [row for row in own if row["code"] == "version" or row["code"].startswith("BW")]
    last = {row["code"]: row["answer"] for row in asked if row["at"] == asked[-1]["at"]}
    best: Counter[int] = Counter()
    worst: Counter[int] = Counter()
    shown: Counter[int] = Counter()
    for task in TASKS:
        chosen = [last.get(f"BW{task}_{end}") for end in ("most", "least")]
        if None in chosen or "version" not in last:
            continue
        a, b = (BENEFITS.index(str(c)) for c in chosen)
        items = DESIGN[last["version"], task]
        if a != b and a in items and b in items:
            best[a] += 1
            worst[b] += 1
            shown.update(items)
    scores = {i: (best[i] - worst[i]) / shown[i] for i in range(len(BENEFITS)) if shown[i]}
    if not scores:
        return {}
    first = max(scores, key=lambda i: (scores[i], best[i], -i))
    named: Mapping[str, Any] = {f"benefit_of_{_slug(BENEFITS[i])}": score for i, score in scores.items()}
    return {**named, "main_benefit": BENEFITS[first]}


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
