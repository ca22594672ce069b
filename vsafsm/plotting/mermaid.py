"""A machine as Mermaid text, which many pages draw by themselves."""

from __future__ import annotations

from vsafsm.machine import Machine
from vsafsm.plotting.geometry import transition_labels

SPECIAL = frozenset('"#;:<>&{}[]()|\\`')


def mermaid(machine: Machine, state: str | None = None) -> str:
    """A ``stateDiagram-v2``: reachable states by number, with their names and Moore outputs; one
    may be lit up.
    """
    number = {name: f"s{i}" for i, name in enumerate(machine.reachable)}
    lines = ["stateDiagram-v2", f"    [*] --> {number[machine.initial]}"]
    for name, alias in number.items():
        outputs = machine.outputs_of(name)
        text = escaped(name) + (f"<br/>{escaped(', '.join(outputs))}" if outputs else "")
        lines.append(f'    state "{text}" as {alias}')
    for (source, target), labels in transition_labels(machine).items():
        lines.append(f"    {number[source]} --> {number[target]}: {escaped(', '.join(labels))}")
    if state is not None:
        lines += [
            "    classDef now fill:#ffe2a8,stroke:#3b4cc0,color:#1b1d28",
            f"    class {number[state]} now",
        ]
    return "\n".join(lines) + "\n"


def escaped(name: str) -> str:
    """A name in which nothing means anything to Mermaid: special characters by their numbers."""
    return "".join(
        f"#{ord(letter)};" if letter in SPECIAL or not letter.isprintable() else letter
        for letter in name
    )
