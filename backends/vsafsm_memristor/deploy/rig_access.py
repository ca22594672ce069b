"""From the arguments of ``vsafsm rig`` to a rig behind its guard, and to maps for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vsafsm.program import Program
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.deploy.rig_arguments import REWRITE, backend_options_of, limits_of
from vsafsm_memristor.deploy.rig_calibration import check_correctable, corrections_of
from vsafsm_memristor.rig.address import open_rig
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.protocol import UNTOUCHED, Closable, ProgramReply


@contextmanager
def guarded_rig(args: argparse.Namespace) -> Iterator[GuardedRig]:
    """The rig at the address, behind the user's limits; closed, and the log with it, whatever
    happens.
    """
    log = RigLog(args.log) if args.log else None
    try:
        rig = open_rig(args.address, args.timeout_s)
        try:
            own = rig.identify().limits
            guarded = GuardedRig(
                rig, limits_of(args, own), log=log, allow_no_watchdog=args.allow_no_watchdog
            )
        except BaseException:
            with suppress(Exception):
                if isinstance(rig, Closable):
                    rig.close()
            raise
        with guarded:
            yield guarded
    finally:
        if log is not None:
            log.close()


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
