"""The guard around every rig: what could do harm is refused before anything is sent, and the lines
end at 0 V.

Until it is armed nothing is sent (a dry run): `program` and `read` check all the same, and return
what would be done. `arm` takes the token of the plan of the same maps. From then on a fault, an
exception, SIGTERM, SIGINT, SIGHUP, leaving the ``with`` block and the end of the process all ground
the lines first. What no code in this process can see to (SIGKILL, a power cut) is the rig's
watchdog's; a rig without one is armed only where ``allow_no_watchdog`` says so.

Armed with `corrections`, so many cells of the maps may be written again, to any conductance within
range, once their tile has been written; without, other conductances than those of the maps are
refused.

Arming takes the rig (`Ownable`): its limits and its watchdog then belong to this client alone. A
rig that does not keep others out is armed only where ``allow_shared`` says so. Tiles are written in
slices of at most a third of the watchdog's time; cells of a write that was cut off are listed.

No voltage outlives the reply to its command: commands of a `Rig` return their lines to 0 V before
they reply.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from vsafsm_memristor.rig.arming import Allowed, check_armable, not_guaranteed
from vsafsm_memristor.rig.checks import (
    check_conductances,
    check_currents,
    check_programmed,
    check_tile,
    check_voltages,
)
from vsafsm_memristor.rig.consent import Consent
from vsafsm_memristor.rig.currents import WorstCase
from vsafsm_memristor.rig.errors import (
    BusyError,
    FaultError,
    LogError,
    NotSafeError,
    RefusedError,
)
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.plans import WritePlan, check_budget, plan_of
from vsafsm_memristor.rig.protocol import (
    UNTOUCHED,
    Bools,
    Closable,
    Floats,
    Identity,
    Limits,
    Ownable,
    ProgramReply,
    Rig,
    TargetMaps,
)
from vsafsm_memristor.rig.signals import Handlers
from vsafsm_memristor.rig.slices import cells_of_a_slice, joined, runs_of, slices
from vsafsm_memristor.rig.token import check_token, token_of

Answer = TypeVar("Answer")
SAFE_ATTEMPTS = 2


class Mode(Enum):
    """What a guard does with a command."""

    DRY = "dry run"
    ARMED = "armed"
    FAILED = "failed"
    CLOSED = "closed"


class GuardedRig:
    """A rig behind limits: itself a `Rig`. For one thread, the main one.

    Parameters
    ----------
    rig
        The rig. The guard closes it.
    limits
        The user's own limits; in every respect the tighter of these and the rig's is in force.
    log
        Where every command, voltage and reply goes.
    allow_no_watchdog
        Arm a rig that has no watchdog.
    allow_shared
        Arm a rig that does not keep other clients out.

    Raises
    ------
    FaultError
        If the rig does not say who it is.
    RefusedError
        If no conductance is within both limits.
    """

    def __init__(
        self,
        rig: Rig,
        limits: Limits | None = None,
        *,
        log: RigLog | None = None,
        allow_no_watchdog: bool = False,
        allow_shared: bool = False,
    ) -> None:
        self._rig, self._log = rig, log
        self._allowed = Allowed(no_watchdog=allow_no_watchdog, shared=allow_shared)
        self._mode, self._process, self._why = Mode.DRY, os.getpid(), ""
        self._handlers = Handlers(self._stopped)
        self._own = rig.identify()
        self.limits = self._own.limits.tighten(limits) if limits is not None else self._own.limits
        self._identity = self._restricted(self._own)
        self._left = self.limits.write_budget
        self._consents: dict[str, Consent] = {}
        self._consent: Consent | None = None
        shape = self._own.usable.shape
        self._g_dry = np.zeros(shape)
        self._worst = WorstCase(shape, self._own.limits.g_max_s, self.limits)
        self._unverified: dict[int, Bools] = {}
        self._taken = False
        self._note("open", model=self._own.model, serial=self._own.serial, limits=vars(self.limits))

    def __enter__(self) -> GuardedRig:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    @property
    def mode(self) -> Mode:
        """What it does with a command now."""
        return self._mode

    @property
    def budget_left(self) -> int:
        """Pulses that may still be given."""
        return self._left

    @property
    def corrections_left(self) -> int:
        """Cells that may still be written again to other conductances than those of the maps."""
        return self._consent.left if self._consent else 0

    @property
    def unverified(self) -> dict[int, Bools]:
        """Cells of writes that were cut off, by tile: truth values of shape (rows, columns)."""
        return {tile: cells.copy() for tile, cells in self._unverified.items() if cells.any()}

    @property
    def not_guaranteed(self) -> tuple[str, ...]:
        """What this rig does not see to; with the reason in capitals."""
        return not_guaranteed(self._rig, self._own)

    def identify(self) -> Identity:
        """Who the rig is, with the limits in force. Nothing is sent: the rig was asked when it was
        opened.
        """
        return self._identity

    # ---- arming

    def plan(self, maps: TargetMaps, *, corrections: int = 0) -> WritePlan:
        """Check maps against everything in force, and say what programming them would do. Nothing
        is sent.

        Parameters
        ----------
        corrections
            Cells of the maps that may be written again afterwards, to other conductances within
            range.

        Raises
        ------
        RefusedError
            If something is wrong with them.
        """
        with self._noting_refusals("plan"):
            plan = self._planned(maps, corrections)
        self._note("plan", **vars(plan))
        return plan

    def arm(
        self, maps: TargetMaps, token: str, *, written: bool = False, corrections: int = 0
    ) -> None:
        """From now on commands are sent: programming of these maps, corrections of them, and reads.

        Parameters
        ----------
        token
            That of `plan`.
        written
            The tiles hold these maps already. Otherwise every cell that this guard has not written
            counts as the rig's largest conductance where line currents are predicted. So does every
            cell where there are corrections, as any may have been written again.
        corrections
            As for `plan`. Arming again with a token does not renew what was consented to with it.

        Raises
        ------
        RefusedError
            If the token is not the one of `plan(maps, corrections=corrections)` now; or if the rig,
            these maps or this thread cannot be had safely.
        BusyError
            If another client owns the rig; nothing is done to it.
        """
        with self._noting_refusals("arm"):
            self._require_open()
            self._planned(maps, corrections)
            expected = token_of(maps, self._own, self.limits, corrections)
            check_token(token, expected)
            check_armable(self._rig, self._own, self.limits, self._allowed)
        self._note(
            "arm", token=token, corrections=corrections, not_guaranteed=list(self.not_guaranteed)
        )
        self._take()
        if self._mode is Mode.DRY:
            atexit.register(self.close)
        self._handlers.install()
        self._consent = self._consents.setdefault(str(expected), Consent(maps, corrections))
        self._mode = Mode.ARMED
        if written:
            self._consent.hold(*range(len(maps.siemens)))
            self._worst.learn_maps(maps, corrections)

    def require_armed(self) -> None:
        """Raise `RefusedError` where commands would not be sent."""
        self._require_open()
        if self._mode is not Mode.ARMED:
            raise RefusedError(
                "the rig is not armed; expected the token of a dry run: `vsafsm rig program PROGRAM"
                " ADDRESS` prints it"
            )

    # ---- commands

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Write a tile, or correct cells of one; in a dry run, say what would be written.

        Raises
        ------
        RefusedError
            Before anything is sent.
        FaultError
            If the rig fails; all lines are grounded then.
        """
        with self._noting_refusals("program"):
            self._require_open()
            number = check_tile(self._own.limits, tile)
            g = check_conductances(self._identity, self.limits, number, g_siemens)
            worst = check_budget(self.limits, self._left, [g])
            armed_for = self._consent if self._mode is Mode.ARMED else None
            again = self._check_armed_for(number, g, armed_for) if armed_for else 0
        if armed_for is None:
            return self._dry_program(number, g)
        fields = {
            "tile": number,
            "g_siemens": g,
            "v_max_volts": self.limits.v_program_max_v,
            "corrections": again,
        }
        self._note("command", command="program", **fields)
        self._left -= worst  # what an interrupted command really took is not known
        armed_for.spend(again)
        self._worst.forget(number, g)  # until the rig has said what came of it
        reply = self._written(number, g)
        self._left += worst - int(reply.pulses.sum())
        self._worst.learn_reached(number, g, reply, corrected=again > 0)
        armed_for.hold(number)
        self._replied(command="program", **vars(reply))
        return reply

    def _written(self, tile: int, g: Floats) -> ProgramReply:
        """Write a tile slice by slice."""
        touched = g != UNTOUCHED
        self._unverified[tile] = self._unverified.get(tile, np.zeros(g.shape, np.bool_)) | touched
        parts = list(slices(g, cells_of_a_slice(self._own, self.limits)))
        done: list[tuple[Floats, ProgramReply]] = []
        for number, part in enumerate(parts, 1):
            cells = part != UNTOUCHED
            if len(parts) > 1:
                self._noted("slice", tile=tile, slice=number, of=len(parts), cells=runs_of(cells))
            reply = self._sent(
                lambda part=part: check_programmed(  # type: ignore[misc]
                    self._own, self.limits, self._rig.program(tile, part.copy())
                )
            )
            if len(parts) > 1:
                self._replied(command="slice", tile=tile, slice=number)
            self._unverified[tile] &= ~cells
            done.append((part, reply))
        return joined(done)

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Read a tile; in a dry run, the currents that the conductances asked for would give.

        Raises
        ------
        RefusedError
            Before anything is sent.
        FaultError
            If the rig fails; all lines are grounded then.
        """
        with self._noting_refusals("read"):
            self._require_open()
            number = check_tile(self._own.limits, tile)
            v = check_voltages(self._identity, self.limits, number, v_volts)
            if self._mode is Mode.ARMED:
                self._worst.check_read(number, v)
        if self._mode is not Mode.ARMED:
            return self._dry_read(number, v)
        self._note("command", command="read", tile=number, v_volts=v)
        amperes = self._sent(
            lambda: check_currents(self._own, self.limits, self._rig.read(number, v.copy()))
        )
        self._replied(command="read", amperes=amperes)
        return amperes

    def safe(self) -> None:
        """Ground all lines, armed or not. Raises `NotSafeError` where that could not be
        confirmed.
        """
        if self._mode is not Mode.CLOSED:
            self._make_safe()

    def close(self) -> None:
        """Ground all lines if it was ever armed, restore signal handlers, close the rig. Closing
        twice does nothing.
        """
        if self._mode is Mode.CLOSED or os.getpid() != self._process:
            return
        was, self._mode = self._mode, Mode.CLOSED
        try:
            if was is not Mode.DRY:
                self._make_safe()
        finally:
            atexit.unregister(self.close)
            self._handlers.restore()
            if self._taken and isinstance(self._rig, Ownable):
                with suppress(FaultError):  # the connection is closed next, which ends it too
                    self._rig.release()
            if isinstance(self._rig, Closable):
                self._rig.close()
            with suppress(LogError):
                self._note("close")

    # ---- before anything is sent

    def _planned(self, maps: TargetMaps, corrections: int) -> WritePlan:
        return plan_of(
            maps, corrections, self._own, self._identity, self.limits, self._worst, self._left
        )

    def _check_armed_for(self, tile: int, g: Floats, consent: Consent) -> int:
        """-> cells that are written again, to other conductances than those of the maps."""
        again = consent.check(tile, g)
        if again:
            self._worst.check_corrected(tile, g, consent.v_read_v)
        return again

    def _take(self) -> None:
        """Own the rig. One that is busy is left alone."""
        rig = self._rig
        if self._taken or not isinstance(rig, Ownable):
            return
        try:
            self._sent(lambda: rig.take(self.limits), harmless=BusyError)
        except BusyError as error:
            self._note("refused", command="take", error="BusyError", message=str(error))
            raise
        self._taken = True

    def _require_open(self) -> None:
        if self._mode is Mode.CLOSED:
            raise RefusedError("the rig was closed; expected it to be opened again")
        if self._mode is Mode.FAILED:
            raise FaultError(
                f"the rig is not used any more: {self._why}; expected it to be opened again"
            )

    def _restricted(self, own: Identity) -> Identity:
        """The rig with the limits in force: arrays keep the rig's shape, cells beyond tighter
        counts are unusable.
        """
        usable = own.usable.copy()
        usable[self.limits.tiles :] = usable[:, self.limits.rows :] = usable[
            :, :, self.limits.columns :
        ] = False
        shape = {name: getattr(own.limits, name) for name in ("tiles", "rows", "columns")}
        return replace(own, usable=usable, limits=replace(self.limits, **shape))

    # ---- what is known of the cells

    def _dry_program(self, tile: int, g: Floats) -> ProgramReply:
        self._note("dry", command="program", tile=tile, g_siemens=g)
        self._g_dry[tile] = g
        return ProgramReply(g, np.ones(g.shape, bool), np.zeros(g.shape, np.int64), sent=False)

    def _dry_read(self, tile: int, v: Floats) -> Floats:
        self._note("dry", command="read", tile=tile, v_volts=v)
        amperes: Floats = v @ self._g_dry[tile]
        return amperes

    # ---- sending, and what can go wrong meanwhile

    def _sent(
        self, call: Callable[[], Answer], harmless: type[BaseException] | tuple[()] = ()
    ) -> Answer:
        self._require_open()  # a signal may have come since the command began
        mode = self._mode
        try:
            reply = call()
            if self._mode is not mode:  # a signal came, and its own handler let us go on
                raise FaultError(
                    f"the rig is not used any more: {self._why}; expected it to be opened again"
                )
        except harmless:
            raise
        except BaseException as error:
            self._failed(f"{type(error).__name__}: {error}")
            raise
        return reply

    def _replied(self, **fields: Any) -> None:
        self._noted("reply", **fields)

    def _noted(self, event: str, **fields: Any) -> None:
        """As `_note`, in the middle of a command: what cannot be logged ends trust."""
        try:
            self._note(event, **fields)
        except LogError as error:
            self._failed(str(error))
            raise

    def _failed(self, why: str) -> None:
        if self._mode is not Mode.CLOSED:
            self._mode, self._why = Mode.FAILED, self._why or why
        with suppress(LogError):
            self._note("error", message=why)
        self._note_unverified()
        self._make_safe()

    def _stopped(self, name: str) -> None:
        if self._mode is not Mode.CLOSED:
            self._mode, self._why = Mode.FAILED, f"stopped by {name}"
        with suppress(LogError):
            self._note("signal", name=name)
        self._note_unverified()
        self._make_safe()

    def _note_unverified(self) -> None:
        for tile, cells in self.unverified.items():
            with suppress(LogError):
                self._note("unverified", tile=tile, cells=runs_of(cells), count=int(cells.sum()))

    def _make_safe(self) -> None:
        wrong: Exception | None = None
        for _ in range(SAFE_ATTEMPTS):
            try:
                self._rig.safe()
                wrong = None
                break
            except Exception as error:
                wrong = error
                if isinstance(error, BusyError):
                    break
        with suppress(LogError):
            self._note("safe", confirmed=wrong is None)
        if wrong is not None:
            watchdog = self._own.watchdog_s
            rest = f"its watchdog has {watchdog:g} s" if watchdog else "it has no watchdog"
            raise NotSafeError(
                f"it is not confirmed that the lines of rig {self._own.serial} are grounded"
                f" ({wrong}); expected them at 0 V: {rest}, see to it by hand"
            ) from wrong

    @contextmanager
    def _noting_refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except RefusedError as error:
            self._note("refused", command=what, error=type(error).__name__, message=str(error))
            raise

    def _note(self, event: str, **fields: Any) -> None:
        if self._log is not None:
            self._log.write(event, **fields)
