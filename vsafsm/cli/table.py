"""The commands of vsafsm itself. Each file is imported when its command is called."""

from __future__ import annotations

from vsafsm.cli.plugins import Command, CommandFile


def _compile() -> CommandFile:
    from vsafsm.cli import compile

    return compile


def _run() -> CommandFile:
    from vsafsm.cli import run

    return run


def _prove() -> CommandFile:
    from vsafsm.cli import prove

    return prove


def _info() -> CommandFile:
    from vsafsm.cli import info

    return info


def _explain() -> CommandFile:
    from vsafsm.cli import explain

    return explain


def _sweep() -> CommandFile:
    from vsafsm.cli import sweep

    return sweep


def _report() -> CommandFile:
    from vsafsm.cli import report

    return report


def _plot() -> CommandFile:
    from vsafsm.cli import plot

    return plot


def _draw() -> CommandFile:
    from vsafsm.cli import draw

    return draw


def _convert() -> CommandFile:
    from vsafsm.cli import convert

    return convert


def _emit() -> CommandFile:
    from vsafsm.cli import emit

    return emit


def _sense() -> CommandFile:
    from vsafsm.cli import sense

    return sense


def _recipe() -> CommandFile:
    from vsafsm.cli import recipe

    return recipe


def _examples() -> CommandFile:
    from vsafsm.cli import examples

    return examples


def _backends() -> CommandFile:
    from vsafsm.cli import backends

    return backends


COMMANDS = {
    command.name: command
    for command in (
        Command("compile", "compile a spec to a program file", _compile),
        Command("run", "run a word and compare each state with the interpreter's", _run),
        Command("prove", "decide whether every input word is run correctly", _prove),
        Command("info", "sizes, options and norms of a program", _info),
        Command("explain", "the weakest transitions, why, and what would help", _explain),
        Command("sweep", "measure how much noise a machine tolerates, over options", _sweep),
        Command("report", "write one page about a program, with a run to step through", _report),
        Command("plot", "draw a run of a word, or the program itself", _plot),
        Command("draw", "draw a machine as a graph, or write it as Mermaid text", _draw),
        Command("convert", "write a machine in another format", _convert),
        Command("emit", "write what a backend needs into a folder, or into a file", _emit),
        Command("sense", "train a classifier of frames, and test it on drawn arrays", _sense),
        Command("recipe", "suggest what to try next in fabrication, from what was tried", _recipe),
        Command("examples", "list the example specs, or copy some", _examples),
        Command("backends", "list the backends, and why one cannot run here", _backends),
    )
}
"""By name, in the order of ``vsafsm --help``."""
