"""Signatures of files: whether what is there begins as its name says."""

from __future__ import annotations

import re
from pathlib import Path

_BYTES = 4096
_SIGNATURES = {
    ".png": rb"\x89PNG\r\n\x1a\n",
    ".pdf": rb"%PDF-",
    ".svg": rb"(?s)\s*<(svg|[?!].*<svg)\b",
    ".html": rb"(?si)\s*<(html|!doctype html|[?!].*<html)\b",
    ".mmd": rb"(?s)(.*\n)?\s*stateDiagram",
    ".nir": rb"\x89HDF\r\n\x1a\n",
}
_SIGNATURES[".htm"] = _SIGNATURES[".html"]


def begins_as_named(path: str | Path) -> bool:
    """Whether a file begins as its suffix says; true where the suffix has no signature.

    Examples
    --------
    >>> begins_as_named("specs/turnstile.yaml")
    True
    """
    signature = _SIGNATURES.get(Path(path).suffix)
    if signature is None:
        return True
    try:
        with Path(path).open("rb") as file:
            return re.match(signature, file.read(_BYTES).removeprefix(b"\xef\xbb\xbf")) is not None
    except OSError:
        return False
