"""What the simulated rig refuses: the codes of its replies."""

from __future__ import annotations

CODES = {
    "FORMAT": "not a message",
    "TIMEOUT": "a message that was begun and did not go on",
    "CHECKSUM": "the checksum is another",
    "LENGTH": "a block that is longer than this command takes, or of another length",
    "COMMAND": "no such command",
    "TILE": "no such tile",
    "JSON": "the block is no JSON object of the documented form",
    "KEY": "a key that is not known, or one that is missing",
    "LIMITS": "limits that make no sense, or are wider than the rig's own",
    "RANGE": "a voltage, a conductance or a time out of range",
    "CURRENT": "a line would carry more than the limit of the session",
    "BUDGET": "no pulses are left",
    "AUTH": "RIG:AUTH first, with the access token",
    "BUSY": "owned by another client",
    "SESSION": "RIG:OPEN first",
    "WATCHDOG": "the watchdog has grounded the lines; RIG:SAFE first",
    "CUT": "cut short: the lines were grounded meanwhile",
    "INTERNAL": "a mistake of the rig itself; the lines are grounded",
}


class RefusalError(Exception):
    """It will not; the text is the reply, and begins with one of `CODES`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
