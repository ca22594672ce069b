"""The command line: parses, calls, prints.

Exit codes: 0 done and right, 1 wrong or not proven, 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from vsafsm.arguments import Choices, choices, parse
from vsafsm.backend import Run, backends, check, file_writer, plot_word, run_word
from vsafsm.equivalence import distinguishing_word, minimized
from vsafsm.errors import (
    BackendError,
    FileError,
    NotExpressibleError,
    NotProvenError,
    UsageError,
    VsafsmError,
    VsafsmWarning,
)
from vsafsm.examples import copy_example, examples
from vsafsm.files import write_atomically
from vsafsm.formats import format_for
from vsafsm.machine import Machine, Trace
from vsafsm.network import Network
from vsafsm.plot.canvas import check_drawable
from vsafsm.plot.kinds import OF_RUNS, check_kind, draw
from vsafsm.program import Claim, Program
from vsafsm.proof import Counterexample, Proof, prove
from vsafsm.sources import compiled, machine_of, program_of
from vsafsm.terminal import (
    ProgressBar,
    note,
    prepare_streams,
    print_json,
    print_line,
    print_table,
    settle_streams,
)

OK, WRONG, BAD = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: -> the exit code."""
    prepare_streams()
    if sys.stdout is None:
        note("error", "cannot write the output: standard output is closed")
        return BAD
    try:
        return _done(list(sys.argv[1:] if arguments is None else arguments))
    finally:
        settle_streams()


def _done(given: Sequence[str]) -> int:
    try:
        try:
            parsed = parse(given)
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # what other libraries say of each other is not the user's concern
                warnings.simplefilter("always", VsafsmWarning)
                warnings.showwarning = lambda message, *rest: note("warning", str(message))
                return COMMANDS.get(parsed.command, _run_found)(parsed)
        finally:
            sys.stdout.flush()
    except NotProvenError as error:
        note("not proven", str(error))
        return WRONG
    except VsafsmError as error:
        note("error", str(error))
        return BAD
    except BrokenPipeError:
        return BAD
    except OSError as error:
        note("error", f"cannot write the output: {error.strerror or error}")
        return BAD
    except KeyboardInterrupt:
        note("error", "interrupted")
        return 130


# ---- commands


def _compile(args: argparse.Namespace) -> int:
    _check_writable(args.output)
    chosen = choices(args)
    program = compiled(_given_machine(args), chosen, allow_unproven=args.allow_unproven)
    program.save(args.output)
    if args.json:
        print_json(
            {
                "machine": program.machine.name,
                "program": args.output,
                **_sizes(program),
                "smallest": program.smallest,
            }
        )
    else:
        print_line(_sized(program, program.network, program.claim))
        print_line(f"wrote {args.output}")
    if not program.claim.holds:
        note("warning", f"the program is not proven: {program.claim.verdict}")
        return WRONG
    return OK


def _given_machine(args: argparse.Namespace) -> Machine:
    if (args.spec is None) == (args.regex is None):
        raise UsageError("expected either a spec or --regex EXPRESSION")
    if args.regex is not None:
        return format_for("", "regex").read(args.regex, "--regex").machine
    _check_distinct(args.spec, args.output)
    return machine_of(args.spec, args.format)


def _run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    word = _word(args)
    program = program_of(args, chosen, allow_unproven=True)
    machine = program.machine
    expected = machine.run(word)
    ran = run_word(program, word, chosen.target, **chosen.of_target)
    correct = _is_right(ran, expected)
    if args.json:
        print_json(
            {
                "machine": machine.name,
                "backend": chosen.target,
                "inputs": list(word),
                "states": list(ran.states),
                "expected": list(expected.states),
                "initial_outputs": list(ran.outputs[0]),
                "outputs": [list(o) for o in ran.outputs[1:]],
                "correct": correct,
            }
        )
    else:
        _print_trace(word, ran, expected.states)
        _print_verdict(program, chosen.target, ran.states, expected.states, correct)
    return OK if correct else WRONG


def _plot(args: argparse.Namespace) -> int:
    chosen = choices(args)
    kind = args.what or "overlaps"
    if args.target is None:
        check_kind(kind)
        check_drawable(Path(args.output))
    elif args.what is not None:
        raise UsageError(
            f"--what {kind} is drawn from the built-in simulator; expected it without --backend"
        )
    word = _word_drawn(args, kind)
    _check_writable(args.output)
    _check_distinct(args.spec, args.output)
    program = program_of(args, chosen, allow_unproven=True)
    if args.target is None:
        draw(kind, program, word or (), Path(args.output))
    correct = True
    if word is not None:
        ran = (
            run_word(program, word)
            if args.target is None
            else plot_word(program, word, Path(args.output), chosen.target, **chosen.of_target)
        )
        expected = program.machine.run(word)
        correct = _is_right(ran, expected)
        _print_verdict(program, chosen.target, ran.states, expected.states, correct)
    print_line(f"wrote {args.output}")
    return OK if correct else WRONG


def _word_drawn(args: argparse.Namespace, kind: str) -> tuple[str, ...] | None:
    """The word of a picture of a run; None for a picture that shows none."""
    if args.target is not None or kind in OF_RUNS:
        return _word(args)
    if args.inputs or args.word_file:
        raise UsageError(f'the picture "{kind}" shows no run; expected no inputs')
    return None


def _prove(args: argparse.Namespace) -> int:
    chosen = choices(args)
    if args.target is not None:
        _check_exact(chosen)
    program = program_of(args, chosen, allow_unproven=True)
    network = program.network if args.target is None else _network_on(program, chosen)
    with ProgressBar() as progress:
        points = max(1, len(program.machine.states))
        proof = prove(
            program.machine, network, lambda done: progress("proving", min(1.0, done / points))
        )
    if args.json:
        print_json(_proven(program, network, proof))
    else:
        _print_proof(program, network, proof)
    return OK if proof.holds else WRONG


def _info(args: argparse.Namespace) -> int:
    chosen = choices(args)
    program = program_of(args, chosen, allow_unproven=True)
    machine, network = program.machine, program.network
    parts = program.parts()
    norms = {name: float(np.linalg.norm(getattr(parts, name))) for name in asdict(parts)}
    described = {
        "machine": machine.name,
        **_sizes(program),
        "inputs": len(machine.inputs),
        "transitions": machine.reachable_transitions,
        "pending": program.lowered.pending,
        "gain": network.gain,
        "scale": network.scale,
        "norms": norms,
        "options": dict(program.options.items()),
        "target": program.target,
        "claim": asdict(program.claim),
        "smallest": program.smallest,
        "content_hash": program.content_hash,
    }
    if args.target is not None:
        check(program, chosen.backend, chosen.of_target)
        described["backend"] = dict(chosen.backend.describe(program, **chosen.of_target))
    if args.json:
        print_json(described)
    else:
        width = max(len(key) for key in described)
        for key, value in described.items():
            print_line(f"{key:{width}}  {_shown(value)}")
    return OK


def _convert(args: argparse.Namespace) -> int:
    _check_distinct(args.input, args.output)
    given = machine_of(args.input, args.format)
    machine = minimized(given) if args.minimize else given
    chosen = format_for(args.output, args.to)
    text = chosen.write(machine)
    _check_same(given, chosen.read(text, args.output).machine, chosen.name)
    write_atomically(args.output, text.encode())
    fewer = f" of {len(given.states)}" if args.minimize else ""
    print_line(
        f"wrote {args.output}: {len(machine.states)}{fewer} states, {len(machine.inputs)} inputs,"
        " equivalent"
    )
    return OK


def _check_same(machine: Machine, written: Machine, name: str) -> None:
    """Refuse a text that is read back as another machine."""
    word = distinguishing_word(machine, written)
    if word is not None:
        raise NotExpressibleError(
            f'format {name} does not hold "{machine.name}": read back, it does something else on'
            " the word "
            f"{' '.join(word)}; expected another format"
        )


def _examples(args: argparse.Namespace) -> int:
    names = list(examples()) if args.all else args.names
    if not names:
        for name, text in examples().items():
            print_line(f"{name}\n{fill(text, 96, initial_indent='    ', subsequent_indent='    ')}")
        print_line("\nCopy one into this folder with: vsafsm examples NAME")
    for name in names:
        print_line(f"wrote {copy_example(name, args.output, args.force)}")
    return OK


def _backends(args: argparse.Namespace) -> int:
    listed = backends()
    if args.json:
        print_json({"backends": [asdict(listing) for listing in listed]})
    else:
        print_table(("backend", "here"), [(b.name, b.unavailable or "runs") for b in listed])
    return OK


def _emit(args: argparse.Namespace) -> int:
    chosen = choices(args)
    output = Path(args.output)
    writer = file_writer(chosen.backend, output)
    if writer is not None:
        _check_writable(args.output)
        _check_distinct(args.spec, args.output)
    program = program_of(args, chosen, allow_unproven=False)
    if not (proof := program.prove()).holds:
        raise NotProvenError(
            f"{args.spec}: {proof.verdict}: {proof.counterexample}; expected a proven program"
        )
    check(program, chosen.backend, chosen.of_target)
    if writer is None:
        return _emit_folder(program, chosen, output)
    writer(program, output, **chosen.of_target)
    print_line(f"wrote {output}")
    return OK


def _emit_folder(program: Program, chosen: Choices, folder: Path) -> int:
    if not folder.parent.is_dir():
        raise FileError(f'cannot write into "{folder}": the folder {folder.parent} is not there')
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(f'cannot write into "{folder}": {error.strerror}') from None
    before = _versions(folder)
    chosen.backend.emit(program, folder, **chosen.of_target)
    written = sorted(
        path for path, version in _versions(folder).items() if before.get(path) != version
    )
    print_line(f"wrote {', '.join(str(folder / path) for path in written)}")
    return OK


def _versions(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells a file of a folder from an older one of that name."""
    found = {path.name: path.lstat() for path in folder.iterdir()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def _run_found(args: argparse.Namespace) -> int:
    """A command that others have added; it may raise anything."""
    try:
        code = args.run_found(args)
    except (VsafsmError, BrokenPipeError):
        raise
    except Exception as error:
        raise BackendError(
            f'the command "{args.command}" failed: {type(error).__name__}: {error}'
        ) from None
    if not isinstance(code, int) or not 0 <= code <= 255:
        raise BackendError(
            f'the command "{args.command}" gave {code!r}; expected an exit code from 0 to 255'
        )
    return code


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compile": _compile,
    "run": _run,
    "plot": _plot,
    "prove": _prove,
    "info": _info,
    "emit": _emit,
    "convert": _convert,
    "examples": _examples,
    "backends": _backends,
}


# ---- from arguments to things


def _check_writable(output: str) -> None:
    """Refuse what cannot be written before anything is computed."""
    folder = Path(output).resolve().parent
    if not folder.is_dir():
        raise FileError(
            f'cannot write "{output}": the folder {folder} is not there; expected an existing one'
        )
    if Path(output).is_dir():
        raise FileError(f'cannot write "{output}": it is a folder; expected the name of a file')


def _is_right(ran: Run, expected: Trace) -> bool:
    return (ran.states, ran.outputs) == (
        expected.states,
        (expected.initial_outputs, *expected.outputs),
    )


def _check_distinct(source: str, target: str) -> None:
    """Refuse to write over the very file that was read."""
    same = False
    with suppress(OSError, ValueError):  # one that is not there is not the other
        same = Path(target).is_file() and Path(source).samefile(target)
    if same:
        raise FileError(f'cannot write "{target}": it is the file to be read; expected another one')


def _check_exact(chosen: Choices) -> None:
    if not chosen.backend.exact:
        raise BackendError(
            f'backend "{chosen.target}" is statistical: right with some probability, which no proof'
            " speaks for; expected an exact backend, or a measurement with `vsafsm run --backend"
            f" {chosen.target}`"
        )


def _network_on(program: Program, chosen: Choices) -> Network:
    """The network that a backend really holds of a program. Raises `BackendError`."""
    check(program, chosen.backend, chosen.of_target)
    network = chosen.backend.lower(program, **chosen.of_target)
    if not isinstance(network, Network):
        raise BackendError(
            f'backend "{chosen.target}" makes a {type(network).__name__} of a program; expected a'
            " Network, the one thing that can be proven"
        )
    return network


def _word(args: argparse.Namespace) -> tuple[str, ...]:
    """The word: arguments, a file of names between blanks, or standard input."""
    if args.word_file and args.inputs:
        raise UsageError("inputs are given and a word file as well; expected one of them")
    if args.inputs:
        return tuple(args.inputs)
    if not args.word_file and sys.stdin is not None and sys.stdin.isatty():
        return ()
    name = args.word_file or "-"
    try:
        text = (
            sys.stdin.read()
            if name == "-" and sys.stdin
            else Path(name).read_text(encoding="utf-8-sig")
        )
    except OSError as error:
        raise FileError(f'cannot read "{name}": {error.strerror or error}') from None
    except UnicodeDecodeError:
        raise FileError(f'"{name}" is not UTF-8; expected names of inputs between blanks') from None
    return tuple(text.removeprefix("\ufeff").split())


# ---- printing


def _sizes(program: Program) -> dict[str, Any]:
    network = program.network
    return {
        "neurons": network.neurons,
        "active": network.active,
        "bits": network.bits,
        "states": len(program.machine.states),
    }


def _sized(program: Program, network: Network, found: Claim | Proof) -> str:
    tried = (
        f" (the smallest tried that proves: {program.smallest})"
        if program.smallest and found.holds
        else ""
    )
    proof = f"proven, margin {found.margin:.3f}" if found.holds else found.verdict
    sizes = f"N={network.neurons} neurons{tried}, k={network.active} active, {network.bits} bits"
    return f"{program.machine.name}: {sizes}, {proof}"


def _proven(program: Program, network: Network, proof: Proof) -> dict[str, Any]:
    machine, wrong = program.machine, proof.counterexample
    return {
        "machine": machine.name,
        "holds": proof.holds,
        "verdict": proof.verdict,
        "fixed_points": proof.fixed_points,
        "hold_steps": proof.contract.hold_steps,
        "gap_steps": proof.contract.gap_steps,
        "margin": proof.margin,
        "radius": proof.radius,
        "neurons": network.neurons,
        "states": len(machine.states),
        "transitions": machine.reachable_transitions,
        "self_loops": machine.self_loops,
        "smallest": program.smallest,
        "counterexample": None if wrong is None else _shown_wrong(wrong),
    }


def _shown_wrong(wrong: Counterexample) -> dict[str, Any]:
    return {
        "word": list(wrong.word),
        "timings": [{"onset": onset, "end": end} for onset, end in wrong.timings],
        "expected": wrong.expected,
        "found": wrong.found,
    }


def _print_proof(program: Program, network: Network, proof: Proof) -> None:
    machine = program.machine
    print_line(_sized(program, network, proof))
    if not proof.holds:
        print_line(f"{proof.verdict}: {proof.counterexample}")
        return
    print_line(
        f"holds for every input word: {proof.fixed_points} fixed points stand for"
        f" {len(machine.reachable)} states, {machine.reachable_transitions} transitions,"
        f" {machine.self_loops} of them self-loops"
    )
    contract = proof.contract
    print_line(
        f"contract: hold an input for {contract.hold_steps} steps, leave a gap of"
        f" {contract.gap_steps} steps"
    )
    print_line(
        f"margin {proof.margin:.3f} units; no change of every weight by less than"
        f" {proof.radius:.4g} weight steps can change any step"
    )


def _print_trace(word: Sequence[str], ran: Run, expected: Sequence[str]) -> None:
    rows = []
    for i, (symbol, state, out, right) in enumerate(
        zip(("", *word), ran.states, ran.outputs, expected, strict=True)
    ):
        shown = state if state is not None else "(none)"
        rows.append(
            (str(i), symbol, shown, ", ".join(out), "" if state == right else f"expected {right}")
        )
    print_table(("step", "input", "state", "outputs", ""), rows)


def _print_verdict(
    program: Program,
    backend: str,
    states: Sequence[str | None],
    expected: Sequence[str],
    correct: bool,
) -> None:
    wrong = sum(state != right for state, right in zip(states, expected, strict=True))
    size = f"{program.network.neurons} neurons, backend {backend}"
    if correct:
        every = f"Each of the {len(states)} states" if len(states) > 1 else "The state"
        print_line(f"{every} is the interpreter's ({size}).")
    elif wrong:
        print_line(f"{wrong} of {len(states)} states are not the interpreter's ({size}).")
    else:
        print_line(
            f"Each of the {len(states)} states is the interpreter's, but not each output ({size})."
        )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
