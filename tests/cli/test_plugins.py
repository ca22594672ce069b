"""Commands that others add: they work like ours, and broken ones take nothing down."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

import vsafsm.cli.plugins
from vsafsm.cli import COMMANDS, main
from vsafsm.cli.arguments import BUILT_IN
from vsafsm.cli.plugins import GROUP, find_commands
from vsafsm.errors import BackendError


class Greet:
    name, help = "greet", "say hello, 100 % of the time"
    code: object = 0

    def add_arguments(self, parser):
        parser.add_argument("whom")
        parser.add_argument("--twice", action="store_true")

    def run(self, args):
        print("hello " * (1 + args.twice) + args.whom)
        return self.code


class Failing(Greet):
    def __init__(self, error):
        self.error = error

    def run(self, args):
        raise self.error


@pytest.fixture
def add(monkeypatch):
    """Adds an entry point with an object behind it, or with a text of its own."""
    points = []
    monkeypatch.setattr(
        vsafsm.cli.plugins, "entry_points", lambda group: points if group == GROUP else []
    )

    def added(command=None, name="greet", value=None):
        module = types.ModuleType(f"command_for_a_test_{len(points)}")
        vars(module)["COMMAND"] = command
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points.append(EntryPoint(name, value or f"{module.__name__}:COMMAND", GROUP))

    return added


@pytest.fixture
def run(capsys):
    def call(*arguments):
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def test_the_names_that_are_taken_are_those_of_the_commands():
    assert sorted(BUILT_IN) == sorted(COMMANDS)


def test_a_command_is_called_with_its_arguments(add, run):
    add(Greet())
    assert run("greet", "you", "--twice") == (0, "hello hello you\n", "")
    assert "say hello, 100 % of the time" in run("--help")[1]
    assert "--twice" in run("greet", "--help")[1]
    assert run("greet")[0] == 2
    assert run("greet", "you", "--twi")[0] == 2


def test_its_exit_code_is_the_command_lines(add, run):
    command = Greet()
    add(command)
    command.code = 1
    assert run("greet", "you")[0] == 1
    for wrong in (None, "0", -1, 256):
        command.code = wrong
        code, _, err = run("greet", "you")
        assert code == 2
        assert "expected an exit code" in err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BackendError("no such thing"), "error: no such thing"),
        (ValueError("oh"), 'the command "greet" failed: ValueError: oh'),
    ],
)
def test_its_errors_are_printed(add, run, error, message):
    add(Failing(error))
    code, _, err = run("greet", "you")
    assert code == 2
    assert message in err


def adding(error):
    command = Greet()

    def add_arguments(parser):
        raise error

    command.add_arguments = add_arguments
    return command


BROKEN = {
    "not there": {"value": "no_such_module_anywhere:COMMAND"},
    "no attribute": {"value": "vsafsm.cli.plugins:NOTHING"},
    "an object of another kind": {"command": object()},
    "arguments that raise": {"command": adding(RuntimeError("no"))},
    "arguments that leave": {"command": adding(SystemExit(3))},
    "another name": {"command": Greet(), "name": "grit"},
    "no name": {"command": Greet(), "name": "Greet!"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_left_out_and_the_others_work(add, run, name):
    add(**{"name": "broken", **BROKEN[name]})
    add(Greet())
    code, out, err = run("greet", "you")
    assert (code, out) == (0, "hello you\n")
    assert "warning: the command" in err
    assert "is left out" in err
    assert run("backends") == (0, run("backends")[1], "")


@pytest.mark.parametrize("name", BUILT_IN)
def test_names_of_ours_are_refused(add, run, name):
    command = Greet()
    command.name = name
    add(command, name=name)
    found = find_commands(BUILT_IN)
    assert found.commands == {}
    assert "is a command of vsafsm itself" in found.refused[name]
    assert "is left out" in run("--help")[2]


def test_a_name_that_is_given_twice_is_taken_once(add, run):
    add(Greet())
    add(Greet())
    assert run("greet", "you")[1] == "hello you\n"
    assert "another command has the name" in run("greet", "you")[2]


def test_ours_do_not_look_for_others(monkeypatch, run):
    monkeypatch.setattr(vsafsm.cli.plugins, "entry_points", lambda group: pytest.fail("looked"))
    assert run("examples")[0] == 0
