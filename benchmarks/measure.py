"""How every benchmark measures: the outputs are checked equal first, then the contenders take turns.

Each run of a contender is a process of its own, so that neither memory nor imports leak from one to the next. A
contender is a function ``prepare(data, out)``: it imports what it needs and gives back the work, which reads the folder
``data`` and writes into the folder ``out``. Only the work is timed.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

Work = Callable[[], Mapping[str, Any] | None]  # what it gives is printed beside its time
Prepare = Callable[[Path, Path], Work]

ROUNDS = 5
# A contender so slow that five runs would take longer than this gets fewer, at least one; the table says how many.
SECONDS_FOR_A_CONTENDER = 300.0
GB = 1e9


class NotEqualError(Exception):
    """Two contenders do not give the same result, so that their times cannot be compared."""


@dataclass(frozen=True)
class Contender:
    """One way to the result; ``package`` is the distribution whose version is shown."""

    name: str
    prepare: Prepare
    package: str = ""


@dataclass(frozen=True)
class Result:
    """What was measured of one contender: seconds of every run by the clock and of all processors, the largest peak of
    memory, and what the work told last. ``problem`` says why there is nothing.
    """

    runs: tuple[float, ...] = ()
    processor: tuple[float, ...] = ()
    peak_bytes: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def seconds(self) -> float:
        """The median of the runs; it is not a number where there is none."""
        return statistics.median(self.runs) if self.runs else float("nan")


Results = Mapping[str, Result]


@dataclass(frozen=True)
class Budget:
    """What was promised: ``measured`` gives the figure that must not exceed ``most``, of the contenders ``of``."""

    text: str
    most: float
    measured: Callable[[Results], float]
    of: tuple[str, ...]


def seconds(name: str, most: float) -> Budget:
    """At most so many seconds."""
    return Budget(f"{name}: at most {most:g} s", most, lambda r: r[name].seconds, (name,))


def memory(name: str, most: float) -> Budget:
    """At most so many GB of memory at its peak."""
    return Budget(f"{name}: at most {most:g} GB", most, lambda r: r[name].peak_bytes / GB, (name,))


def times(name: str, peer: str, most: float) -> Budget:
    """At most so many times the seconds of a peer; below 1: faster than it."""
    text = f"at most {most:g} times {peer}" if most >= 1 else f"{1 / most:g} times faster than {peer}"
    return Budget(f"{name}: {text}", most, lambda r: r[name].seconds / r[peer].seconds, (name, peer))


@dataclass(frozen=True)
class Benchmark:
    """One claim: what is done, who does it, what is promised.

    ``inputs(data)`` writes what the contenders read, unless it is there. ``agree(data, outs)`` gets the output folder
    of every contender that ran and raises :class:`NotEqualError` where two differ. Ratios are against ``reference``.
    """

    title: str
    about: str
    contenders: tuple[Contender, ...]
    reference: str
    inputs: Callable[[Path], None]
    agree: Callable[[Path, Mapping[str, Path]], None]
    budgets: tuple[Budget, ...] = ()
    skipped: str = ""  # why it is not run, if so


def scale() -> float:
    """The share of the full size that is measured: SEGMENTRY_BENCH_SCALE, 1 by default."""
    return float(os.environ.get("SEGMENTRY_BENCH_SCALE", "1"))


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def main(benchmark: Benchmark) -> None:
    """Run a benchmark and print its table as JSON lines: the claim, a line per contender, a line per budget."""
    module = _module()
    say(f"# {benchmark.title}")
    results: dict[str, Result] = {}
    if not benchmark.skipped:
        with _folders() as (data, scratch):
            benchmark.inputs(data)
            results = _measured(benchmark, module, data, scratch)
    for line in _lines(benchmark, module, results):
        print(json.dumps(line), flush=True)


def _module() -> str:
    """The name of the benchmark that is run, which its children import."""
    spec = sys.modules["__main__"].__spec__
    if spec is None:
        raise SystemExit("Run it as a module, from the root of the checkout: python -m benchmarks.rfm")
    return spec.name


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """The folder of the input data (SEGMENTRY_BENCH_DATA where several benchmarks share it) and one for outputs."""
    shared = os.environ.get("SEGMENTRY_BENCH_DATA")
    with tempfile.TemporaryDirectory(prefix="segmentry-bench-") as own:
        data = Path(shared) if shared else Path(own, "data")
        scratch = Path(own, "out")
        for folder in (data, scratch):
            folder.mkdir(parents=True, exist_ok=True)
        yield data, scratch


# Taking turns ---------------------------------------------------------------------------------------------------------


def _measured(benchmark: Benchmark, module: str, data: Path, scratch: Path) -> dict[str, Result]:
    """Run everyone once and compare the outputs, then everyone in turn, as often as there are rounds."""
    outs = {c.name: scratch / str(i) for i, c in enumerate(benchmark.contenders)}
    results = {c.name: _run(c, module, data, outs[c.name]) for c in benchmark.contenders}
    benchmark.agree(data, {name: out for name, out in outs.items() if not results[name].problem})
    rounds = int(os.environ.get("SEGMENTRY_BENCH_ROUNDS", ROUNDS))
    if not rounds:  # tests: the run that was checked is all there is
        return results
    first = results
    results = {name: Result(problem=first[name].problem) for name in first}
    for turn in range(rounds):
        for contender in benchmark.contenders:
            before = first[contender.name]
            turns = max(1, int(SECONDS_FOR_A_CONTENDER / max(before.seconds, 0.001))) if before.runs else 0
            if turn < turns:
                shutil.rmtree(outs[contender.name])
                again = _run(contender, module, data, outs[contender.name])
                results[contender.name] = _joined(results[contender.name], again)
    return results


def _joined(before: Result, now: Result) -> Result:
    return Result(
        before.runs + now.runs,
        before.processor + now.processor,
        max(before.peak_bytes, now.peak_bytes),
        now.told or before.told,
        before.problem or now.problem,
    )


def _run(contender: Contender, module: str, data: Path, out: Path) -> Result:
    """One run in a fresh process."""
    out.mkdir(parents=True)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.measure", module, contender.prepare.__name__]
    # a first run may leave compiled modules, as it does for everybody: without them every import compiles anew
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command += [str(data), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT, env=env)
    if ran.returncode:
        last = ([line for line in ran.stderr.splitlines() if line.strip()] or [f"exit code {ran.returncode}"])[-1]
        say(f"{contender.name}: not run: {last}")
        return Result(problem=last)
    told = json.loads(ran.stdout.splitlines()[-1])
    worked, peak = f"{told['processor']:.2f} s of processors", f"{told['peak_bytes'] / GB:.2f} GB"
    say(f"{contender.name}: {told['seconds']:.3f} s, {worked}, {peak}")
    return Result((told["seconds"],), (told["processor"],), told["peak_bytes"], told["told"])


_ROOT = Path(__file__).resolve().parent.parent


def _child(module: str, function: str, data: str, out: str) -> None:
    """What runs in the fresh process: prepare, then the work by the clock."""
    work = getattr(importlib.import_module(module), function)(Path(data), Path(out))
    begin, processor = time.perf_counter(), _processor_seconds()
    told = work()
    taken = {"seconds": time.perf_counter() - begin, "processor": _processor_seconds() - processor}
    print(json.dumps({**taken, "peak_bytes": _peak_bytes(), "told": dict(told or {})}))


def _processor_seconds() -> float:
    """What all threads of this process and of those it started have worked: it tells a slow run from a busy machine."""
    return sum(os.times()[:4])


def _peak_bytes() -> int:
    """The most memory that this process, or one that it started, ever held."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of a process counts from before its exec: the peak of its parent is in it
        own = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return max(children, int(own.split()[1]) * 1024)
    return max(children, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


# Telling --------------------------------------------------------------------------------------------------------------


def _lines(benchmark: Benchmark, module: str, results: Results) -> Iterator[dict[str, Any]]:
    name = module.rpartition(".")[2]
    yield {
        "kind": "claim",
        "benchmark": name,
        "title": benchmark.title,
        "about": benchmark.about,
        "reference": benchmark.reference,
        "skipped": benchmark.skipped,
        **machine(),
    }
    for contender in benchmark.contenders if results else ():
        result = results[contender.name]
        yield {
            "kind": "contender",
            "benchmark": name,
            "name": contender.name,
            "version": _version(contender.package),
            "runs": [round(s, 4) for s in result.runs],
            "seconds": _number(result.seconds),
            "processor_seconds": _number(statistics.median(result.processor)) if result.runs else None,
            "ratio": _number(result.seconds / results[benchmark.reference].seconds),
            "peak_gb": _number(result.peak_bytes / GB) if result.runs else None,
            "told": dict(result.told),
            "problem": result.problem,
        }
    for budget in benchmark.budgets if results else ():
        yield {"kind": "budget", "benchmark": name, **_judged(budget, results)}


def _judged(budget: Budget, results: Results) -> dict[str, Any]:
    """The budget with what was measured; small sizes say nothing about it, and neither does who did not run."""
    measured = _number(budget.measured(results)) if all(results[name].runs for name in budget.of) else None
    judged = measured is not None and scale() >= 1
    return {"text": budget.text, "measured": measured, "hit": measured <= budget.most if judged else None}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _version(package: str) -> str:
    try:
        return metadata.version(package) if package else ""
    except metadata.PackageNotFoundError:
        return "not installed"


def machine() -> dict[str, Any]:
    """When and on what it was measured."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(pages / GB, 1),
        "python": platform.python_version(),
        "duckdb": _version("duckdb"),
        "segmentry": _version("segmentry"),
        "scale": scale(),
    }


# Comparing ------------------------------------------------------------------------------------------------------------


def same(ours: Path, theirs: Path, key: str, pairs: Mapping[str, str] | Sequence[str], *, where: str = "true") -> None:
    """Compare two Parquet files row by row, by their key: text alike, numbers to nine digits.

    ``pairs`` maps an expression over our row (``a.``) to one over theirs (``b.``); a list of names means the columns of
    that name. ``where`` limits the comparison of values, never that of the keys. Raises :class:`NotEqualError`.
    """
    import duckdb

    if not isinstance(pairs, Mapping):
        pairs = {f"a.{name}": f"b.{name}" for name in pairs}
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW a AS SELECT * FROM read_parquet('{ours}')")
        con.execute(f"CREATE VIEW b AS SELECT * FROM read_parquet('{theirs}')")
        missing = con.sql(
            f"SELECT count(*) FROM a FULL JOIN b ON a.{key} = b.{key} WHERE a.{key} IS NULL OR b.{key} IS NULL"
        )
        lost = _one(missing)
        rows = _one(con.sql("SELECT count(*) FROM a"))
        if lost or rows != _one(con.sql("SELECT count(*) FROM b")) or not rows:
            raise NotEqualError(f"{theirs}: {lost} of {rows} rows have no partner.")
        for left, right in ((f"({a})", f"({b})") for a, b in pairs.items()):
            number = con.sql(f"SELECT {left} FROM a LIMIT 0").types[0] not in ("VARCHAR", "BOOLEAN")
            differ = (
                f"NOT abs({left}::DOUBLE - {right}::DOUBLE) <= 1e-9 * greatest(1, abs({left}::DOUBLE))"
                if number
                else f"{left} != {right}"
            )
            null = f"({left} IS NULL) != ({right} IS NULL)"
            wrong = f"FROM a JOIN b ON a.{key} = b.{key} WHERE ({where}) AND ({null} OR {differ})"
            if count := _one(con.sql(f"SELECT count(*) {wrong}")):
                examples = con.sql(f"SELECT a.{key}, {left}, {right} {wrong} LIMIT 3").fetchall()
                raise NotEqualError(
                    f"{theirs}: {left} and {right} differ in {count} of {rows} rows, such as {examples}."
                )


def _one(relation: Any) -> int:
    return int(relation.fetchone()[0])


if __name__ == "__main__":
    _child(*sys.argv[1:])
