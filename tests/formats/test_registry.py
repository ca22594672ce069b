from __future__ import annotations

import errno
import os
import stat
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import IO

import pytest

import vsafsm.formats as registry
from vsafsm import errors as e
from vsafsm.files import write_atomically
from vsafsm.formats import Format, Reading, SpecWarning, format_for, formats, load, read, save
from vsafsm.machine import Machine, Transition

MACHINE = Machine(
    "m", ("a", "b"), ("go",), "a", ((Transition("b"),), (Transition("a", ("o",)),)), ((), ())
)
BUILT_IN = [
    *("yaml", "kiss2", "blif", "dot", "scxml", "transitions", "sismic"),
    *("jflap", "xstate", "mermaid", "plantuml", "regex"),
]
OTHER = Format(
    "other",
    (".other",),
    lambda text, source: Reading(MACHINE),
    lambda machine: "text",
    "a third party's",
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def entry_points_of(*entries: EntryPoint):
    return lambda group: entries


def test_the_formats_of_vsafsm_are_there() -> None:
    assert {name: f.suffixes for name, f in formats().items() if name in ("yaml", "kiss2")} == {
        "yaml": (".yaml", ".yml"),
        "kiss2": (".kiss2", ".kiss"),
    }
    assert all(name == f.name and f.description for name, f in formats().items())


def test_a_third_party_adds_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "third_party", type("m", (), {"FORMAT": OTHER}))
    monkeypatch.setattr(
        registry,
        "entry_points",
        entry_points_of(EntryPoint("other", "third_party:FORMAT", registry.GROUP)),
    )
    assert format_for("x.OTHER") is OTHER
    assert format_for("x.yaml", "other") is OTHER


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kiss2:snk", 'mean "kiss2:sink"'),
        ("yaml:sink", "one of: yaml"),
        ("kis2:sink", 'mean "kiss2"'),
    ],
)
def test_a_format_that_is_not_read_this_way(name: str, hint: str) -> None:
    with pytest.raises(e.FormatError) as caught:
        format_for("x", name)
    assert hint in caught.value.message


@pytest.mark.parametrize(
    "broken", ["no_such_module_at_all:FORMAT", "os:no_such_name", "os:sep", "raising_module:FORMAT"]
)
def test_a_broken_third_party_leaves_the_others_working(
    broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "raising_module.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        registry, "entry_points", entry_points_of(EntryPoint("broken", broken, registry.GROUP))
    )
    with pytest.warns(RuntimeWarning, match='"broken" cannot be used'):
        assert list(formats()) == BUILT_IN


def test_a_third_party_cannot_take_a_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry,
        "entry_points",
        entry_points_of(EntryPoint("yaml", "nowhere:FORMAT", registry.GROUP)),
    )
    assert formats()["yaml"].suffixes == (".yaml", ".yml")


def test_a_format_is_told_by_suffix_or_by_name() -> None:
    assert format_for("a/b.YML").name == "yaml"
    assert format_for(Path("b.kiss")).name == "kiss2"
    assert format_for("b.txt", "kiss2").name == "kiss2"


@pytest.mark.parametrize(
    ("path", "name", "useful"),
    [
        ("m.yamll", None, 'mean ".yaml"'),
        ("m", None, ".kiss2"),
        ("m.yaml", "kis2", 'mean "kiss2"'),
        ("m", "zzz", "yaml, kiss2, blif"),
    ],
)
def test_an_unknown_format_names_the_known_ones(path: str, name: str | None, useful: str) -> None:
    with pytest.raises(e.FormatError) as caught:
        format_for(path, name)
    assert useful in caught.value.message


# ---- reading


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"machine: m\ninitial: \xff", "2:10"),
        ("a: é".encode() + b"\xc3", "1:5"),
        (b"\xff\xfea\x00", "1:1"),
    ],
)
def test_bytes_that_are_not_utf8_are_refused_where_they_stand(
    data: bytes, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(data)
    with pytest.raises(e.SyntaxSpecError, match="UTF-8") as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{place}: ")


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    save(MACHINE, tmp_path / "m.yaml")
    (tmp_path / "m.yaml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "m.yaml").read_bytes())
    assert load(tmp_path / "m.yaml") == MACHINE


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml", "file.kiss/m.yaml", "nul\0.yaml"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "file.kiss").touch()
    with pytest.raises(e.FileError, match="cannot read"):
        read(tmp_path / name)


def test_a_file_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "m.yaml").touch()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(e.FileError, match=r'm\.yaml": Permission denied'):
        read(tmp_path / "m.yaml")


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_BYTES", 2**20)
    (tmp_path / "m.kiss2").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(e.TooLargeError, match="1 MiB"):
        read(tmp_path / "m.kiss2")


def test_load_tells_what_is_doubtful_as_python_warnings(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("machine: m\ninitial: a\nstates:\n  a: {transitions: {go: a}}\n  b: {}\n")
    with pytest.warns(SpecWarning, match=r'm\.yaml:5:3: state "b" is never reached'):
        load(path)
    assert len(read(path).warnings) == 1


# ---- saving


@pytest.mark.parametrize("name", ["m.yaml", "m.kiss2"])
def test_what_is_saved_loads(name: str, tmp_path: Path) -> None:
    save(MACHINE, tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(tmp_path / name).states == MACHINE.states
    assert names_in(tmp_path) == [name]


@pytest.mark.parametrize(
    "name", ["missing/m.yaml", "nul\0.yaml", "folder.yaml", "x" * 300 + ".yaml"]
)
def test_a_place_that_cannot_be_written_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(e.FileError, match="cannot write"):
        save(MACHINE, tmp_path / name)
    assert names_in(tmp_path) == ["folder.yaml"]


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(e.FileError, match=r'm\.yaml": No space left on device'):
        save(MACHINE, path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["m.yaml"]


def test_an_interrupt_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "x", b"data")
    assert names_in(tmp_path) == []


def test_what_writes_itself_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def write(file: IO[bytes]) -> None:
        file.write(b"456789")
        file.seek(0)
        file.write(b"0123")

    def fails(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "x", write)
    assert (tmp_path / "x").read_bytes() == b"012389"
    with pytest.raises(e.FileError, match="No space left"):
        write_atomically(tmp_path / "x", fails)
    assert (tmp_path / "x").read_bytes() == b"012389"
    assert names_in(tmp_path) == ["x"]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and devices")
def test_files_have_the_usual_permissions_and_links_are_followed(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        (tmp_path / "link").symlink_to(tmp_path / "target")
        write_atomically(tmp_path / "link", b"data")
    finally:
        os.umask(old)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o640


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_written_to_and_stays_a_device() -> None:
    with pytest.raises(e.FileError, match="No space left"):
        write_atomically("/dev/full", b"data")
    write_atomically("/dev/null", b"data")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
