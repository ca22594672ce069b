"""A machine drawn by Graphviz, whose program ``dot`` has to be installed."""

from __future__ import annotations

import shutil
import subprocess

from vsafsm.errors import PlotError
from vsafsm.machine import Machine
from vsafsm.plotting.geometry import check_size, shortened, transition_labels

FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf"}
SECONDS = 120


def is_there() -> bool:
    """Whether ``dot`` is on the path."""
    return shutil.which("dot") is not None


def graph_of(machine: Machine, state: str | None = None) -> str:
    """DOT to look at: reachable states with their Moore outputs, an arrow for each pair of them;
    one may be lit up.
    """
    number = {name: f"s{i}" for i, name in enumerate(machine.reachable)}
    lines = [
        "digraph {",
        '  graph [rankdir=LR, bgcolor="white", fontname="Helvetica"];',
        (
            '  node [shape=ellipse, style=filled, fillcolor="#eef1fb", color="#3b4cc0",'
            ' fontname="Helvetica"];'
        ),
        '  edge [color="#404040", fontname="Helvetica", fontsize=11];',
    ]
    for name, alias in number.items():
        outputs = machine.outputs_of(name)
        label = _escaped(name) + (f"\\n{_escaped(', '.join(outputs))}" if outputs else "")
        initial = ", peripheries=2" if name == machine.initial else ""
        lit = ', fillcolor="#ffe2a8", penwidth=2' if name == state else ""
        lines.append(f'  {alias} [label="{label}"{initial}{lit}];')
    for (source, target), labels in transition_labels(machine).items():
        lines.append(
            f'  {number[source]} -> {number[target]} [label="{_escaped(shortened(labels))}"];'
        )
    return "\n".join([*lines, "}"]) + "\n"


def render(machine: Machine, suffix: str, state: str | None = None) -> bytes:
    """The picture of a machine, as what the suffix says.

    Raises
    ------
    PlotError
        If there are too many states; or as `rendered` does.
    """
    check_size(machine)
    return rendered(graph_of(machine, state), suffix)


def rendered(text: str, suffix: str) -> bytes:
    """The picture of a text in DOT, as what the suffix says.

    Raises
    ------
    PlotError
        If ``dot`` is not there, fails or takes more than two minutes.
    """
    program = shutil.which("dot")
    if program is None:
        raise PlotError(
            'Graphviz is not installed: there is no program "dot"; expected one on the path'
        )
    try:
        try:
            ran = _ran(program, text, FORMATS[suffix])
        except subprocess.CalledProcessError:
            # The usual way to rank breaks off at some boxes in boxes, the newer one does not.
            ran = _ran(program, text.replace("{", "{ newrank=true;", 1), FORMATS[suffix])
    except subprocess.TimeoutExpired:
        raise PlotError(
            f"Graphviz took more than {SECONDS} s; expected a smaller machine"
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise PlotError(f"Graphviz could not draw the machine: {error}") from None
    return ran.stdout


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _ran(program: str, text: str, kind: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - no shell, and the format is one of a few
        [program, f"-T{kind}"],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
