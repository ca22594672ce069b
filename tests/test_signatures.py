"""Signatures of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsafsm.signatures import begins_as_named

RIGHT = {
    "a.png": b"\x89PNG\r\n\x1a\n\x00",
    "a.pdf": b"%PDF-1.4\n",
    "a.svg": b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN">\n<svg/>',
    "b.svg": b"\xef\xbb\xbf <svg xmlns='http://www.w3.org/2000/svg'/>",
    "a.html": b"<!doctype html>\n<title>t</title>",
    "a.htm": b"<!-- mine -->\n<HTML>",
    "a.mmd": b"%% a machine\nstateDiagram-v2\n",
    "a.nir": b"\x89HDF\r\n\x1a\n",
    "a.txt": b"anything",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_begins_as_its_name_says_is_known(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(RIGHT[name])
    assert begins_as_named(path)


@pytest.mark.parametrize("content", [b"precious", b"<p>the <svg> of", b"x = <html>", b"coin push"])
def test_a_text_is_neither_a_picture_nor_a_page(content: bytes, tmp_path: Path) -> None:
    for suffix in (".png", ".pdf", ".svg", ".html", ".htm", ".mmd", ".nir"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        assert not begins_as_named(path)


def test_what_cannot_be_read_is_of_no_kind(tmp_path: Path) -> None:
    assert not begins_as_named(tmp_path / "nowhere.png")
