"""A rig that speaks SCPI over TCP, USB or a serial line, through PyVISA.

``TCPIP0::192.168.0.7::5025::SOCKET``, ``USB0::...::RAW`` or ``ASRL/dev/ttyUSB0::INSTR``: any VISA
resource name. PyVISA and PyVISA-py are imported when a rig is opened (``pip install
'vsafsm[memristor]'``). TCP is what the tests use; the other two differ only in what VISA makes of
the name, and have not been tried on hardware. What is said is in `vsafsm_memristor.rig.messages`.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from typing import Any, TypeVar

import numpy as np

from vsafsm_memristor.rig.checks import check_currents, check_programmed
from vsafsm_memristor.rig.errors import (
    BusyError,
    DisconnectedError,
    FaultError,
    NotSafeError,
    RefusedError,
    RigRefusedError,
    UnreachableError,
)
from vsafsm_memristor.rig.messages import as_object, exchange
from vsafsm_memristor.rig.protocol import (
    UNTOUCHED,
    Bools,
    Floats,
    Identity,
    Limits,
    ProgramReply,
    Status,
)
from vsafsm_memristor.rig.visa import VisaLine

Answer = TypeVar("Answer")
MOST_CELLS = 1 << 24
ACCESS = "VSAFSM_RIG_TOKEN"
"""Environment variable with the access token of rigs that want one."""


class ScpiRig:
    """A `Rig` at a VISA address, and an `Ownable` one. After a fault it is not trusted, and refuses
    commands, until `reopen`; then it has to be taken again.

    Parameters
    ----------
    address
        A VISA resource name.
    timeout_s
        How long any answer may take; that of a write as much longer as its pulses can take.
    library
        The VISA library: ``@py`` for PyVISA-py, or what `pyvisa.ResourceManager` takes.
    access
        The access token of a rig that wants one; None for that of the environment variable
        ``VSAFSM_RIG_TOKEN``.

    Raises
    ------
    UnreachableError
        If PyVISA or PyVISA-py is not installed, or nothing can be opened at the address.
    FaultError
        If what is there does not answer as a rig does.
    RefusedError
        If its limits make no sense.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = 2.0,
        library: str = "@py",
        access: str | None = None,
    ) -> None:
        self.address = address
        self._timeout_s, self._library = timeout_s, library
        self._access = os.environ.get(ACCESS) if access is None else access
        # replies to an earlier client are out of step too
        self._number = int.from_bytes(os.urandom(3), "big")
        self._key = secrets.token_hex(16)
        self._line: VisaLine | None = None
        self._why = ""
        self._in_flight = self._mine = False
        self._pulses_per_cell = 0
        self.reopen()

    def reopen(self) -> None:
        """Open the connection again, ask who is there, and trust it."""
        self.close()
        self._line, self._why = VisaLine(self.address, self._timeout_s, self._library), ""
        try:
            if self._access is not None:
                self._ask("RIG:AUTH", block=self._access.encode())
            self._identity = self._ask_identity()
        except BaseException as error:
            self.close()
            if isinstance(error, DisconnectedError):
                raise UnreachableError(f'no rig at "{self.address}": {error}') from None
            raise

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        line, self._line, self._why = self._line, None, "the connection is closed"
        self._mine = False
        if line is not None:
            line.close()

    # ---- the rig

    def identify(self) -> Identity:
        """Who it is: asked anew."""
        self._identity = self._ask_identity()
        return self._identity

    def program(self, tile: int, g_siemens: Floats) -> ProgramReply:
        """Write a tile. The time limit is longer by what its pulses can take."""
        asked = np.ascontiguousarray(g_siemens, dtype="<f8")
        cells = asked.size
        pulses = int((asked != UNTOUCHED).sum()) * self._pulses_per_cell
        block = self._ask(
            "RIG:PROG",
            tile,
            asked.tobytes(),
            length=13 * cells,
            longer_s=pulses * (self._identity.pulse_s or 0.0),
        )
        reply = ProgramReply(
            np.frombuffer(block, "<f8", cells).astype(np.float64).reshape(asked.shape),
            np.frombuffer(block, "u1", cells, 8 * cells).astype(np.bool_).reshape(asked.shape),
            np.frombuffer(block, "<u4", cells, 9 * cells).astype(np.int64).reshape(asked.shape),
        )
        return self._believed(
            lambda: check_programmed(self._identity, self._identity.limits, reply)
        )

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Read a tile."""
        volts = np.ascontiguousarray(v_volts, dtype="<f8").tobytes()
        block = self._ask("RIG:READ?", tile, volts, length=8 * self._identity.limits.columns)
        amperes = np.frombuffer(block, "<f8").astype(np.float64)
        return self._believed(
            lambda: check_currents(self._identity, self._identity.limits, amperes)
        )

    def safe(self) -> None:
        """Ground all lines; over a connection of its own where the present one cannot be trusted,
        or is in use. Raises `BusyError` where another owns the rig.
        """
        if self._line is not None and not self._why and not self._in_flight:
            try:
                self._ask("RIG:SAFE", block=self._key.encode(), length=4)
                return
            except BusyError:
                raise
            except FaultError:
                pass
        self._distrust("it had to be grounded in haste")
        if self._line is not None:
            self._line.close()
        try:
            with self._second() as ask:
                ask("RIG:SAFE", block=self._key.encode(), length=4)
        except BusyError:
            raise
        except (FaultError, UnreachableError) as error:
            raise NotSafeError(f'grounding of "{self.address}" is not confirmed: {error}') from None

    # ---- its owner

    def take(self, limits: Limits) -> None:
        """Own it within limits. Raises `BusyError` where another does, `RefusedError` where the rig
        does not keep others out, or keeps other limits.
        """
        asked = asdict(limits)
        said = self._opened({"key": self._key, "owner": _owner(), "limits": asked})
        if said.get("limits") != asked:
            self._distrust("it does not keep limits")
            raise RefusedError(
                f"the rig keeps {said.get('limits')} where {asked} was asked for; expected the same"
            )
        self._mine, self._pulses_per_cell = True, limits.pulses_per_cell
        if self.address.upper().endswith("::SOCKET"):
            self._check_others_are_kept_out()

    def release(self) -> None:
        """Own it no more; doing it twice does nothing."""
        if self._mine and not self._why:
            self._mine = False
            self._ask("RIG:CLOSE", length=6)

    def status(self) -> Status:
        """Who owns it."""
        return _status(self._ask("RIG:STAT?"))

    def beat(self) -> None:
        """A sign of life."""
        self._ask("RIG:BEAT", length=4)

    def _opened(self, asked: dict[str, Any]) -> dict[str, Any]:
        block = json.dumps(asked).encode()
        try:
            return as_object(self._ask("RIG:OPEN", block=block, keeps_trust=True))
        except RigRefusedError as error:
            if error.code != "COMMAND":
                raise
            raise RefusedError(
                f'the rig at "{self.address}" knows no sessions, so that another client can lift'
                f" its limits and feed its watchdog ({error}); expected RIG:OPEN"
            ) from None

    def _check_others_are_kept_out(self) -> None:
        """Look at the session from a second connection: a read of 0 V is refused there."""
        zeros = np.zeros(self._identity.limits.rows, "<f8").tobytes()
        with self._second() as ask:
            seen = _status(ask("RIG:STAT?"))
            kept_out = False
            with suppress(BusyError):
                try:
                    ask("RIG:READ?", block=zeros)
                except BusyError:
                    kept_out = True
                    raise
        if seen.owner is None or seen.mine or not kept_out:
            self._distrust("it does not keep others out")
            raise RefusedError(
                f'the rig at "{self.address}" was taken, and reads for a second connection all the'
                ' same; expected the reply "BUSY"'
            )

    @contextmanager
    def _second(self) -> Iterator[Callable[..., bytes]]:
        """Another connection for a moment."""
        line = VisaLine(self.address, self._timeout_s, self._library)

        def ask(name: str, **more: Any) -> bytes:
            self._number = (self._number + 1) & 0xFFFFFFFF
            return exchange(line, name, self._number, self._timeout_s, **more)

        try:
            if self._access is not None:
                ask("RIG:AUTH", block=self._access.encode())
            yield ask
        finally:
            line.close()

    # ---- asking

    def _ask_identity(self) -> Identity:
        said = as_object(self._ask("RIG:CAP?"))
        names = {each.name for each in fields(Limits)}
        missing = {"model", "serial", "watchdog_s", *names} - said.keys()
        if missing:
            raise FaultError(
                f"the rig does not say its {', '.join(sorted(missing))}; expected all of its limits"
            )
        limits = Limits(**{name: said[name] for name in names})
        if limits.tiles * limits.rows * limits.columns > MOST_CELLS:
            raise RefusedError(
                f"the rig says that it has {limits.tiles * limits.rows * limits.columns} cells;"
                f" expected at most {MOST_CELLS}"
            )
        usable = np.stack([self._usable(tile, limits) for tile in range(limits.tiles)])
        if not self._mine:
            self._pulses_per_cell = limits.pulses_per_cell
        return Identity(
            str(said["model"]),
            str(said["serial"]),
            limits,
            usable,
            _seconds("watchdog_s", said["watchdog_s"]),
            _seconds("pulse_s", said.get("pulse_s")),
        )

    def _usable(self, tile: int, limits: Limits) -> Bools:
        cells = limits.rows * limits.columns
        block = self._ask("RIG:USAB?", tile, length=(cells + 7) // 8)
        bits = np.unpackbits(np.frombuffer(block, np.uint8), count=cells)
        return bits.astype(np.bool_).reshape(limits.rows, limits.columns)

    def _ask(
        self,
        name: str,
        tile: int = 0,
        block: bytes = b"",
        length: int | None = None,
        longer_s: float = 0.0,
        keeps_trust: bool = False,
    ) -> bytes:
        if self._why or self._line is None:
            raise FaultError(
                f'the rig at "{self.address}" is not trusted: {self._why}; expected `reopen`'
            )
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._in_flight = True
        try:
            return exchange(
                self._line,
                name,
                self._number,
                self._timeout_s + longer_s,
                tile=tile,
                block=block,
                length=length,
            )
        except BusyError:  # a whole reply, in step
            raise
        except RigRefusedError as error:
            if not keeps_trust:
                self._distrust(f"{name} failed: {error}")
            raise
        except BaseException as error:  # an interrupted exchange leaves half a message behind
            self._distrust(f"{name} failed: {error}")
            raise
        finally:
            self._in_flight = False

    def _believed(self, check: Callable[[], Answer]) -> Answer:
        try:
            return check()
        except FaultError as error:
            self._distrust(str(error))
            raise

    def _distrust(self, why: str) -> None:
        self._why = self._why or why


def _status(block: bytes) -> Status:
    said = as_object(block)
    owner = said.get("owner")
    silent = said.get("silent_s") if owner is not None else 0.0
    if not isinstance(silent, (int, float)) or not isinstance(said.get("yours"), bool):
        raise FaultError(
            f"the rig says {block[:80]!r} of its owner; expected owner, yours, silent_s"
        )
    return Status(None if owner is None else str(owner), bool(said["yours"]), float(silent))


def _seconds(name: str, said: Any) -> float | None:
    if said is None:
        return None
    if not isinstance(said, (int, float)) or isinstance(said, bool):
        raise FaultError(f"the rig's {name} is {said!r}; expected seconds, or null")
    return float(said)


def _owner() -> str:
    """Who this is, for others to read."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "somebody"
    said = f"{user}@{socket.gethostname()}, process {os.getpid()}"
    return said.encode("ascii", "replace").decode()[:80]
