"""How a workspace begins: from files and databases that are looked at, or as a simulated company."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import ibis.expr.types as ir

from segmentry import config
from segmentry.artefacts import write_file
from segmentry.data import propose, simulation, table_samples
from segmentry.data.simulation import comparison, planted
from segmentry.engine import Progress, in_memory
from segmentry.errors import UsageError
from segmentry.reading import Reading
from segmentry.target import playbooks
from segmentry.workspace import Workspace, open_workspace

EXPORTS = "exports"  # folder of the simulated company's files in its workspace


def create_workspace(
    path: str | Path, sources: Sequence[str | Path], *, name: str | None = None, replace_config: bool = False
) -> Workspace:
    """Make a workspace from files: look at them, write segmentry.yaml and playbooks.yaml, and open it.

    Raises :class:`UsageError` when there is one already, unless ``replace_config``.
    """
    root = Path(path).resolve()
    write_config(root, propose_config(root, sources, name=name), replace_config=replace_config)
    return open_workspace(root)


def propose_config(
    root: Path, files: Sequence[str | Path], *, name: str | None = None, progress: Progress | None = None
) -> propose.Proposal:
    """What the files are and how their columns map, with confidence and open questions; writes nothing.

    A URL among the files is a database: its tables are looked at.
    """
    root.mkdir(parents=True, exist_ok=True)
    given = [str(f) for f in files]
    with tempfile.TemporaryDirectory(prefix="segmentry-") as scratch, in_memory() as con:
        folder = Path(scratch)
        urls = [g for g in given if table_samples.is_url(g)]
        tables = [group for url in urls for group in table_samples.sampled(url, root, os.environ, folder)]
        paths = [g for g in given if g not in urls]
        return propose.propose(con, paths, root, folder, name=name, tables=tables, progress=progress)


def simulate_company(
    root: Path, *, customers: int, seed: int, answer_noise: float = 1.0, progress: Progress | None = None
) -> Path:
    """Make a workspace of a simulated company: its exports, the truth that was planted in them, and its config.

    ``answer_noise`` is as in :func:`~segmentry.data.simulation.simulate`.
    """
    with in_memory(root / "scratch") as con:
        con.raw_sql("SET memory_limit = '2GB'")  # the process takes a third more; the rest goes to disk
        simulation.simulate(
            root / EXPORTS,
            customers=customers,
            seed=seed,
            answer_noise=answer_noise,
            connection=con.con,
            progress=progress,
        )
    write_file(root / config.FILE_NAME, simulation.workspace_file())
    if not (root / playbooks.FILE_NAME).exists():
        write_file(root / playbooks.FILE_NAME, playbooks.template())
    return root / config.FILE_NAME


def write_config(root: Path, proposal: propose.Proposal, *, replace_config: bool = False) -> Path:
    """Write segmentry.yaml and, where there is none, playbooks.yaml; gives the path of the former."""
    path = root / config.FILE_NAME
    if path.exists() and not replace_config:
        raise UsageError(
            f"{path} is there already.",
            why="A config that somebody may have edited is not replaced unasked.",
            fix="Use --force to replace it, or choose another folder with --workspace.",
        )
    write_file(path, propose.to_yaml(proposal))
    if not (root / playbooks.FILE_NAME).exists():
        write_file(root / playbooks.FILE_NAME, playbooks.template())
    return path


def distances(space: Workspace) -> tuple[comparison.Distance, ...]:
    """How far what was found is from what was planted; only in the workspace of a simulated company."""
    with space.reading() as reading:
        exports = space.root / EXPORTS
        persons = reading.session.con.read_csv(exports / comparison.PERSONS)
        records = comparison.records_of_people(reading.session.con, exports)
        placed = {n: reading.table(f"assign:{n}", "memberships") for n in [space.config.first] if n}
        traits = reading.table("traits", "traits")
        value = reading.run("traits").facts["value_trait"]
        tables = (reading.table("resolve", "identities"), traits)
        organisations = reading.table("resolve", "account_identities"), reading.table("resolve", "golden_accounts")
        customers = reading.table("resolve", "golden_customers")
        return (
            *comparison.compare(persons, records, *tables, placed, value),
            *_planted_segments(reading, persons, traits),
            *comparison.compare_stacks(
                reading.session.con, exports, organisations[0], reading.table("traits", "account_traits")
            ),
            *comparison.compare_accounts(reading.session.con, exports, *organisations, customers),
        )


def _planted_segments(reading: Reading, persons: ir.Table, traits: ir.Table) -> Iterator[comparison.Distance]:
    """Needs segments and ideal customers, where the workspace looks for them."""
    if f"assign:{planted.NEEDS}" in reading.current:
        segmentation = reading.segmentation(planted.NEEDS)
        members = reading.table(f"assign:{planted.NEEDS}", "memberships")
        forming = [name for name, kind in segmentation.traits if kind == "number"]
        yield planted.needs(persons, traits, members, segmentation.names, forming)
    for aim in reading.aims():
        if aim.name != planted.TABLETS:
            continue
        if aim.judged is None:
            yield comparison.Distance("who buys tablets", f"no score was found. {aim.refused}", 0.0)
        else:
            scores = reading.table(f"lookalikes:{aim.name}", "lookalikes")
            favourable = {f.text: f.condition for f in aim.favourable}
            yield planted.ideal_customers(persons, traits, scores, favourable, aim.judged.lift[0])
