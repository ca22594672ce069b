"""Which files may be replaced."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from vsafsm.errors import FileError
from vsafsm.overwriting import check_manifest, check_output


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop.npz"
    loop.symlink_to(loop)
    for path in (loop, loop / "p.npz"):
        with pytest.raises(FileError, match=r'cannot write ".*loop.*": Too many levels'):
            check_output(path, "a program", (".npz",))


def test_a_link_to_what_is_not_there_yet_is_taken(tmp_path: Path) -> None:
    link = tmp_path / "link.npz"
    link.symlink_to(tmp_path / "new.npz")
    check_output(link, "a program", (".npz",))
    assert link.is_symlink()
    assert not link.exists()


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="File name too long"):
        check_output(tmp_path / ("x" * 300 + ".npz"), "a program", (".npz",))


def test_a_folder_that_is_locked_is_told_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stat(path: Path, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(FileError, match=r'cannot write "p.npz": Permission denied'):
        check_output("p.npz", "a program", (".npz",))


def test_files_in_a_folder_that_is_read_are_kept(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(FileError, match="the file to be read"):
        check_output(frames / "1.png", "a picture", sources=(str(frames),), force=True)
    check_output(tmp_path / "1.png", "a picture", sources=(str(frames), str(tmp_path / "gone")))


def test_force_is_named_only_where_there_is_such_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    path.write_text("mine")
    with pytest.raises(FileError, match=r"expected another name$"):
        check_output(path, "a program", (), lambda path: False)
    with pytest.raises(FileError, match="or --force"):
        check_output(path, "a program", (), lambda path: False, force=False)
    check_output(path, "a program", (), lambda path: False, force=True)


@pytest.mark.parametrize("text", ["mine", '{"name": "a web page"}', "[1]", "[" * 100_000, "\xff"])
def test_a_manifest_of_something_else_is_kept(text: str, tmp_path: Path) -> None:
    check_manifest(tmp_path / "new")
    check_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(FileError, match=r"not a manifest of vsafsm; expected another folder$"):
        check_manifest(tmp_path)
    check_manifest(tmp_path, force=True)


def test_a_manifest_of_ours_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"machine": "m", "content_hash": "0"}')
    check_manifest(tmp_path)
