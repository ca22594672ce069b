"""The token that arms: three short hashes, of the maps, of the rig and of the limits in force.

Whoever arms has seen the dry run of these maps, on this rig, within these limits: a token that was
made for others says for which of the three. Where cells may be written again to other conductances,
a fourth hash stands for how many.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass

import numpy as np

from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import Identity, Limits, TargetMaps

_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{6}-[0-9a-f]{6}(-[0-9a-f]{6})?")


@dataclass(frozen=True)
class Token:
    """A token in its parts. ``str`` of it is what a user passes on. `corrections` is empty where
    there are none.
    """

    maps: str
    rig: str
    limits: str
    corrections: str = ""

    def __str__(self) -> str:
        return "-".join(
            part for part in (self.maps, self.rig, self.limits, self.corrections) if part
        )


def token_of(maps: TargetMaps, identity: Identity, limits: Limits, corrections: int = 0) -> Token:
    """The token for these maps on this rig within these limits, with so many cells that may be
    written again.
    """
    content = _maps_bytes(maps)
    return Token(
        _short(content, 8),
        _short(repr((identity.model, identity.serial)).encode() + identity.usable.tobytes(), 6),
        _short(repr(sorted(asdict(limits).items())).encode(), 6),
        _short(f"{corrections} corrections of ".encode() + content, 6) if corrections else "",
    )


def check_token(text: str, expected: Token) -> None:
    """Raise the `RefusedError` that says what a token was made for, if not for this."""
    plain = str(text).strip().lower()
    if not _FORM.fullmatch(plain):
        raise RefusedError(
            f'"{str(text)[:60]}" is no token; expected groups of digits and a to f, as a dry run'
            " prints them"
        )
    maps, rig, limits, *corrections = plain.split("-")
    advice = "expected the token that a dry run prints now"
    if rig != expected.rig:
        raise RefusedError(
            f"the token {plain} was made for another rig, or its usable cells have changed;"
            f" {advice}"
        )
    if maps != expected.maps:
        raise RefusedError(
            f"the token {plain} was made for other maps: another program, other options, or maps"
            f" that have changed since; {advice}"
        )
    if limits != expected.limits:
        raise RefusedError(f"the token {plain} was made under other limits; {advice}")
    if "".join(corrections) != expected.corrections:
        kind = "cells to be written again" if corrections else "no cells to be written again"
        raise RefusedError(
            f"the token {plain} was made with {kind}, and another number of them is asked for;"
            f" {advice}"
        )


def _maps_bytes(maps: TargetMaps) -> bytes:
    parts = [repr((str(maps.content_hash), float(maps.v_read_v), len(maps.siemens))).encode()]
    for g in maps.siemens:
        array = np.ascontiguousarray(g, dtype="<f8")
        parts += [repr(array.shape).encode(), array.tobytes()]
    return b"\n".join(parts)


def _short(content: bytes, digits: int) -> str:
    return hashlib.sha256(content).hexdigest()[:digits]
