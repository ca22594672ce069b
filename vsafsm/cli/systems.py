"""What commands do with a system: several machines, a network each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from vsafsm.cli.arguments import Choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.results import size_line, sizes, tolerated, tolerated_lines
from vsafsm.cli.sources import compile_all
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import note, print_json, print_line
from vsafsm.clocked import expanded
from vsafsm.errors import TooLargeError, UsageError
from vsafsm.machine import Outputs
from vsafsm.statecharts.columns import STATE, columns_of
from vsafsm.systems import System, SystemProgram
from vsafsm.systems.exchange import EndlessError
from vsafsm.systems.folders import check_folder, save_system
from vsafsm.systems.sessions import Reached
from vsafsm.systems.system import MOST_CONFIGURATIONS, States
from vsafsm.systems.waits import is_counter


@dataclass(frozen=True)
class Together:
    """What exploring the machines of a system together found.

    Attributes
    ----------
    configurations
        How many there are; None where they are too many to explore, or an exchange never ends.
    endless
        An exchange that never ends, in words; or None.
    """

    configurations: int | None
    endless: str | None = None

    @classmethod
    def of(cls, system: System) -> Together:
        try:
            return cls(system.configurations())
        except EndlessError as error:
            return cls(None, str(error))
        except TooLargeError:
            return cls(None)

    @property
    def ends(self) -> bool:
        """Whether no exchange without end was found."""
        return self.endless is None

    @property
    def told(self) -> str:
        """In a sentence."""
        if self.endless is not None:
            return self.endless
        if self.configurations is None:
            return (
                f"more than {MOST_CONFIGURATIONS} configurations of the machines together, which"
                " were not explored"
            )
        return (
            f"{self.configurations} configurations of the machines together, and every exchange"
            " ends"
        )


def compile_into_folder(system: System, args: argparse.Namespace, chosen: Choices) -> int:
    """-> 0 all proven, 1 not all; bad input is raised."""
    for flag in ("scheduler", "resume"):
        if getattr(args, flag) is not None:
            raise UsageError(f"--{flag} is for one machine; expected a system without it")
    check_folder(args.output)
    together = Together.of(system)
    if together.endless is not None:
        raise EndlessError(together.endless)
    program = compile_all(system, chosen, args.allow_unproven, args, jobs=args.jobs)
    files = save_system(program, args.output)
    if args.json:
        machines = [
            {
                "machine": each.machine.name,
                "program": file,
                **sizes(each),
                "tolerated": tolerated(each),
            }
            for each, file in zip(program.programs, files, strict=True)
        ]
        print_json(
            {
                "system": system.name,
                "folder": args.output,
                "neurons": program.neurons,
                "synapses": program.synapses,
                "configurations": together.configurations,
                "machines": machines,
            }
        )
    else:
        for each in program.programs:
            for line in (size_line(each, each.network, each.claim), *tolerated_lines(each)):
                print_line(line)
        print_line(f"{system.name}: {together.told}")
        print_line(f"wrote {args.output}: {', '.join(files)}")
    if not program.holds:
        note("warning", "not every program is proven")
        return WRONG
    return OK


# ---- runs


def run_system(
    program: SystemProgram, items: Sequence[str], args: argparse.Namespace, chosen: Choices
) -> int:
    """Run a word, each configuration beside the interpreter's."""
    system = program.system
    groups = expanded(items, system)
    right = [(system.initial, system.moore(system.initial))]
    for group in groups:
        right.append(_interpreted(system, right[-1][0], group))
    with ProgressBar(f"running on {chosen.target}"):
        found = _ran(program, groups, chosen)
    correct = found == right
    if args.json:
        print_json(
            {
                "system": system.name,
                "machines": [machine.name for machine in system.machines],
                "backend": chosen.target,
                "inputs": list(items),
                "states": [list(states) for states, _ in found],
                "expected": [list(states) for states, _ in right],
                "initial_outputs": list(found[0][1]),
                "outputs": [list(outputs) for _, outputs in found[1:]],
                "correct": correct,
            }
        )
    else:
        _print_trace(system, items, found, right)
        wrong = sum(one[0] != other[0] for one, other in zip(found, right, strict=True))
        _print_verdict(program, chosen.target, len(found), wrong, correct)
    return OK if correct else WRONG


def _interpreted(system: System, states: States, group: Sequence[str]) -> tuple[States, Outputs]:
    """Where the inputs of one item lead, and all that is put out on the way and there."""
    put: list[str] = []
    for symbol in group:
        states, outputs = system.react(states, symbol)
        put += outputs
    return states, tuple(dict.fromkeys((*put, *system.moore(states))))


def _ran(
    program: SystemProgram, groups: Sequence[Sequence[str]], chosen: Choices
) -> list[tuple[Reached, Outputs]]:
    """States and outputs at the start and after each item, read from activity."""
    with program.open(chosen.target, **chosen.of_target) as session:
        found = [(session.state, session.outputs)]
        for group in groups:
            put: list[str] = []
            for symbol in group:
                session.send(symbol)
                put += session.on_the_way
            found.append((session.state, tuple(dict.fromkeys((*put, *session.outputs)))))
    return found


def _print_trace(
    system: System,
    items: Sequence[str],
    found: Sequence[tuple[Reached, Outputs]],
    right: Sequence[tuple[States, Outputs]],
) -> None:
    """A column for each machine but counters, and one for each of its variables."""
    shown = [n for n, machine in enumerate(system.machines) if not is_counter(machine)]
    machines = [system.machines[n] for n in shown]
    columns = [columns_of(machine.states) for machine in machines]
    headings = [
        machine.name if heading == STATE else heading
        for machine, each in zip(machines, columns, strict=True)
        for heading in each.headings
    ]
    rows = []
    for i, ((states, outputs), (expected, _)) in enumerate(zip(found, right, strict=True)):
        cells: list[str] = []
        for machine, each, n in zip(machines, columns, shown, strict=True):
            first, *rest = each.row(states[n])
            cells += [first.removeprefix(f"{machine.name}."), *rest]
        remark = "" if states == expected else f"expected {', '.join(expected)}"
        symbol = items[i - 1] if i else ""
        told = ", ".join(each for each in outputs if each not in system.inner)
        rows.append((str(i), symbol, *cells, told, remark))
    print_table(("step", "input", *headings, "outputs", ""), rows)


def _print_verdict(
    program: SystemProgram, backend: str, count: int, wrong: int, correct: bool
) -> None:
    size = f"{len(program.programs)} networks, {program.neurons} neurons, backend {backend}"
    if correct:
        print_line(f"Each of the {count} configurations is the interpreter's ({size}).")
    elif wrong:
        print_line(f"{wrong} of {count} configurations are not the interpreter's ({size}).")
    else:
        right = f"Each of the {count} configurations is the interpreter's"
        print_line(f"{right}, but not each output ({size}).")
