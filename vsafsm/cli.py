"""The command line: parses, calls, prints.

Exit codes: 0 done and right, 1 wrong or not proven, 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from vsafsm import __version__
from vsafsm.backend import DEFAULT, Backend, backends, find, open_session
from vsafsm.compiler import compile_machine
from vsafsm.errors import FileError, NotProvenError, OptionError, UsageError, VsafsmError, did_you_mean
from vsafsm.examples import copy_example, examples
from vsafsm.formats import formats, read, save
from vsafsm.machine import Machine, Outputs
from vsafsm.options import parse_assignments
from vsafsm.program import Program, is_program, load_program
from vsafsm.proof import Proof
from vsafsm.terminal import ProgressBar, note, print_json, print_line, print_table

OK, WRONG, BAD = 0, 1, 2
COMPILE_OPTIONS = {
    "dimension": 'neurons N, or "auto" (default)',
    "active": 'active neurons k in a code, or "auto" (default)',
    "bits": "width of a weight, 2 to 16 (default 8)",
    "rule": "refined (default) or one-shot",
    "trigger": "event (default) or level",
    "code": "sparse (default) or dense",
    "inhibition": "folded into the weights (default) or separate",
    "margin": 'distance from threshold to refine for, in units, or "auto" (default)',
    "seed": "of every random draw (default 0)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: -> the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = _parsed(given)
        code: int = parsed.command(parsed)
        sys.stdout.flush()
    except NotProvenError as error:
        note("not proven", str(error))
        return WRONG
    except VsafsmError as error:
        note("error", str(error))
        return BAD
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD
    except OSError as error:
        note("error", f"cannot write the output: {error.strerror or error}")
        return BAD
    except KeyboardInterrupt:
        note("error", "interrupted")
        return 130
    return code


# ---- commands


def _compile(args: argparse.Namespace) -> int:
    folder = Path(args.output).resolve().parent
    if not folder.is_dir():
        raise FileError(f'cannot write "{args.output}": the folder {folder} is not there; expected an existing one')
    if Path(args.output).is_dir():
        raise FileError(f'cannot write "{args.output}": it is a folder; expected the name of a file')
    program = _compiled(_machine(args.spec, args.format), args, allow_unproven=args.allow_unproven)
    program.save(args.output)
    if args.json:
        print_json(
            {"machine": program.machine.name, "program": args.output, **_sizes(program), "smallest": program.smallest}
        )
    else:
        print_line(_sized(program))
        print_line(f"wrote {args.output}")
    if not program.claim.holds:
        note("warning", f"the program is not proven: {program.claim.verdict}")
        return WRONG
    return OK


def _run(args: argparse.Namespace) -> int:
    backend = find(args.backend)
    word = _word(args)
    program = _program(args, allow_unproven=True)
    machine = program.machine
    expected = machine.run(word)
    chosen = {o.name: getattr(args, f"backend_{o.name}") for o in backend.options}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    states: list[str | None] = []
    outputs: list[Outputs] = []
    with open_session(program, args.backend, **chosen) as session:
        states.append(session.state)
        initial_outputs = session.outputs
        for symbol in word:
            states.append(session.send(symbol))
            outputs.append(session.outputs)
    correct = (tuple(states), initial_outputs, tuple(outputs)) == (
        expected.states,
        expected.initial_outputs,
        expected.outputs,
    )
    if args.json:
        print_json(
            {
                "machine": machine.name,
                "backend": args.backend,
                "inputs": list(word),
                "states": states,
                "expected": list(expected.states),
                "initial_outputs": list(initial_outputs),
                "outputs": [list(o) for o in outputs],
                "correct": correct,
            }
        )
    else:
        _print_trace(word, states, [initial_outputs, *outputs], expected.states)
        _print_verdict(program, args.backend, states, expected.states, correct)
    return OK if correct else WRONG


def _prove(args: argparse.Namespace) -> int:
    program = _program(args, allow_unproven=True)
    with ProgressBar() as progress:
        points = max(1, len(program.machine.states))
        proof = program.prove(lambda done: progress("proving", min(1.0, done / points)))
    if args.json:
        print_json(_proven(program, proof))
    else:
        _print_proof(program, proof)
    return OK if proof.holds else WRONG


def _info(args: argparse.Namespace) -> int:
    program = _program(args, allow_unproven=True)
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
    if args.json:
        print_json(described)
    else:
        width = max(len(key) for key in described)
        for key, value in described.items():
            print_line(f"{key:{width}}  {_shown(value)}")
    return OK


def _convert(args: argparse.Namespace) -> int:
    machine = _machine(args.input, args.format)
    save(machine, args.output, args.to)
    print_line(f"wrote {args.output}: {len(machine.states)} states, {len(machine.inputs)} inputs")
    return OK


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
    backend = find(args.to)
    program = _program(args, allow_unproven=False)
    if not (proof := program.prove()).holds:
        raise NotProvenError(f"{args.spec}: {proof.verdict}: {proof.counterexample}; expected a proven program")
    folder = Path(args.output)
    if not folder.parent.is_dir():
        raise FileError(f'cannot write into "{folder}": the folder {folder.parent} is not there')
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(f'cannot write into "{folder}": {error.strerror}') from None
    backend.emit(program, folder)
    print_line(f"wrote {', '.join(sorted(str(path) for path in folder.iterdir()))}")
    return OK


# ---- from arguments to things


def _machine(path: str, format_name: str | None) -> Machine:
    if is_program(path):
        return load_program(path).machine
    reading = read(path, format_name)
    for warning in reading.warnings:
        note("warning", warning)
    return reading.machine


def _program(args: argparse.Namespace, allow_unproven: bool) -> Program:
    """The program of a file, or the one that a spec compiles to."""
    if is_program(args.spec):
        if _given(args) or args.assign:
            raise UsageError(f'"{args.spec}" is compiled already; expected compile options with a spec only')
        return load_program(args.spec)
    return _compiled(_machine(args.spec, args.format), args, allow_unproven)


def _compiled(machine: Machine, args: argparse.Namespace, allow_unproven: bool) -> Program:
    target = getattr(args, "target", None) or getattr(args, "backend", None) or getattr(args, "to", None) or DEFAULT
    backend = find(target)
    chosen, of_target = _sorted_assignments(parse_assignments(args.assign), backend)
    with ProgressBar() as progress:
        return compile_machine(
            machine,
            target=target,
            target_options=of_target,
            allow_unproven=allow_unproven,
            progress=progress,
            **{**chosen, **_given(args)},
        )


def _given(args: argparse.Namespace) -> dict[str, Any]:
    named: dict[str, Any] = {name: getattr(args, f"compile_{name}") for name in COMPILE_OPTIONS}
    return {name: value for name, value in named.items() if value is not None}


def _sorted_assignments(given: dict[str, str], backend: Backend) -> tuple[dict[str, str], dict[str, object]]:
    """``-O key=value`` pairs as compile options, and as options of the target."""
    of_target = {option.name: option for option in backend.options}
    for name in given.keys() - COMPILE_OPTIONS.keys() - of_target.keys():
        known = sorted(COMPILE_OPTIONS.keys() | of_target.keys())
        raise OptionError(f'unknown option "{name}"; expected one of: {", ".join(known)}{did_you_mean(name, known)}')
    chosen = {name: value for name, value in given.items() if name in COMPILE_OPTIONS}
    try:
        return chosen, {name: of_target[name].type(given[name]) for name in given.keys() - chosen.keys()}
    except ValueError as error:
        raise OptionError(f'an option of backend "{backend.name}" has the wrong type: {error}') from None


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
        text = sys.stdin.read() if name == "-" and sys.stdin else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f'cannot read "{name}": {error.strerror or error}') from None
    except UnicodeDecodeError:
        raise FileError(f'"{name}" is not UTF-8; expected names of inputs between blanks') from None
    return tuple(text.split())


# ---- printing


def _sizes(program: Program) -> dict[str, Any]:
    network = program.network
    return {
        "neurons": network.neurons,
        "active": network.active,
        "bits": network.bits,
        "states": len(program.machine.states),
    }


def _sized(program: Program) -> str:
    network, claim = program.network, program.claim
    smallest = f" (the smallest tried that proves: {program.smallest})" if program.smallest else ""
    proof = f"proven, margin {claim.margin:.3f}" if claim.holds else claim.verdict
    sizes = f"N={network.neurons} neurons{smallest}, k={network.active} active, {network.bits} bits"
    return f"{program.machine.name}: {sizes}, {proof}"


def _proven(program: Program, proof: Proof) -> dict[str, Any]:
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
        "neurons": program.network.neurons,
        "states": len(machine.states),
        "transitions": machine.reachable_transitions,
        "self_loops": machine.self_loops,
        "smallest": program.smallest,
        "counterexample": None
        if wrong is None
        else {"word": list(wrong.word), "expected": wrong.expected, "found": wrong.found},
    }


def _print_proof(program: Program, proof: Proof) -> None:
    machine = program.machine
    print_line(_sized(program))
    if not proof.holds:
        print_line(f"{proof.verdict}: {proof.counterexample}")
        return
    print_line(
        f"holds for every input word: {proof.fixed_points} fixed points stand for {len(machine.reachable)} states, "
        f"{machine.reachable_transitions} transitions, {machine.self_loops} of them self-loops"
    )
    contract = proof.contract
    print_line(f"contract: hold an input for {contract.hold_steps} steps, leave a gap of {contract.gap_steps} steps")
    print_line(
        f"margin {proof.margin:.3f} units; no change of every weight by less than {proof.radius:.4g} weight steps "
        "can change any step"
    )


def _print_trace(
    word: Sequence[str], states: Sequence[str | None], outputs: Sequence[Outputs], expected: Sequence[str]
) -> None:
    rows = []
    for i, (symbol, state, out, right) in enumerate(zip(("", *word), states, outputs, expected, strict=True)):
        shown = state if state is not None else "(none)"
        rows.append((str(i), symbol, shown, ", ".join(out), "" if state == right else f"expected {right}"))
    print_table(("step", "input", "state", "outputs", ""), rows)


def _print_verdict(
    program: Program, backend: str, states: Sequence[str | None], expected: Sequence[str], correct: bool
) -> None:
    wrong = sum(state != right for state, right in zip(states, expected, strict=True))
    size = f"{program.network.neurons} neurons, backend {backend}"
    if correct:
        every = f"Each of the {len(states)} states" if len(states) > 1 else "The state"
        print_line(f"{every} is the interpreter's ({size}).")
    elif wrong:
        print_line(f"{wrong} of {len(states)} states are not the interpreter's ({size}).")
    else:
        print_line(f"Each of the {len(states)} states is the interpreter's, but not each output ({size}).")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# ---- the parser


def _parsed(given: Sequence[str]) -> argparse.Namespace:
    """The arguments, with inputs allowed on both sides of options, which argparse itself does not take."""
    parser = _parser(given)
    parsed, more = parser.parse_known_args(given)
    if more and (parsed.command is not _run or any(text.startswith("-") and text != "--" for text in more)):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:
        parsed.inputs = [*parsed.inputs, *(text for text in more if text != "--")]
    return parsed


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vsafsm", description="Compile finite state machines to proven weights of attractor networks."
    )
    parser.add_argument("--version", action="version", version=f"vsafsm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    compile_ = commands.add_parser("compile", help="compile a spec to a program file")
    compile_.add_argument("spec", metavar="SPEC")
    compile_.add_argument("-o", "--output", metavar="PROGRAM", required=True, help="the program file to write (.npz)")
    compile_.add_argument("--for", dest="target", metavar="BACKEND", help="meet this backend's requirements")
    compile_.add_argument("--allow-unproven", action="store_true", help="write the program even if it is not proven")
    _add_compile_options(compile_)
    compile_.set_defaults(command=_compile)

    run = commands.add_parser("run", help="run a word and hold each state against the interpreter")
    run.add_argument("spec", metavar="SPEC|PROGRAM")
    run.add_argument("inputs", metavar="INPUT", nargs="*", help="the word; from standard input where none is given")
    run.add_argument("--word-file", metavar="FILE", help="read the word from a file (- for standard input)")
    run.add_argument("--backend", default=DEFAULT, help=f"where to run (default {DEFAULT})")
    _add_backend_options(run, given)
    _add_compile_options(run)
    run.set_defaults(command=_run)

    for name, command, text in (
        ("prove", _prove, "decide whether every input word is run right"),
        ("info", _info, "sizes, options and norms of a program"),
    ):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("spec", metavar="SPEC|PROGRAM")
        _add_compile_options(sub)
        sub.set_defaults(command=command)

    emit = commands.add_parser("emit", help="write what a backend needs into a folder")
    emit.add_argument("spec", metavar="SPEC|PROGRAM")
    emit.add_argument("--to", default=DEFAULT, metavar="BACKEND", help=f"which backend (default {DEFAULT})")
    emit.add_argument("-o", "--output", metavar="DIR", required=True)
    _add_compile_options(emit, json=False)
    emit.set_defaults(command=_emit)

    convert = commands.add_parser("convert", help="write a machine in another format")
    convert.add_argument("input", metavar="IN")
    convert.add_argument("output", metavar="OUT")
    _add_format(convert)
    convert.add_argument("--to", metavar="FORMAT", help="format of OUT, where its suffix does not say")
    convert.set_defaults(command=_convert)

    shown = commands.add_parser("examples", help="list the example specs, or copy some")
    shown.add_argument("names", metavar="NAME", nargs="*")
    shown.add_argument("-o", "--output", metavar="DIR", default=".", help="folder to copy to (default: this one)")
    shown.add_argument("--all", action="store_true", help="copy all")
    shown.add_argument("--force", action="store_true", help="overwrite")
    shown.set_defaults(command=_examples)

    where = commands.add_parser("backends", help="list the backends, and why one cannot run here")
    where.add_argument("--json", action="store_true", help="print one JSON object")
    where.set_defaults(command=_backends)
    return parser


def _add_compile_options(parser: argparse.ArgumentParser, json: bool = True) -> None:
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    _add_format(parser)
    group = parser.add_argument_group("compile options", "for a spec; they come before the spec's own")
    for name, text in COMPILE_OPTIONS.items():
        group.add_argument(f"--{name}", dest=f"compile_{name}", metavar=name.upper(), help=text)
    group.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of compiling, or of the backend",
    )


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", metavar="FORMAT", help=f"format of the spec, where its suffix does not say: {_names()}"
    )


def _names() -> str:
    return ", ".join(formats())


def _add_backend_options(parser: argparse.ArgumentParser, given: Sequence[str]) -> None:
    """Flags for the options of the backend that the arguments name."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--backend", default=DEFAULT)
    if "run" not in given[:1]:
        return
    named, _ = first.parse_known_args([text for text in given[1:] if text != "--"])
    backend = find(named.backend)
    if not backend.options:
        return
    group = parser.add_argument_group(f"options of backend {named.backend}")
    for option in backend.options:
        unit = f" ({option.unit})" if option.unit else ""
        group.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=f"backend_{option.name}",
            type=option.type,
            help=f"{option.help}{unit}; default {option.default}",
        )
