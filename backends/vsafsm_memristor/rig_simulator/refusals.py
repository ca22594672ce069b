"""What the simulated rig refuses: the codes of its replies."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "FORMAT",
    "TIMEOUT",
    "CHECKSUM",
    "LENGTH",
    "COMMAND",
    "TILE",
    "JSON",
    "KEY",
    "LIMITS",
    "RANGE",
    "CURRENT",
    "BUDGET",
    "AUTH",
    "BUSY",
    "SESSION",
    "WATCHDOG",
    "CUT",
    "INTERNAL",
]
"""As the protocol has them; `rig/messages.py` says what each means."""


class RefusalError(Exception):
    """It will not; the text is the reply, and begins with its code."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{code} {text}")
