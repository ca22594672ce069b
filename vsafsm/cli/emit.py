"""``vsafsm emit``: what a backend needs, in a folder or in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.arguments import Choices, add_options, add_output, add_program, add_target, choices
from vsafsm.cli.exits import OK
from vsafsm.cli.sources import program_of
from vsafsm.cli.terminal import print_line
from vsafsm.errors import FileError, NotProvenError
from vsafsm.overwriting import check_manifest, check_output, check_place
from vsafsm.program import Program
from vsafsm.running import check, file_writer
from vsafsm.signatures import begins_as_named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A spec or program, for which backend, where to, and compile options."""
    add_program(parser)
    add_target(parser, "--to", "which backend")
    add_output(parser, "DIR", "the folder, or the file of a backend that writes one")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    chosen = choices(args)
    output = Path(args.output)
    writer = file_writer(chosen.backend, output)
    if writer is not None:
        check_output(
            args.output,
            f"a network for {chosen.target}",
            (output.suffix,),
            begins_as_named,
            sources=(args.spec,),
            force=args.force,
        )
    else:
        check_place(output)
        check_manifest(output, args.force)
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
