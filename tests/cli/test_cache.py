"""Programs that were compiled before: the same bytes, found again by what they are made of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vsafsm.cli.cache
import vsafsm.cli.sources
from vsafsm.cli import main

TURNSTILE = Path(__file__).parents[2] / "specs" / "turnstile.yaml"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache that keeps everything, and a folder to work in."""
    monkeypatch.setenv("VSAFSM_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(vsafsm.cli.cache, "LEAST_SECONDS", 0)
    monkeypatch.chdir(tmp_path)
    Path("turnstile.yaml").write_text(TURNSTILE.read_text())
    return tmp_path / "kept"


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be compiled."""

    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("compiled anew")

    monkeypatch.setattr(vsafsm.cli.sources, "compile_machine", fail)


def compiled(*options: str, output: str = "out.npz") -> bytes:
    assert main(["compile", "turnstile.yaml", "-o", output, *options]) == 0
    return Path(output).read_bytes()


def files(kept: Path) -> set[str]:
    return {path.name for path in kept.iterdir()}


def test_what_was_compiled_before_has_the_same_bytes_and_is_not_compiled_again(
    kept: Path, request: pytest.FixtureRequest, capsys: Capture
) -> None:
    first = compiled()
    shown = capsys.readouterr().out
    assert len(files(kept)) == 1
    request.getfixturevalue("never")
    assert compiled() == first
    assert capsys.readouterr().out == shown
    assert main(["run", "turnstile.yaml", "coin", "push", "--verbose"]) == 0
    assert f'compiled before: "{kept}' in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--seed", "1"], ["-O", "bits=6"], ["--for", "loihi2"]])
def test_other_options_are_another_program(kept: Path, options: list[str]) -> None:
    first = compiled()
    other = compiled(*options)
    assert len(files(kept)) == 2
    assert (compiled(), compiled(*options)) == (first, other)
    assert len(files(kept)) == 2


def test_another_machine_or_another_option_in_the_spec_is_another_program(kept: Path) -> None:
    compiled()
    spec = Path("turnstile.yaml")
    text = spec.read_text()
    spec.write_text(text + "compile: {seed: 3}\n")
    compiled()
    spec.write_text(text.replace("coin", "token"))
    compiled()
    assert len(files(kept)) == 3


def test_comments_in_a_spec_change_nothing(kept: Path, request: pytest.FixtureRequest) -> None:
    first = compiled()
    request.getfixturevalue("never")
    spec = Path("turnstile.yaml")
    spec.write_text("# a comment\n" + spec.read_text())
    assert compiled() == first


def test_other_code_compiles_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    monkeypatch.setattr(vsafsm.cli.cache, "_code_digest", lambda module: b"other")
    compiled()
    assert len(files(kept)) == 2


def test_code_of_other_backends_counts_whether_it_is_imported_or_not(
    install: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / "vsafsm_with_parts"
    parts.mkdir()
    (parts / "__init__.py").write_text("")
    (parts / "backend.py").write_text("LIMIT = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = "vsafsm.reference"
    without = vsafsm.cli.cache._code_digest(module)
    install("with_parts", value="vsafsm_with_parts.backend:BACKEND")
    before = vsafsm.cli.cache._code_digest(module)
    (parts / "backend.py").write_text("LIMIT = 2")
    assert len({without, before, vsafsm.cli.cache._code_digest(module)}) == 3
    assert "vsafsm_with_parts" not in sys.modules
    install("gone", value="vsafsm_that_is_gone:BACKEND")
    vsafsm.cli.cache._code_digest(module)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no program"])
def test_a_damaged_file_is_compiled_anew_and_replaced(kept: Path, damage: bytes) -> None:
    first = compiled()
    (path,) = kept.iterdir()
    path.write_bytes(damage)
    assert compiled() == first
    assert path.read_bytes() == first


def test_no_cache_neither_reads_nor_keeps(kept: Path) -> None:
    first = compiled("--no-cache")
    assert not kept.exists()
    assert compiled() == first
    (path,) = kept.iterdir()
    path.write_bytes(b"")
    assert compiled("--no-cache") == first
    assert path.read_bytes() == b""


def test_what_compiles_at_once_is_not_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vsafsm.cli.cache, "LEAST_SECONDS", 1_000)
    compiled()
    assert not kept.exists()


def test_off_is_no_folder(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSAFSM_CACHE", "off")
    compiled()
    assert not kept.exists()
    assert not Path("off").exists()


def test_a_folder_that_cannot_be_written_is_no_error(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    kept.write_text("a file where the folder should be")
    compiled()
    assert capsys.readouterr().err == ""


def test_the_files_that_were_used_longest_ago_are_deleted(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vsafsm.cli.cache, "MOST_PROGRAMS", 2)
    seen: list[str] = []
    for seed in ("0", "1", "0", "2"):
        before = files(kept) if kept.exists() else set()
        compiled("--seed", seed)
        seen += files(kept) - before
    first, _, third = seen
    assert files(kept) == {first, third}
    monkeypatch.setattr(vsafsm.cli.cache, "MOST_BYTES", 0)
    compiled("--seed", "4")
    assert not files(kept)


def test_a_program_that_is_not_proven_is_no_answer_to_a_command_that_needs_a_proof(
    kept: Path,
) -> None:
    options = ["--dimension", "16", "--smallest"]
    assert main(["run", "turnstile.yaml", "coin", *options]) == 1
    assert len(files(kept)) == 1
    assert main(["compile", "turnstile.yaml", "-o", "out.npz", *options]) == 1
    assert not Path("out.npz").exists()
    assert main(["run", "turnstile.yaml", "coin", *options]) == 1
    assert len(files(kept)) == 1


def test_a_table_that_an_option_names_is_part_of_the_key(kept: Path) -> None:
    digests = set()
    for text in ("1", "2", "2"):
        Path("table").write_text(text)
        named = list(vsafsm.cli.cache._files_named(["table", "nothing", 3]))
        digests.add(b"".join(path.read_bytes() for path in named))
    assert digests == {b"1", b"2"}
