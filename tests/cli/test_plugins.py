"""Commands that others add: they work like ours, and broken ones take nothing down."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

import vsafsm.cli.plugins
from vsafsm.cli import main
from vsafsm.cli.plugins import GROUP, Command, find_plugins
from vsafsm.cli.table import COMMANDS
from vsafsm.errors import BackendError


class Greet:
    code: object = 0

    def add_arguments(self, parser):
        parser.add_argument("whom")
        parser.add_argument("--twice", action="store_true")

    def run(self, args):
        print("hello " * (1 + args.twice) + args.whom)
        return self.code


def greeting(file=None, name="greet"):
    return Command(name, "say hello, 100 % of the time", lambda: file or Greet())


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
        vsafsm.cli.plugins, "_entry_points", lambda group: points if group == GROUP else []
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


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_ours_has_a_file_with_its_arguments(name, run):
    assert COMMANDS[name].name == name
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"usage: vsafsm {name}" in out


def test_a_command_is_called_with_its_arguments(add, run):
    add(greeting())
    assert run("greet", "you", "--twice") == (0, "hello hello you\n", "")
    assert "say hello, 100 % of the time" in run("--help")[1]
    assert "--twice" in run("greet", "--help")[1]
    assert run("greet")[0] == 2
    assert run("greet", "you", "--twi")[0] == 2


def test_its_exit_code_is_the_command_lines(add, run):
    command = Greet()
    add(greeting(command))
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
    add(greeting(Failing(error)))
    code, _, err = run("greet", "you")
    assert code == 2
    assert message in err


BROKEN = {
    "not there": {"value": "no_such_module_anywhere:COMMAND"},
    "no attribute": {"value": "vsafsm.cli.plugins:NOTHING"},
    "an object of another kind": {"command": object()},
    "a file in place of a command": {"command": Greet()},
    "another name": {"command": greeting(), "name": "grit"},
    "no name": {"command": greeting(name="Greet!"), "name": "Greet!"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_left_out_and_the_others_work(add, run, name):
    add(**{"name": "broken", **BROKEN[name]})
    add(greeting())
    assert run("greet", "you") == (0, "hello you\n", "")
    code, out, err = run("--help")
    assert code == 0
    assert "say hello" in out
    assert "warning: the command" in err
    assert "is left out" in err


def test_one_whose_arguments_fail_says_so_when_it_is_called(add, run):
    file = Greet()
    file.add_arguments = lambda parser: 1 / 0
    add(greeting(file))
    assert run("--help")[0] == 0
    code, _, err = run("greet", "you")
    assert code == 2
    assert 'the command "greet" failed: ZeroDivisionError' in err


@pytest.mark.parametrize("name", COMMANDS)
def test_names_of_ours_are_refused(add, run, name):
    add(greeting(name=name), name=name)
    found = find_plugins(COMMANDS)
    assert found.commands == {}
    assert "is a command of vsafsm itself" in found.refused[name]
    assert "is left out" in run("--help")[2]


def test_a_name_that_two_have_is_of_the_first(add, run):
    add(greeting())
    add(greeting())
    code, out, err = run("greet", "you")
    assert (code, out) == (0, "hello you\n")
    assert "another command has the name" in err


def test_ours_do_not_look_for_others(monkeypatch, run):
    monkeypatch.setattr(vsafsm.cli.plugins, "_entry_points", lambda group: pytest.fail("looked"))
    assert run("examples")[0] == 0


@pytest.mark.parametrize(
    ("wrong", "meant"), [("complie", "compile"), ("exmaples", "examples"), ("gret", "greet")]
)
def test_an_unknown_command_names_the_nearest(add, run, wrong, meant):
    add(greeting())
    code, out, err = run(wrong, "x")
    assert (code, out) == (2, "")
    assert f'unknown command "{wrong}"' in err
    assert f'did you mean "{meant}"?' in err


def test_an_option_before_the_command_is_refused(run):
    code, _, err = run("--jsn", "compile")
    assert code == 2
    assert "--jsn" in err
