"""The page about rigs: its snippet runs, and its table of findings and errors is what is there."""

import re
import shlex
from pathlib import Path

import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm_memristor.rig import errors

PAGE = (Path(__file__).parents[3] / "docs" / "rig.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_the_snippet_runs(capsys):
    exec(compile(block("python"), "rig.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert re.fullmatch(r"True \d+\n", printed)


def test_check_prints_what_the_page_shows(simulator, capsys):
    process = simulator(
        "--tiles", "4", "--rows", "128", "--columns", "128", "--watchdog-ms", "1000"
    )
    assert main(["rig", "check", process.address]) == 0
    assert block("text") == capsys.readouterr().out


def test_the_errors_of_the_page_are_there():
    named = set(re.findall(r"`(\w+Error)`", PAGE))
    assert named == {"RefusedError", "BusyError", "FaultError", "NotSafeError"}
    assert all(issubclass(getattr(errors, name), errors.RigError) for name in named)


def without_numbers(text):
    """Tokens, margins and counts may move with the compiler; what stands around them may not."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{6}){2,3}|\d+(\.\d+)?(e[-+]\d+)?", "#", text)


@pytest.mark.slow
def test_the_calibration_is_what_the_page_shows(simulator, capsys, tmp_path, monkeypatch, examples):
    section = PAGE.split("## Calibration and chip in the loop")[1].split(
        "## What the guard refuses"
    )[0]
    commands = [line[2:] for line in re.findall(r"^\$ .+", section, re.MULTILINE)]
    shown = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    vsafsm.compile(examples["turnstile"], target="memristor").save("turnstile.npz")
    options = re.findall(
        r"--(?!port)[a-z-]+ \S+", next(each for each in commands if "rig_simulator" in each)
    )
    process = simulator(
        *("--rows", "128", "--columns", "128"),
        # slow when much else runs; pulses as much longer, so that slices are the page's
        *("--watchdog-ms", "5000", "--pulse-us", "5"),
        *(word for each in options for word in each.split()),
    )
    printed = []
    for command in commands:
        if not command.startswith("vsafsm rig"):
            continue
        arguments = shlex.split(re.sub(r"TCPIP0\S+", process.address, command))[1:]
        if "--arm" in arguments:
            flags = (
                arguments[arguments.index("--calibration") : arguments.index("--arm")]
                if len(printed) > 1
                else []
            )
            assert main(["rig", "program", "turnstile.npz", process.address, *flags]) == 0
            arguments[arguments.index("--arm") + 1] = (
                capsys.readouterr().out.split("--arm ")[1].strip()
            )
        main(arguments)
        printed.append(capsys.readouterr().out)
    assert [without_numbers(text) for text in printed] == [
        without_numbers(text.replace("watchdog 1 s", "watchdog 5 s")) for text in shown
    ]
