"""The table of a recipe: a line per trial, in CSV, with any columns besides those of the plan."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsafsm.errors import FileError, RecipeError, did_you_mean
from vsafsm.exclusion import alone
from vsafsm.files import reason, write_atomically
from vsafsm.recipes.plan import Plan, Value, number_of

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Trial:
    """A line of the table.

    Attributes
    ----------
    line
        Its number, from 1.
    settings
        A value for each setting.
    figures
        What was measured, for each column that the objective needs; None where the cell is empty.
    """

    line: int
    settings: dict[str, Value]
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Table:
    """Columns, trials, and the text that they were read from; all empty where there is no file."""

    columns: tuple[str, ...]
    trials: tuple[Trial, ...]
    text: str


def load_table(path: str | Path, plan: Plan) -> Table:
    """Read a table; an empty one where there is no file.

    Raises
    ------
    FileError
        If the file cannot be read.
    RecipeError
        With file and line, if it does not fit the plan.
    """
    place = Path(path)
    try:
        if not place.exists():
            return Table((), (), "")
        data = place.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    if len(data) > MOST_BYTES:
        raise RecipeError(f'"{path}" has {len(data)} bytes; expected {MOST_BYTES} at most')
    return read_table(text, str(path), plan)


def read_table(text: str, source: str, plan: Plan) -> Table:
    """A table from its text. Raises as `load_table`."""
    rows = _rows(text, source)
    if not rows:
        raise RecipeError(f"{source}:1: the table is empty; expected a line with column names")
    _, columns = rows[0]
    _check_columns(columns, source, plan)
    trials = []
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            raise RecipeError(
                f"{source}:{line}: there are {len(cells)} cells; expected {len(columns)}, one for"
                " each column"
            )
        try:
            trials.append(_trial(line, dict(zip(columns, cells, strict=True)), plan))
        except RecipeError as error:
            raise RecipeError(f"{source}:{line}: {error.message}") from None
    return Table(tuple(columns), tuple(trials), text)


def _rows(text: str, source: str) -> list[tuple[int, list[str]]]:
    """Lines with their numbers; a blank one at the end is left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, first = [], 1
    try:
        for cells in reader:
            if reader.line_num > first or any("\n" in c or "\r" in c for c in cells):
                raise RecipeError(
                    f"{source}:{first}: a cell goes on in the next line; expected"
                    " one line per trial"
                )
            if cells:
                rows.append((first, [cell.strip() for cell in cells]))
            first = reader.line_num + 1
    except csv.Error as error:
        raise RecipeError(f"{source}:{first}: this is no CSV: {error}") from None
    return rows


def _check_columns(columns: Sequence[str], source: str, plan: Plan) -> None:
    for name in columns:
        if not name or columns.count(name) > 1:
            what = f'column "{name}" stands twice' if name else "a column has no name"
            raise RecipeError(f"{source}:1: {what}; expected a name of its own for each")
    for name in needed(plan):
        if name not in columns:
            raise RecipeError(
                f'{source}:1: there is no column "{name}", which the plan names; expected it'
                f"{did_you_mean(name, columns)}"
            )


def needed(plan: Plan) -> tuple[str, ...]:
    """Columns that a table of a plan has: those of settings, and those of the objective."""
    return (*(setting.name for setting in plan.settings), *plan.measured)


def _trial(line: int, cells: Mapping[str, str], plan: Plan) -> Trial:
    settings = {setting.name: setting.read(cells[setting.name]) for setting in plan.settings}
    return Trial(line, settings, {name: _figure(name, cells[name]) for name in plan.measured})


def _figure(name: str, text: str) -> float | None:
    if not text:
        return None
    number = number_of(text)
    if number is None:
        raise RecipeError(f'{name} is "{text}"; expected a number, or nothing')
    return number


def append(path: str | Path, plan: Plan, cells: Mapping[str, str]) -> Table:
    """Add a trial: the whole table is written again, with its line, or stays as it was. Of those
    who add trials at the same moment, one waits for the other.

    A file that is not there begins with the columns of the plan and those that are given.

    Parameters
    ----------
    cells
        Texts by column: every setting, and what was measured; other columns stay empty.

    Returns
    -------
    Table
        As it is then.

    Raises
    ------
    FileError
        If the file cannot be read or written, or others hold it for too long.
    RecipeError
        If a cell fits no column or setting.
    """
    with alone(path):
        return _appended(path, plan, cells)


def _appended(path: str | Path, plan: Plan, cells: Mapping[str, str]) -> Table:
    table = load_table(path, plan)
    known = needed(plan)
    columns = table.columns or (*known, *(name for name in cells if name not in known))
    for name in cells:
        if name not in columns or not name.strip():
            raise RecipeError(
                f'"{path}" has no column "{name}"; expected one of: {", ".join(columns)}'
                f"{did_you_mean(name, columns)}"
            )
    for setting in plan.settings:
        if setting.name not in cells:
            raise RecipeError(f"{setting.name} is not given; expected {setting.expected}")
    line = _line([cells.get(name, "") for name in columns])
    text = table.text or _line(columns)
    whole = (text if text.endswith("\n") else f"{text}\n") + line
    after = read_table(whole, str(path), plan)
    write_atomically(path, whole.encode())
    return after


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
