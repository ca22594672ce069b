"""The page about rigs: its snippet runs, and its table of findings and errors is what is there."""

import re
from pathlib import Path

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
    process = simulator("--tiles", "4", "--rows", "128", "--columns", "128", "--watchdog-ms", "1000")
    assert main(["rig", "check", process.address]) == 0
    assert block("text") == capsys.readouterr().out


def test_the_errors_of_the_page_are_there():
    named = set(re.findall(r"`(\w+Error)`", PAGE))
    assert len(named) > 12
    assert all(issubclass(getattr(errors, name), errors.RefusedError) for name in named)
