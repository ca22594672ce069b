"""Pytest plugin of vsafsm: ``--vsafsm-trials`` and the fixture ``vsafsm_trials``.

Pytest imports it whenever it starts, so it stands apart from vsafsm and imports nothing that pytest
has not.
"""

from __future__ import annotations

import argparse

import pytest


def _trials(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} trials; expected a whole number of at least 1")
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    told = (
        "trials of each vsafsm.testing.assert_robust that gives no number itself (100 by default)"
    )
    parser.getgroup("vsafsm").addoption("--vsafsm-trials", type=_trials, metavar="N", help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Hand the number over in the environment, where processes that tests start find it too."""
    if (trials := config.getoption("--vsafsm-trials")) is not None:
        patch = pytest.MonkeyPatch()
        patch.setenv("VSAFSM_TRIALS", str(trials))
        config.add_cleanup(patch.undo)


@pytest.fixture(scope="session")
def vsafsm_trials() -> int:
    """Trials of an ``assert_robust`` that gives no number itself."""
    from vsafsm.testing import default_trials

    return default_trials()
