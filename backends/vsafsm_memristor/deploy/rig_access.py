"""From the arguments of ``vsafsm rig`` to a rig behind its guard, and to maps for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vsafsm.cli.terminal import note
from vsafsm.program import Program
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.deploy.rig_arguments import REWRITE, backend_options_of, limits_of
from vsafsm_memristor.deploy.rig_calibration import check_correctable, corrections_of
from vsafsm_memristor.rig.address import open_rig
from vsafsm_memristor.rig.errors import LogError
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.protocol import UNTOUCHED, Closable, ProgramReply, Rig
from vsafsm_memristor.rig.slices import described


@contextmanager
def guarded_rig(args: argparse.Namespace) -> Iterator[GuardedRig]:
    """The rig at the address, behind the user's limits; closed, and the log with it, whatever
    happens.
    """
    log = RigLog(args.log) if args.log else None
    try:
        guarded = _opened(args, log)
        if args.arm is not None:
            for said in guarded.not_guaranteed:
                note("warning", said)
        try:
            with guarded:
                yield guarded
        finally:
            for tile, cells in guarded.unverified.items():
                note("NOT VERIFIED", f"{int(cells.sum())} cells of tile {tile}: {described(cells)}")
    finally:
        if log is not None:
            log.close()


def _opened(args: argparse.Namespace, log: RigLog | None) -> GuardedRig:
    """What goes wrong here is in the log too."""
    rig: Rig | None = None
    try:
        if log is not None:
            log.write("connect", address=args.address)
        rig = open_rig(args.address, args.timeout_s)
        return GuardedRig(
            rig,
            limits_of(args, rig.identify().limits),
            log=log,
            allow_no_watchdog=args.allow_no_watchdog,
            allow_shared=args.allow_shared,
        )
    except BaseException as error:  # an interrupt as well; it is raised again
        with suppress(LogError):
            if log is not None:
                log.write("error", message=f"{type(error).__name__}: {error}")
        with suppress(Exception):
            if isinstance(rig, Closable):
                rig.close()
        raise


def maps_for(args: argparse.Namespace, program: Program, guarded: GuardedRig) -> RigMaps:
    """The program's maps for the rig."""
    return maps_of(program, guarded.identify(), **backend_options_of(args))


def corrections_for(args: argparse.Namespace, maps: RigMaps) -> int:
    """Cells that may be, or may have been, written again."""
    if args.calibration != "loop" and args.rewrite is None:
        return 0
    if args.calibration == "loop":
        check_correctable(maps)
    return corrections_of(maps, REWRITE if args.rewrite is None else args.rewrite)


def write(guarded: GuardedRig, maps: RigMaps) -> dict[int, ProgramReply]:
    """Write all tiles that have something to write: -> the rig's replies by tile."""
    return {
        tile: guarded.program(tile, g)
        for tile, g in enumerate(maps.siemens)
        if (g != UNTOUCHED).any()
    }
