"""What is printed: errors of one line that change no terminal, and JSON that is UTF-8."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vsafsm.cli import main
from vsafsm.cli.terminal import note, print_json

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", [".mmd", ".puml"])
def test_control_characters_of_a_file_are_escaped(suffix: str, capsys: Capture) -> None:
    path = Path(f"e{suffix}")
    path.write_text("\x1b[31mfoo")
    assert main(["run", str(path), "a"]) == 2
    error = capsys.readouterr().err
    assert "\\x1b[31mfoo" in error
    assert error[:-1].isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "turnstile.yaml", "\x1b[31m\nvsafsm: error: forged", "--smallest"],
        ["run", "turnstile.yaml", "--\x1b[31m"],
        ["run", "\x1b[31m.yaml"],
        ["\x1b[31m"],
        ["draw", "turnstile.yaml", "-o", "\x9b31m\u202e.txt"],
    ],
    ids=repr,
)
def test_control_characters_of_arguments_are_escaped(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("vsafsm: error: ")
    assert error.endswith("\n")
    assert error[:-1].isprintable()


def test_letters_of_any_language_are_printed_as_they_are(capsys: Capture) -> None:
    note("error", 'unknown input "日本 é 🙂"')
    assert capsys.readouterr().err == 'vsafsm: error: unknown input "日本 é 🙂"\n'


def test_json_is_utf_8_whatever_a_file_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", errors="surrogateescape")
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"program": "日o\udcff.npz"})
    stream.flush()
    text = written.getvalue().decode("utf-8")
    assert "日" in text
    assert json.loads(text) == {"program": "日o\udcff.npz"}


def _raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: object) -> int:
        raise error

    monkeypatch.setattr("vsafsm.cli.backends.run", run)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError("Unable to allocate 9 TiB"), "not enough memory: Unable to allocate 9 TiB"),
        (MemoryError(), "there is not enough memory"),
        (PermissionError(13, "Permission denied", "priv/a"), '"priv/a": Permission denied'),
        (OSError(24, "Too many open files"), "Too many open files"),
    ],
    ids=repr,
)
def test_what_the_system_refuses_is_one_error(
    error: BaseException, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    _raising(error, monkeypatch)
    assert main(["backends"]) == 2
    told_so = capsys.readouterr().err
    assert told_so.startswith("vsafsm: error: ")
    assert told_so.endswith(f"{told}\n")
    assert "output" not in told_so


READING = {
    "run": ["run", "{}.yaml", "coin"],
    "a format that is named": ["run", "{}", "a", "--format", "yaml"],
    "prove": ["prove", "{}.npz"],
    "convert": ["convert", "{}.yaml", "t.dot"],
    "frames": ["sense", "search", "{}"],
    "a word": ["run", "turnstile.yaml", "--word-file", "{}"],
    "resume": ["compile", "turnstile.yaml", "-o", "p.npz", "--no-cache", "--resume", "{}"],
}


@pytest.mark.parametrize("what", READING)
def test_a_name_too_long_to_be_read_is_told_with_it(what: str, capsys: Capture) -> None:
    name = 300 * "x"
    assert main([each.format(name) for each in READING[what]]) == 2
    error = capsys.readouterr().err
    assert name in error
    assert "read" in error
    assert error.endswith("File name too long\n")


@pytest.mark.parametrize("command", [["emit", "turnstile.yaml"], ["examples", "turnstile"]])
def test_a_name_too_long_to_be_written_is_told_with_it(command: list[str], capsys: Capture) -> None:
    name = 300 * "x"
    assert main([*command, "-o", name]) == 2
    assert f'cannot write "{name}' in capsys.readouterr().err


def test_the_metadata_of_packages_is_read_by_those_who_need_it_only() -> None:
    """It takes half of the time until `main` can be interrupted without a traceback."""
    code = "import sys, vsafsm.cli; sys.exit('importlib.metadata' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0
