"""A connection to a rig through PyVISA, which is imported when one is opened."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from vsafsm_memristor.rig.errors import DisconnectedError, NoAnswerError, UnreachableError

INSTALL = "pip install 'vsafsm[memristor]'"


class VisaLine:
    """A connection through VISA that sends and receives bytes, or raises a `FaultError`.

    PyVISA-py does not notice that the other side has closed until its time is up, so that its
    socket is looked at; VISA has no other way to it than the session of the library.
    """

    def __init__(self, address: str, timeout_s: float, library: str) -> None:
        self._visa = _visa()
        try:
            manager = self._visa.ResourceManager(library)
            self._resource: Any = manager.open_resource(
                address, open_timeout=max(1, int(1000 * timeout_s))
            )
            self._settle()
        except Exception as error:  # PyVISA-py raises plain exceptions here
            raise UnreachableError(
                f'cannot open "{address}": {error}; expected a VISA resource name of a rig that is'
                " switched on, such as TCPIP0::192.168.0.7::5025::SOCKET"
            ) from None
        self._timeout_s = 0.0

    def _settle(self) -> None:
        """Bytes as they are: no termination characters in the middle of a block."""
        resource, constants = self._resource, self._visa.constants
        resource.read_termination, resource.write_termination = None, ""
        if resource.interface_type == constants.InterfaceType.asrl:
            resource.end_input = constants.SerialTermination.none
        own = self._socket()
        if own is not None:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: bytes, timeout_s: float) -> None:
        """Send bytes. Raises `DisconnectedError`."""
        self._called(lambda: self._resource.write_raw(message), timeout_s)

    def receive(self, count: int, timeout_s: float) -> bytes:
        """So many bytes. Raises `NoAnswerError` or `DisconnectedError`."""
        got: bytes = self._called(
            lambda: self._resource.read_bytes(count, break_on_termchar=False), timeout_s
        )
        return got

    def wait(self, timeout_s: float) -> None:
        """Wait until a reply begins, where there is a socket to look at."""
        own = self._socket()
        if own is None:
            return
        try:
            ready = select.select([own], [], [], timeout_s)[0]
        except (OSError, ValueError) as error:
            raise DisconnectedError(
                f"the connection was lost ({error!r}); expected it to stay up"
            ) from None
        if not ready:
            raise NoAnswerError(f"no answer within {timeout_s:g} s; expected a reply")
        if self._hung_up():
            raise DisconnectedError("the rig has hung up; expected a reply")

    def close(self) -> None:
        """Let go of it."""
        with suppress(Exception):
            self._resource.close()

    def _called(self, call: Callable[[], Any], timeout_s: float) -> Any:
        try:
            if timeout_s != self._timeout_s:
                self._resource.timeout, self._timeout_s = max(1, int(1000 * timeout_s)), timeout_s
            return call()
        except self._visa.errors.VisaIOError as error:
            if (
                error.error_code == self._visa.constants.StatusCode.error_timeout
                and not self._hung_up()
            ):
                raise NoAnswerError(f"no answer within {timeout_s:g} s; expected a reply") from None
            raise DisconnectedError(
                f"the connection was lost ({error}); expected it to stay up"
            ) from None
        except Exception as error:  # what sockets, USB and serial ports raise
            raise DisconnectedError(
                f"the connection was lost ({error!r}); expected it to stay up"
            ) from None

    def _hung_up(self) -> bool:
        """Whether the other side has closed."""
        own = self._socket()
        if own is None:
            return False
        try:
            return bool(own.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def _socket(self) -> Any:
        """PyVISA-py's socket, or None where there is none."""
        own = getattr(self._session(), "interface", None)
        return own if isinstance(own, socket.socket) else None

    def _session(self) -> Any:
        """PyVISA-py's session; None where another library, or nobody, has the connection."""
        try:
            return getattr(self._resource.visalib, "sessions", {}).get(self._resource.session)
        except self._visa.errors.Error:
            return None


def _visa() -> Any:
    try:
        import pyvisa
        import pyvisa_py  # noqa: F401  # the library behind "@py"
    except ImportError as error:
        raise UnreachableError(
            f"a rig at a VISA address needs PyVISA and PyVISA-py, and {error.name} is missing;"
            f" expected: {INSTALL}"
        ) from None
    return pyvisa
