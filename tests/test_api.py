"""What ``import vsafsm`` gives: names, representations, equality, examples of docstrings."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.noise import Missing
from vsafsm.program import Program

pytestmark = pytest.mark.usefixtures("usual_tolerances")

ROOT = Path(__file__).parents[1]
DOCUMENTED = sorted(name for name in vsafsm.__all__ if callable(getattr(vsafsm, name)))


@pytest.fixture(scope="module")
def program() -> Program:
    return vsafsm.compile(vsafsm.load(ROOT / "specs" / "turnstile.yaml"))


def test_every_name_is_there() -> None:
    assert set(vsafsm.__all__) <= set(dir(vsafsm))
    for name in vsafsm.__all__:
        assert getattr(vsafsm, name) is getattr(vsafsm, name)
    with pytest.raises(AttributeError, match="no attribute 'compiel'"):
        _ = vsafsm.compiel  # type: ignore[attr-defined]


def test_importing_the_package_imports_no_numpy() -> None:
    code = "import sys, vsafsm, vsafsm.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_public_name_has_an_example_that_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Examples read ``specs/`` and may write files."""
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    monkeypatch.chdir(tmp_path)
    thing = getattr(vsafsm, name)
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no example"
    found = doctest.DocTestFinder(recurse=inspect.isclass(thing)).find(thing, name)
    for each in found:
        assert doctest.DocTestRunner(verbose=False).run(each).failed == 0


def test_the_package_s_own_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(vsafsm).failed == 0
    assert doctest.testmod(vsafsm).attempted >= 4


# ---- representations


def test_representations_are_one_short_line(program: Program) -> None:
    with vsafsm.open(program) as session:
        things: list[Any] = [program.machine, program, program.network, program.prove(), session]
        things += [vsafsm.explain(program), vsafsm.sweep(program, Missing(0), trials=2)]
        for thing in things:
            text = repr(thing)
            assert "\n" not in text
            assert len(text) < 120
            assert "array" not in text
        assert "turnstile" in repr(program)
        assert '"locked"' in repr(session)
    assert "closed" in repr(session)


@pytest.mark.parametrize("backend", ["reference", "loihi2", "nir", "memristor", "brian2"])
def test_sessions_of_every_backend_say_where_they_are(backend: str) -> None:
    machine = vsafsm.load(ROOT / "specs" / "turnstile.yaml")
    target = vsafsm.compile(machine, target=backend)
    with vsafsm.open(target, backend) as session:
        session.send("coin")
        assert '"unlocked"' in repr(session)
    assert "closed" in repr(session)


def test_notebooks_show_a_graph_and_a_table(program: Program) -> None:
    graph, table = program.machine._repr_html_(), program._repr_html_()
    assert graph.startswith("<svg")
    assert graph.count('class="node"') == 2
    assert table.startswith("<table>")
    assert "<td>turnstile</td>" in table


# ---- equality


def test_programs_of_the_same_bytes_are_equal(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "p.npz")
    again = vsafsm.load_program(tmp_path / "p.npz")
    assert again == program
    assert hash(again) == hash(program)
    assert deepcopy(program) == program
    other = replace(program, network=program.network.with_weights(-program.network.weights))
    assert other != program
    assert program != "program"
    assert len({again, program, other}) == 2


# ---- tables


def test_a_table_is_a_data_frame(program: Program) -> None:
    pandas = pytest.importorskip("pandas")
    table = vsafsm.sweep(program, ["missing:0:0.5:0.25", Missing(0.9)], trials=5, words=0)
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.amount.tolist() == [0, 0.25, 0.5, 0.9]
    assert frame.correct.tolist() == [row.correct for row in table.rows]
    assert np.isnan(frame.words_share.astype(float)).all()


def test_a_sweep_in_memory_is_the_one_in_a_file(program: Program, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"noise": "additive:0:2:1", "trials": 12}
    memory = vsafsm.sweep(program, **asked)
    file = vsafsm.sweep(program, **asked, output=tmp_path / "t.csv")
    assert memory.rows == file.rows
    assert vsafsm.sweep(program, **asked, output=tmp_path / "t.csv").rows == file.rows
