"""A sweep in one call: what ``vsafsm.sweep`` and ``vsafsm sweep`` do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vsafsm.argument_checks import check_callable, check_mapping, check_program
from vsafsm.errors import SweepError
from vsafsm.files import check_path
from vsafsm.noise import Noise, noise_of
from vsafsm.program import Program
from vsafsm.sweeps.executors import Executor, cluster, processes, serial
from vsafsm.sweeps.journal import Journal, Memory
from vsafsm.sweeps.plan import Plan, Subject, Trials, check_same, subject
from vsafsm.sweeps.ranges import noises
from vsafsm.sweeps.run import Progress, measure
from vsafsm.sweeps.table import Table, check_suffix, read_table, write_table

DEFAULT_NOISE = "additive:0:3:0.25"


def sweep(
    programs: Program | Subject | Sequence[Program | Subject],
    noise: Noise | str | Sequence[Noise | str] = DEFAULT_NOISE,
    *,
    backend: str = "reference",
    options: Mapping[str, object] | None = None,
    trials: int = 200,
    width: float = 0.03,
    words: int = 10,
    length: int = 20,
    seed: int = 0,
    output: str | Path | None = None,
    restart: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Progress = lambda what, share: None,
) -> Table:
    """Measure how much noise programs of one machine tolerate (``vsafsm.sweep``).

    Parameters
    ----------
    programs
        One or several; a `vsafsm.sweeps.plan.Subject` brings a backend of its own.
    noise
        Models of `vsafsm.noise`, texts such as ``"missing:0.1"``, or ranges such as
        ``"additive:0:3:0.25"``.
    backend, options
        Where programs run, and options of the backend.
    trials
        Draws of noise per point, at most.
    width
        A point is done once the 95 % interval of its share of correct draws is no wider; 0 for
        never.
    words, length
        Random words that each draw runs, and the inputs of each.
    seed
        Of the draws.
    output
        A table (``.csv`` or ``.parquet``) to write. A sweep that was interrupted goes on from what
        is kept beside it; one that is done is read, and not measured again.
    restart
        Measure anew, whatever is there.
    jobs, scheduler
        Processes of this machine, or the address of a Dask scheduler.
    progress
        Called with what is done, and its share.

    Raises
    ------
    ArgumentError
        If what is no program is among `programs`, or another argument is not what is said above.
    SweepError, NoiseError
        If something is out of range, or `output` belongs to another sweep.
    BackendError
        If a program does not fit its backend.
    FileError
        If the table cannot be written.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> table = vsafsm.sweep(program, ["additive:0.1", "additive:9"], trials=20)
    >>> [row.correct for row in table.rows]
    [20, 0]
    """
    check_mapping(options, "vsafsm.sweep", "options")
    check_callable(progress, "vsafsm.sweep", "progress")
    if output is not None:
        check_path(output, "vsafsm.sweep", "output")
    several = [*programs] if isinstance(programs, Iterable) else [programs]
    for one in several:
        if not isinstance(one, Subject):
            check_program(one, "vsafsm.sweep")
    subjects = tuple(
        one if isinstance(one, Subject) else subject(one, backend, options) for one in several
    )
    asked = [noise] if isinstance(noise, str) or not isinstance(noise, Sequence) else noise
    models = [
        model
        for one in asked
        for model in (noises(one) if isinstance(one, str) else (noise_of(one),))
    ]
    measured = Trials(trials, width, words, length, seed)
    plan = Plan(subjects, tuple(dict.fromkeys(models)), measured)
    execute = _executor(jobs, scheduler)
    if output is None:
        return Table(tuple(measure(plan, Memory(), execute, progress)), plan.described())
    return _kept(plan, Path(output), restart, execute, progress)


def _kept(plan: Plan, output: Path, restart: bool, execute: Executor, progress: Progress) -> Table:
    """The table of a file: read where it is there already, else measured and written."""
    check_suffix(output)
    described = plan.described()
    journal = Journal(output, described)
    if restart:
        journal.forget()
    elif output.exists():
        table = read_table(output)
        check_same(f'"{output}"', table.provenance, described)
        return table
    with journal:
        rows = measure(plan, journal, execute, progress)
    table = Table(tuple(rows), described)
    write_table(output, table)
    journal.forget()
    return table


def _executor(jobs: int, scheduler: str | None) -> Executor:
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise SweepError(f"jobs is {jobs!r}; expected a whole number of at least 1")
    if scheduler is not None:
        if jobs != 1:
            raise SweepError("jobs and a scheduler are both given; expected one of them")
        return cluster(scheduler)
    return serial if jobs == 1 else processes(jobs)
