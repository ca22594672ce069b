"""What a check finds: rules, and whether they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One rule and whether it is kept.

    Attributes
    ----------
    rule
        What is promised.
    kept
        Whether it is kept; None where it could not be looked at.
    detail
        What was found.
    """

    rule: str
    kept: bool | None
    detail: str


def passed(findings: Sequence[Finding]) -> bool:
    """Whether no rule is broken."""
    return all(finding.kept is not False for finding in findings)
