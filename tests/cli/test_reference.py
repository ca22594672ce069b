"""The page on the command line is what the parsers say: all of it, and no more."""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsafsm.cli import reference
from vsafsm.cli.arguments import parser_of
from vsafsm.cli.reference import all_commands, updated
from vsafsm.discovery import backends, find
from vsafsm.errors import FileError

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def parsers() -> Iterator[argparse.ArgumentParser]:
    """Of all commands, and of their subcommands."""
    for command in all_commands().values():
        waiting: list[argparse.ArgumentParser] = [parser_of(command, command.load())]
        while waiting:
            parser = waiting.pop()
            yield parser
            for action in parser._actions:
                if isinstance(action.choices, dict):
                    waiting += action.choices.values()


def section(page: str, command: str) -> str:
    assert f"\n## {command}\n" in page
    return page.partition(f"\n## {command}\n")[2].partition("\n## ")[0]


def test_the_page_is_written_anew_from_the_parsers(page: str) -> None:
    """If not: ``python -m vsafsm.cli.reference docs/command-line.md``."""
    assert updated(page) == page


def test_every_command_and_every_option_is_told(page: str) -> None:
    shared = section(page, "Compile options") + section(page, "Options of a backend")
    for parser in parsers():
        command, *part = parser.prog.split()[1:]
        told = section(page, command) + shared
        assert f"`vsafsm {command}`](#{command})" in page
        assert not part or f"| `{parser.prog}` |" in told
        for action in parser._actions:
            for flag in action.option_strings:
                assert flag in ("-h", "--help") or re.search(rf"`{flag}[` ]", told), (
                    parser.prog,
                    flag,
                )


def test_every_option_of_a_backend_is_told(page: str) -> None:
    for listing in backends():
        for option in find(listing.name).options:
            part = page.partition(f"\n### Options of {listing.name}\n")[2].partition("\n##")[0]
            assert f"`--{option.flag} " in part


def test_no_option_is_told_that_is_gone(page: str) -> None:
    known = {flag for parser in parsers() for flag in parser._option_string_actions}
    known |= {f"--{option.flag}" for each in backends() for option in find(each.name).options}
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page))
    assert told - known == {"--version"}


def test_blocks_that_are_unknown_are_errors() -> None:
    with pytest.raises(KeyError):
        updated("<!-- reference: command dance -->\n<!-- end -->\n")
    assert updated("no block\n") == "no block\n"


def test_a_page_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, text = tmp_path / "page.md", "<!-- reference: commands -->\nold\n<!-- end -->\n"
    path.write_text(text)
    monkeypatch.setattr(sys, "argv", ["reference", str(path)])

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            runpy.run_path(reference.__file__, run_name="__main__")
    assert path.read_text() == text
    runpy.run_path(reference.__file__, run_name="__main__")
    assert path.read_text() == updated(text) != text
