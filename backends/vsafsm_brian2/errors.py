"""Warnings of the Brian2 backend."""

from __future__ import annotations

from vsafsm.errors import VsafsmWarning


class ContractWarning(VsafsmWarning):
    """An input or a gap is shorter than the contract, under which every transition was measured
    correct.
    """
