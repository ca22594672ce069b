"""Errors of what is true of the chip, each a mistake of its own."""

from __future__ import annotations

from vsafsm.errors import BackendError


class LimitError(BackendError):
    """A network that does not fit into the chip's integers, or onto the chips."""


class LeakyError(BackendError):
    """A proof is asked for of leaky neurons, which have none."""


class UnsettledError(BackendError):
    """A network that does not come to rest, whose activities can therefore not be bounded."""
