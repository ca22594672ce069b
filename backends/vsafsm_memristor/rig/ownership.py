"""Checks that a rig has one owner at a time: with two connections, and without a voltage above
0 V.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from vsafsm_memristor.rig.errors import BusyError, RigError
from vsafsm_memristor.rig.findings import Finding
from vsafsm_memristor.rig.protocol import Closable, Ownable, Rig

SILENCE_S = 0.1
OWNED = "it keeps other clients out"


def ownership(rig: Rig, another: Callable[[], Rig] | None) -> Iterator[Finding]:
    """Take a rig, try it from a second connection, and release it.

    Parameters
    ----------
    another
        Opens a second connection to the same rig; None where there can be none.
    """
    if not isinstance(rig, Ownable):
        yield Finding(OWNED, None, "it does not: it is armed only on demand")
        return
    status = rig.status()
    if status.owner is not None and not status.mine:
        yield Finding(OWNED, None, f"busy, owned by {status.owner}")
        return
    limits = rig.identify().limits
    rig.take(limits)
    try:
        mine = rig.status().mine
        yield Finding("it can be taken", mine, "taken" if mine else "taken, and not its owner")
        wider = replace(limits, v_read_max_v=2 * limits.v_read_max_v)
        yield _refuses("it takes no wider limits", lambda: rig.take(wider), RigError)
        if another is None:
            yield Finding(OWNED, None, "one connection at a time, as far as is known")
            return
        second = another()
        try:
            yield from _second(rig, second)
        finally:
            if isinstance(second, Closable):
                second.close()
    finally:
        rig.release()


def _second(rig: Ownable, second: Rig) -> Iterator[Finding]:
    if not isinstance(second, Ownable):
        yield Finding(OWNED, False, "its second connection cannot be asked")
        return
    identity, seen = second.identify(), second.status()
    looked = seen.owner is not None and not seen.mine
    yield Finding("others may look", looked, "seen to be owned" if looked else f"{seen}")
    zeros = np.zeros(identity.limits.rows)
    nothing = np.zeros(identity.usable.shape[1:])
    for what, call in (
        ("take it", lambda: second.take(identity.limits)),
        ("read", lambda: second.read(0, zeros)),
        ("write", lambda: second.program(0, nothing)),
        ("ground its lines", second.safe),
        ("keep it alive", second.beat),
    ):
        yield _refuses(f"others cannot {what}", call, BusyError)
    before = second.status().silent_s
    time.sleep(SILENCE_S)
    second.identify()
    after = second.status().silent_s
    kept = after >= before + SILENCE_S / 2
    yield Finding(
        "what others say is no sign of life of the owner",
        kept,
        "not counted" if kept else f"silent for {before:.3f} s, and then for {after:.3f} s",
    )
    rig.beat()
    now = second.status().silent_s
    heard = now < after
    yield Finding(
        "a sign of life is heard", heard, "heard" if heard else f"silent for {now:.3f} s after it"
    )
    rig.release()
    free = second.status().owner is None
    yield Finding("it is free once it is released", free, "free" if free else "still owned")
    second.take(identity.limits)
    second.release()
    yield Finding("another can take it then", True, "taken and released")


def _refuses(rule: str, call: Callable[[], object], error: type[RigError]) -> Finding:
    try:
        call()
    except error:
        return Finding(rule, True, "refused")
    except RigError as said:
        return Finding(rule, False, f"{type(said).__name__}: {said}"[:120])
    return Finding(rule, False, "it was done")
