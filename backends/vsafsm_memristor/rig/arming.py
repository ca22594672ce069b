"""Whether a rig may be armed, and what is not guaranteed once it is."""

from __future__ import annotations

from dataclasses import dataclass

from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.protocol import Identity, Limits, Ownable, Rig
from vsafsm_memristor.rig.signals import in_main_thread

SHARED = (
    "OTHERS ARE NOT KEPT OUT: another client of this rig can widen its limits, put voltages on its"
    " lines, rewrite its cells and keep its watchdog quiet"
)
NO_WATCHDOG = (
    "NOTHING GROUNDS THE LINES if this process is killed, its computer fails or the line is cut"
)
UNSLICED = (
    "A LONG WRITE MAY BE CUT OFF BY THE WATCHDOG: the rig does not say how long a pulse takes, so"
    " that tiles are written whole"
)


@dataclass(frozen=True)
class Allowed:
    """What the user says will do: a rig without a watchdog, and one that others can reach too."""

    no_watchdog: bool = False
    shared: bool = False


def not_guaranteed(rig: Rig, own: Identity) -> tuple[str, ...]:
    """What a rig does not see to, in capitals and with the reason."""
    found = () if isinstance(rig, Ownable) else (SHARED,)
    if own.watchdog_s is None:
        return (*found, NO_WATCHDOG)
    return (*found, UNSLICED) if own.pulse_s is None else found


def check_armable(rig: Rig, own: Identity, limits: Limits, allowed: Allowed) -> None:
    """Raise `RefusedError` for a rig, or a thread, that cannot be had safely."""
    if not in_main_thread():
        raise RefusedError("arming in a thread that gets no signals; expected the main thread")
    if own.watchdog_s is None and not allowed.no_watchdog:
        raise RefusedError(
            f"rig {own.serial} has no watchdog, so nothing grounds its lines if this"
            " process is killed; expected one that has, or allow_no_watchdog=True"
            " (--allow-no-watchdog)"
        )
    if isinstance(rig, Ownable):
        return
    if not allowed.shared:
        raise RefusedError(
            f"rig {own.serial} does not keep other clients out, so that one of them can"
            " lift its limits or keep its watchdog quiet; expected a rig with `take`, or"
            " allow_shared=True (--allow-shared)"
        )
    for name in ("v_program_max_v", "pulses_per_cell"):
        if getattr(limits, name) < getattr(own.limits, name):
            raise RefusedError(
                f"{name} is to be {getattr(limits, name):g} and the rig, which makes the"
                f" pulses, keeps {getattr(own.limits, name):g} and takes no other; expected"
                " a rig with `take`"
            )
