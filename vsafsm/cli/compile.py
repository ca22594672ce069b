"""``vsafsm compile``: a spec to a program file."""

from __future__ import annotations

import argparse
import shlex

from vsafsm.cli.arguments import add_json, add_options, add_output, add_target, choices
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.results import size_line, sizes, tolerated, tolerated_lines
from vsafsm.cli.sources import chart_of, compile_with, source_of
from vsafsm.cli.systems import compile_into_folder
from vsafsm.cli.terminal import note, print_json, print_line
from vsafsm.equivalence import minimized
from vsafsm.errors import NotExpressibleError, UsageError
from vsafsm.formats import format_for
from vsafsm.machine import Machine
from vsafsm.overwriting import check_output
from vsafsm.program import SUFFIX, holds_program
from vsafsm.symbolic import SymbolicMachine
from vsafsm.systems import System
from vsafsm.systems.waits import costs

LEAST_SAVING = 2
"""How many times fewer synapses counters have to take to be spoken of."""
MOST_MINIMIZED = 2_000
"""States of a chart's machine up to which it is told how many of them differ."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or a regular expression, where to write, and compile options."""
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="a spec")
    parser.add_argument(
        "--regex", metavar="EXPRESSION", help="compile this regular expression instead of a spec"
    )
    add_output(
        parser,
        "PROGRAM",
        "the program file to write (.npz), or a folder for a system",
    )
    add_target(parser, "--for", "meet this backend's requirements", default=None)
    parser.add_argument(
        "--allow-unproven",
        action="store_true",
        help="write the program even if its proof does not hold (exit code 1 all the same)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="COUNT",
        help="processes that refine modules; the program is the same with any number (default 1)",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler whose workers refine modules"
    )
    parser.add_argument(
        "--resume",
        metavar="FOLDER",
        help="keep modules, and draws of noise, that are done in this folder, and go on with"
        " those that are there",
    )
    add_json(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 proven, 1 not; bad input is raised."""
    if args.jobs < 1:
        raise UsageError(f"jobs is {args.jobs}; expected a whole number of at least 1")
    chosen = choices(args)
    source = _source(args)
    if isinstance(source, System):
        return compile_into_folder(source, args, chosen)
    check_output(
        args.output, "a program", (SUFFIX,), holds_program, sources=(args.spec,), force=args.force
    )
    _tell_of_counters(source)
    _tell_of_states_alike(source, args)
    program = compile_with(
        source,
        chosen,
        args.allow_unproven,
        args,
        jobs=args.jobs,
        scheduler=args.scheduler,
        resume=args.resume,
    )
    program.save(args.output)
    if args.json:
        print_json(
            {
                "machine": program.machine.name,
                "program": args.output,
                **sizes(program),
                "smallest": program.smallest,
                "tolerated": tolerated(program),
            }
        )
    else:
        print_line(size_line(program, program.network, program.claim))
        if not chosen.backend.exact:
            print_line(
                f"the proof is of the synchronous network; what {chosen.target} does is measured"
            )
        for line in tolerated_lines(program):
            print_line(line)
        print_line(f"wrote {args.output}")
    if not program.claim.holds:
        note("warning", f"the program is not proven: {program.claim.verdict}")
        return WRONG
    return OK


def _tell_of_counters(machine: Machine) -> None:
    """Say where counters would take far fewer synapses than the chains that are made."""
    try:
        found = costs(machine)
    except NotExpressibleError:  # an output that they would hear
        return
    if found is not None and found.counters * LEAST_SAVING < found.chains:
        note(
            "note",
            f"long waits are chains of states, predicted to take {found.chains} synapses; counters"
            f' would take {found.counters}: "networks: separate" in a YAML spec makes them, and in'
            " Python vsafsm.systems.with_counters",
        )


def _tell_of_states_alike(machine: Machine, args: argparse.Namespace) -> None:
    """Say where configurations of a chart do the same: a history that no longer matters, say."""
    states = len(machine.states)
    if args.spec is None or states > MOST_MINIMIZED or isinstance(machine, SymbolicMachine):
        return
    differing = len(minimized(machine).states)
    if differing < states and chart_of(args.spec, args.format) is not None:
        note(
            "note",
            f"{differing} of {states} states differ in what they do: vsafsm convert"
            f" {shlex.quote(args.spec)} small.yaml --minimize",
        )


def _source(args: argparse.Namespace) -> Machine | System:
    if (args.spec is None) == (args.regex is None):
        raise UsageError("expected either a spec or --regex EXPRESSION")
    if args.regex is not None:
        if args.format is not None:
            raise UsageError("--format is of a spec; expected it without --regex")
        return format_for("", "regex").read(args.regex, "--regex").machine
    return source_of(args.spec, args.format)
