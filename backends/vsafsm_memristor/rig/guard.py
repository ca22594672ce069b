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

No voltage outlives the reply to its command: commands of a `Rig` return their lines to 0 V before
they reply.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from vsafsm_memristor.rig.checks import (
    check_conductances,
    check_currents,
    check_line_currents,
    check_programmed,
    check_tile,
    check_voltages,
    most_of,
)
from vsafsm_memristor.rig.consent import Consent, check_corrections
from vsafsm_memristor.rig.errors import (
    BudgetError,
    CannotRestrictError,
    DistrustedError,
    LogError,
    NotArmedError,
    NotSafeError,
    NoWatchdogError,
    ReadVoltageError,
    RefusedError,
    ShapeError,
)
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.protocol import (
    UNTOUCHED,
    Closable,
    Floats,
    Identity,
    Limits,
    ProgramReply,
    Restrictable,
    Rig,
    TargetMaps,
)
from vsafsm_memristor.rig.signals import Handlers, in_main_thread
from vsafsm_memristor.rig.token import check_token, token_of

Answer = TypeVar("Answer")
SAFE_ATTEMPTS = 2


class Mode(Enum):
    """What a guard does with a command."""

    DRY = "dry run"
    ARMED = "armed"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class WritePlan:
    """What programming would do, and the token that arms it.

    Attributes
    ----------
    token
        To be passed to `GuardedRig.arm`.
    tiles, cells
        Tiles that are written, and cells in them.
    g_least_s, g_most_s
        Range of conductances asked for, in siemens; 0 where no cell is written.
    corrections
        Cells that may be written again after that, to other conductances; one that is twice counts
        twice.
    pulses_at_most
        Pulses over all cells in the worst case, corrections included.
    v_program_max_v, v_read_v
        Largest programming voltage, and the voltage of an active row in a read, in volts.
    line_current_a
        Largest current of a line with every row active at once, in amperes, wherever the
        corrections are. A read that would exceed the limit is refused when it is asked for.
    """

    token: str
    tiles: int
    cells: int
    corrections: int
    g_least_s: float
    g_most_s: float
    pulses_at_most: int
    v_program_max_v: float
    v_read_v: float
    line_current_a: float


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

    Raises
    ------
    FaultError
        If the rig does not say who it is.
    LimitsError
        If no conductance is within both limits.
    """

    def __init__(
        self,
        rig: Rig,
        limits: Limits | None = None,
        *,
        log: RigLog | None = None,
        allow_no_watchdog: bool = False,
    ) -> None:
        self._rig, self._log, self._no_watchdog_will_do = rig, log, allow_no_watchdog
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
        self._g_worst = np.full(shape, self._own.limits.g_max_s)
        self._g_rows = self._g_worst.sum(axis=2)
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
            The subclass says what is wrong.
        """
        with self._noting_refusals("plan"):
            plan = self._plan(maps, corrections)
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
        TokenError
            If the token is not the one of `plan(maps, corrections=corrections)` now; the subclass
            says what it was made for.
        NoWatchdogError, CannotRestrictError, NotArmedError, RefusedError
            If the rig, these maps or this thread cannot be had safely.
        """
        with self._noting_refusals("arm"):
            self._require_open()
            self._plan(maps, corrections)
            expected = token_of(maps, self._own, self.limits, corrections)
            check_token(token, expected)
            self._check_armable()
        self._note("arm", token=token, corrections=corrections)
        self._restrict()
        if self._mode is Mode.DRY:
            atexit.register(self.close)
        self._handlers.install()
        self._consent = self._consents.setdefault(str(expected), Consent(maps, corrections))
        self._mode = Mode.ARMED
        if written:
            self._consent.hold(*range(len(maps.siemens)))
            self._learn_targets(maps, corrections)

    def require_armed(self) -> None:
        """Raise `NotArmedError` where commands would not be sent."""
        self._require_open()
        if self._mode is not Mode.ARMED:
            raise NotArmedError(
                "the rig is not armed; expected the token of a dry run: `vsafsm rig program PROGRAM"
                " ADDRESS` prints it"
            )

    # ---- commands

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Write a tile, or correct cells of one; in a dry run, say what would be written.

        Raises
        ------
        RefusedError
            Before anything is sent; the subclass says what is wrong.
        FaultError
            If the rig fails; all lines are grounded then.
        """
        with self._noting_refusals("program"):
            self._require_open()
            number = check_tile(self._own.limits, tile)
            g = check_conductances(self._identity, self.limits, number, g_siemens)
            worst = self._check_budget(g)
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
        reply = self._sent(
            lambda: check_programmed(self._own, self.limits, self._rig.program(number, g.copy())),
        )
        self._left += worst - int(reply.pulses.sum())
        self._learn_reached(number, g, reply, corrected=again > 0)
        armed_for.hold(number)
        self._replied(command="program", **vars(reply))
        return reply

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Read a tile; in a dry run, the currents that the conductances asked for would give.

        Raises
        ------
        RefusedError
            Before anything is sent; the subclass says what is wrong.
        FaultError
            If the rig fails; all lines are grounded then.
        """
        with self._noting_refusals("read"):
            self._require_open()
            number = check_tile(self._own.limits, tile)
            v = check_voltages(self._identity, self.limits, number, v_volts)
            if self._mode is Mode.ARMED:
                check_line_currents(
                    self.limits, number, v, self._g_worst[number], self._g_rows[number]
                )
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
            if isinstance(self._rig, Closable):
                self._rig.close()
            with suppress(LogError):
                self._note("close")

    # ---- before anything is sent

    def _plan(self, maps: TargetMaps, corrections: int) -> WritePlan:
        corrections, arrays = check_corrections(corrections), self._checked(maps)
        cells = sum(int((g != UNTOUCHED).sum()) for g in arrays)
        written = np.concatenate([g[g != UNTOUCHED] for g in arrays]) if cells else np.zeros(1)
        pulses = self._check_budget(*arrays, corrections=corrections)
        return WritePlan(
            token=str(token_of(maps, self._own, self.limits, corrections)),
            tiles=len(arrays),
            cells=cells,
            corrections=corrections,
            g_least_s=float(written.min()),
            g_most_s=float(written.max()),
            pulses_at_most=pulses,
            v_program_max_v=self.limits.v_program_max_v,
            v_read_v=float(maps.v_read_v),
            line_current_a=max(self._all_rows_a(g, maps.v_read_v, corrections) for g in arrays),
        )

    def _checked(self, maps: TargetMaps) -> list[Floats]:
        tiles = self._own.limits.tiles
        if not 1 <= len(maps.siemens) <= tiles:
            raise ShapeError(
                f"the maps have {len(maps.siemens)} tiles; expected 1 to {tiles}, those of the rig"
            )
        if not 0 < maps.v_read_v <= self.limits.v_read_max_v:
            raise ReadVoltageError(
                f"the maps are read at {maps.v_read_v:g} V; expected above 0 and at most"
                f" {self.limits.v_read_max_v:g} V"
            )
        arrays = [
            check_conductances(self._identity, self.limits, tile, g)
            for tile, g in enumerate(maps.siemens)
        ]
        for tile, g in enumerate(arrays):
            self._check_rows(tile, self._worst(g), maps.v_read_v)
        return arrays

    def _check_rows(self, tile: int, worst: Floats, v_read_v: float) -> None:
        """One active row: if that is too much, so is every read."""
        of_rows = worst.sum(axis=1)
        one = np.where(np.arange(len(worst)) == np.argmax(of_rows), v_read_v, 0.0)
        check_line_currents(self.limits, tile, one, worst, of_rows)

    def _worst(self, g: Floats) -> Floats:
        """The largest conductance that each cell may have, once these are written: an untouched one
        has any.
        """
        return np.where(g == UNTOUCHED, self._own.limits.g_max_s, g)

    def _all_rows_a(self, g: Floats, v_read_v: float, corrections: int) -> float:
        """With the corrections where they add most to a line."""
        worst = self._worst(g)
        more = np.where(g == UNTOUCHED, 0.0, self.limits.g_max_s - g)
        lines = [worst.sum(axis=a) + most_of(more, a, corrections) for a in (0, 1)]
        return float(v_read_v * max(line.max() for line in lines))

    def _check_budget(self, *arrays: Floats, corrections: int = 0) -> int:
        cells = sum(int((g != UNTOUCHED).sum()) for g in arrays) + corrections
        worst = cells * self.limits.pulses_per_cell
        if worst > self._left:
            raise BudgetError(
                f"{cells} cells may take {worst} pulses ({self.limits.pulses_per_cell} each);"
                f" expected at most {self._left}, what is left of a write budget of"
                f" {self.limits.write_budget} pulses"
            )
        return worst

    def _check_armed_for(self, tile: int, g: Floats, consent: Consent) -> int:
        """-> cells that are written again, to other conductances than those of the maps."""
        again = consent.check(tile, g)
        if again:
            self._check_rows(tile, self._worst_corrected(tile, g), consent.v_read_v)
        return again

    def _check_armable(self) -> None:
        if not in_main_thread():
            raise NotArmedError("arming in a thread that gets no signals; expected the main thread")
        if self._own.watchdog_s is None and not self._no_watchdog_will_do:
            raise NoWatchdogError(
                f"rig {self._own.serial} has no watchdog, so nothing grounds its lines if this"
                " process is killed; expected one that has, or allow_no_watchdog=True"
                " (--allow-no-watchdog)"
            )
        own = self._own.limits
        if isinstance(self._rig, Restrictable):
            return
        for name in ("v_program_max_v", "pulses_per_cell"):
            if getattr(self.limits, name) < getattr(own, name):
                raise CannotRestrictError(
                    f"{name} is to be {getattr(self.limits, name):g} and the rig, which makes the"
                    f" pulses, keeps {getattr(own, name):g} and takes no other; expected"
                    " a rig with `restrict`"
                )

    def _restrict(self) -> None:
        if isinstance(self._rig, Restrictable):
            rig = self._rig
            self._sent(lambda: rig.restrict(self.limits))

    def _require_open(self) -> None:
        if self._mode is Mode.CLOSED:
            raise NotArmedError("the rig was closed; expected it to be opened again")
        if self._mode is Mode.FAILED:
            raise DistrustedError(
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

    def _learn_targets(self, maps: TargetMaps, corrections: int) -> None:
        for tile, g in enumerate(maps.siemens):
            known = np.zeros_like(g) if corrections else np.asarray(g)
            self._set_worst(tile, self._worst(known))

    def _learn_reached(self, tile: int, g: Floats, reply: ProgramReply, corrected: bool) -> None:
        worst = self._worst_corrected(tile, g) if corrected else self._worst(g)
        self._set_worst(tile, np.maximum(worst, np.where(g == UNTOUCHED, 0.0, reply.g_siemens)))

    def _worst_corrected(self, tile: int, g: Floats) -> Floats:
        """The largest conductance that each cell may have, once these are: an untouched one has
        what it had.
        """
        return np.where(g == UNTOUCHED, self._g_worst[tile], g)

    def _set_worst(self, tile: int, worst: Floats) -> None:
        self._g_worst[tile], self._g_rows[tile] = worst, worst.sum(axis=1)

    def _dry_program(self, tile: int, g: Floats) -> ProgramReply:
        self._note("dry", command="program", tile=tile, g_siemens=g)
        self._g_dry[tile] = g
        return ProgramReply(g, np.ones(g.shape, bool), np.zeros(g.shape, np.int64), sent=False)

    def _dry_read(self, tile: int, v: Floats) -> Floats:
        self._note("dry", command="read", tile=tile, v_volts=v)
        amperes: Floats = v @ self._g_dry[tile]
        return amperes

    # ---- sending, and what can go wrong meanwhile

    def _sent(self, call: Callable[[], Answer]) -> Answer:
        mode = self._mode
        try:
            reply = call()
            if self._mode is not mode:  # a signal came, and its own handler let us go on
                raise DistrustedError(
                    f"the rig is not used any more: {self._why}; expected it to be opened again"
                )
        except BaseException as error:
            self._failed(f"{type(error).__name__}: {error}")
            raise
        return reply

    def _replied(self, **fields: Any) -> None:
        try:
            self._note("reply", **fields)
        except LogError as error:
            self._failed(str(error))
            raise

    def _failed(self, why: str) -> None:
        if self._mode is not Mode.CLOSED:
            self._mode, self._why = Mode.FAILED, self._why or why
        with suppress(LogError):
            self._note("error", message=why)
        self._make_safe()

    def _stopped(self, name: str) -> None:
        if self._mode is not Mode.CLOSED:
            self._mode, self._why = Mode.FAILED, f"stopped by {name}"
        with suppress(LogError):
            self._note("signal", name=name)
        self._make_safe()

    def _make_safe(self) -> None:
        wrong: Exception | None = None
        for _ in range(SAFE_ATTEMPTS):
            try:
                self._rig.safe()
                wrong = None
                break
            except Exception as error:
                wrong = error
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
