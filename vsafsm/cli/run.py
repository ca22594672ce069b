"""``vsafsm run``: a word, a train of inputs with times, or inputs as they come, each state beside
the one of the interpreter.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise

from vsafsm.backend import Run
from vsafsm.cli.arguments import (
    Choices,
    add_json,
    add_options,
    add_target,
    add_word,
    choices,
    word_of,
)
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.results import is_correct, print_verdict, wrong_states
from vsafsm.cli.senses import add_senses, seen_by, sense_of
from vsafsm.cli.sources import compiled_of
from vsafsm.cli.systems import run_system
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import flush, print_json, print_line
from vsafsm.clocked import expanded
from vsafsm.discovery import DEFAULT
from vsafsm.errors import BackendError, UsageError
from vsafsm.machine import Clock, Machine, Outputs
from vsafsm.playing import Played
from vsafsm.program import Program
from vsafsm.running import open_session, run_word, takes_vectors, with_inputs
from vsafsm.statecharts.columns import Columns, columns_of
from vsafsm.symbolic import SymbolicMachine
from vsafsm.systems import SystemProgram
from vsafsm.trains import DROP, OVERLAPS, Pace, check_overlap, time_of, timed

STREAM = "-"
"""In place of a word: inputs come from standard input, and each is answered at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, a word, a backend, and compile options."""
    add_word(
        parser,
        "; press@40 gives an input at a time; - answers each input of standard input as it comes",
    )
    add_target(parser, "--backend", "where to run")
    parser.add_argument(
        "--overlap",
        metavar="RULE",
        help="what becomes of inputs with times that overlap:"
        f" {' or '.join(OVERLAPS)} (default {DROP})",
    )
    parser.add_argument(
        "--clock",
        action="store_true",
        help="with -: tick in real time, by the period of the machine's clock",
    )
    add_senses(parser)
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    if args.overlap is not None:
        check_overlap(args.overlap)
    if args.sense is not None or args.frames is not None:
        return _run_on_frames(args, chosen)
    if args.inputs == [STREAM] and not args.word_file:
        program = compiled_of(args, chosen, allow_unproven=True)
        if isinstance(program, SystemProgram):
            raise UsageError("- is for one machine; expected the word of a system")
        if isinstance(program.machine, SymbolicMachine) and not takes_vectors(chosen.backend):
            raise UsageError(
                f'machine "{program.machine.name}" has guards, and backend "{chosen.target}" makes'
                " masks for a word that is known; expected the word, a file of it with --word-file,"
                f" or backend {DEFAULT}"
            )
        if args.clock and program.machine.clock is None:
            raise UsageError(
                f'machine "{program.machine.name}" has no clock; expected one, or no --clock'
            )
        if STREAM not in program.machine.inputs:
            _refuse_overlap(args)
            return _follow(program, chosen, args.json, args.clock)
    if args.clock:
        raise UsageError("--clock keeps real time while inputs come; expected - for them")
    items = word_of(args)
    program = compiled_of(args, chosen, allow_unproven=True)
    if isinstance(program, SystemProgram):
        if timed(items, program.system.inputs):
            raise UsageError("inputs with times are for one machine; expected the word of a system")
        _refuse_overlap(args)
        return run_system(program, items, args, chosen)
    machine = program.machine
    train = timed(items, machine.inputs)
    if train:
        return _play(program, train, args, chosen)
    _refuse_overlap(args)
    return _run_word(program, items, args, chosen)


def _run_word(
    program: Program,
    items: Sequence[str],
    args: argparse.Namespace,
    chosen: Choices,
    frames: Sequence[str] = (),
) -> int:
    """Run a word that is known; `frames` has what each input was seen in."""
    machine = program.machine
    groups = expanded(items, machine)
    word = tuple(chain.from_iterable(groups))
    expected = machine.run(word)
    with ProgressBar(f"running on {chosen.target}"):
        ran = run_word(program, word, chosen.target, **chosen.of_target)
    correct = is_correct(ran, expected)
    ends = [0, *accumulate(len(group) for group in groups)]
    shown = _by_item(ran, machine, ends)
    columns = columns_of(machine.states)
    right = tuple(expected.states[end] for end in ends)
    if args.json:
        print_json(
            {
                "machine": machine.name,
                "backend": chosen.target,
                **_told(items, shown, right, columns),
                **({"frames": list(frames)} if frames else {}),
                "correct": correct,
            }
        )
    else:
        _print_trace(items, shown, right, columns, frames)
        wrong = wrong_states(ran.states, expected.states)
        print_verdict(program, chosen.target, len(ran.states), wrong, correct)
    return OK if correct else WRONG


def _told(
    word: Sequence[str], ran: Run, expected: Sequence[str], columns: Columns
) -> dict[str, object]:
    """A run, for JSON."""
    return {
        "inputs": list(word),
        "states": list(ran.states),
        "configurations": [_pairs(columns, state) for state in ran.states],
        "expected": list(expected),
        "initial_outputs": list(ran.outputs[0]),
        "outputs": [list(outputs) for outputs in ran.outputs[1:]],
    }


def _by_item(ran: Run, machine: Machine, ends: Sequence[int]) -> Run:
    """The last state of each item of a word, and the outputs on the way: a wait is many ticks."""
    outputs = [ran.outputs[0]]
    for before, end in pairwise(ends):
        mealy: list[str] = []
        for i in range(before + 1, end):
            mealy += machine.mealy(ran.states[i], ran.outputs[i])
        outputs.append((*mealy, *ran.outputs[end]))
    return Run(tuple(ran.states[end] for end in ends), tuple(outputs))


def _print_trace(
    word: Sequence[str],
    ran: Run,
    expected: Sequence[str],
    columns: Columns,
    frames: Sequence[str] = (),
) -> None:
    seen: Sequence[tuple[str, ...]] = [(name,) for name in ("", *frames)] if frames else []
    rows = []
    for i, (symbol, state, out, right) in enumerate(
        zip(("", *word), ran.states, ran.outputs, expected, strict=True)
    ):
        remark = "" if state == right else f"expected {right}"
        where = seen[i] if seen else ()
        rows.append((str(i), *where, symbol, *columns.row(state), ", ".join(out), remark))
    heading = ("frame",) if seen else ()
    print_table(("step", *heading, "input", *columns.headings, "outputs", ""), rows)


def _refuse_overlap(args: argparse.Namespace) -> None:
    if args.overlap is not None:
        raise UsageError("--overlap is for inputs with times; expected some, such as press@40")


# ---- inputs seen in frames


def _run_on_frames(args: argparse.Namespace, chosen: Choices) -> int:
    """Classify each frame, and run the word of what was seen."""
    if args.inputs or args.word_file or args.clock:
        raise UsageError("frames are given and a word or --clock as well; expected one of them")
    _refuse_overlap(args)
    sense = sense_of(args)
    program = compiled_of(args, chosen, allow_unproven=True)
    if isinstance(program, SystemProgram):
        raise UsageError("--sense is for one machine; expected no system")
    seen = seen_by(sense, program.machine, chosen)
    return _run_word(program, seen, args, chosen, sense.frames.names)


# ---- inputs with times


def _play(
    program: Program, train: Sequence[tuple[str, str]], args: argparse.Namespace, chosen: Choices
) -> int:
    """Run a train of inputs and the texts of their times, and tell what was dropped."""
    machine, overlap = program.machine, args.overlap or DROP
    if not takes_vectors(chosen.backend):
        program = with_inputs(program, [symbol for symbol, _ in train])
    with (
        ProgressBar(f"running on {chosen.target}"),
        open_session(program, chosen.target, **chosen.of_target) as session,
    ):
        pace: Pace | None = getattr(session, "pace", None)
        if pace is None:
            raise BackendError(
                f'backend "{chosen.target}" takes no inputs with times; expected inputs alone, or'
                f" backend {DEFAULT}"
            )
        events = [(time_of(symbol, text, pace) * pace.one, symbol) for symbol, text in train]
        played = session.play(events, overlap)
    expected = machine.run(played.word)
    ran = Run(played.states, played.outputs)
    correct = is_correct(ran, expected)
    columns = columns_of(machine.states)
    if args.json:
        print_json(
            {
                "machine": machine.name,
                "backend": chosen.target,
                "overlap": overlap,
                "unit": played.unit,
                "events": [
                    {"input": each.symbol, "time": each.time, "begins": each.begins}
                    for each in played.arrivals
                ],
                **_told(played.word, ran, expected.states, columns),
                "correct": correct,
            }
        )
    else:
        _print_arrivals(played, expected.states, columns)
        wrong = wrong_states(ran.states, expected.states)
        print_verdict(program, chosen.target, len(ran.states), wrong, correct)
        _print_dropped(played)
    return OK if correct else WRONG


def _print_arrivals(played: Played, expected: Sequence[str], columns: Columns) -> None:
    rows = [("0", "", "", *columns.row(played.states[0]), ", ".join(played.outputs[0]), "")]
    step = 0
    for each in played.arrivals:
        if each.begins is None:
            blank = ("",) * len(columns.headings)
            rows.append(("", f"{each.time}", each.symbol, *blank, "", "dropped"))
            continue
        step += 1
        state, outputs = played.states[step], ", ".join(played.outputs[step])
        remarks = [f"waited until {each.begins}"] * (each.begins > each.time)
        remarks += [f"expected {expected[step]}"] * (state != expected[step])
        cells = (*columns.row(state), outputs, "; ".join(remarks))
        rows.append((str(step), f"{each.time}", each.symbol, *cells))
    heading = f"time ({played.unit})"
    print_table(("step", heading, "input", *columns.headings, "outputs", ""), rows)


def _print_dropped(played: Played) -> None:
    dropped, count = len(played.dropped), len(played.arrivals)
    if dropped:
        verb = "was" if dropped == 1 else "were"
        print_line(
            f"{dropped} of {count} inputs came before the gap of another was over, and {verb}"
            " dropped."
        )


def _pairs(columns: Columns, state: str | None) -> dict[str, str] | None:
    return None if state is None else columns.pairs(state)


# ---- inputs as they come


def _follow(program: Program, chosen: Choices, as_json: bool, real_time: bool) -> int:
    """Answer each input when it comes, until the end of standard input. In real time, ticks come in
    between; those that change nothing are not told.
    """
    machine, backend = program.machine, chosen.target
    across, columns = max(map(len, machine.inputs)), columns_of(machine.states)
    widths = [max(map(len, column)) for column in zip(*columns.cells.values(), strict=True)]

    def answer(step: int, symbol: str, state: str | None, outputs: Outputs) -> None:
        """One line per input, written out at once."""
        if as_json:
            head = {"step": step, "input": symbol or None, "state": state}
            told = {"configuration": _pairs(columns, state), "outputs": list(outputs)}
            print_line(json.dumps({**head, **told}))
        else:
            cells = zip(columns.row(state), widths, strict=True)
            row = "  ".join(f"{cell:<{width}}" for cell, width in cells)
            print_line(f"{step:>5}  {symbol:<{across}}  {row}  {', '.join(outputs)}".rstrip())
        flush()

    clock = machine.clock if real_time else None
    symbols = _symbols() if clock is None else _with_ticks(clock)
    # Only counts are kept: a sensor may go on without end.
    state, wrong, correct, step = machine.initial, 0, True, 0
    with open_session(program, backend, **chosen.of_target) as session:
        for step, symbol in enumerate(chain(("",), symbols)):
            mealy: Outputs = ()
            before = state
            if symbol:
                taken = machine.transition(state, symbol)
                state, mealy = taken.to, taken.outputs
                session.send(symbol)
            found, outputs = session.state, session.outputs
            wrong += found != state
            right = (found, outputs) == (state, mealy + machine.outputs_of(state))
            correct = correct and right
            ticked = clock is not None and symbol == clock.symbol
            if not (ticked and right and state == before and not mealy):
                answer(step, symbol, found, outputs)
    if not as_json:
        print_verdict(program, backend, step + 1, wrong, correct)
    return OK if correct else WRONG


def _symbols() -> Iterator[str]:
    for line in sys.stdin or ():
        yield from line.removeprefix("\ufeff").split()


def _with_ticks(clock: Clock) -> Iterator[str]:
    """Inputs as they come, and a tick whenever its time is there, until standard input ends."""
    arriving: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for symbol in _symbols():
            arriving.put(symbol)
        arriving.put(None)

    threading.Thread(target=read, daemon=True).start()
    begun, ticks = time.monotonic(), 0
    while True:
        due = begun + (ticks + 1) * float(clock.seconds)
        try:
            symbol = arriving.get(timeout=max(0.0, due - time.monotonic()))
        except queue.Empty:
            ticks += 1
            yield clock.symbol
            continue
        if symbol is None:
            return
        yield symbol
