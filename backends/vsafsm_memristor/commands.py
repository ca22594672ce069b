"""The commands that the memristor backend adds. ``vsafsm --help`` imports this file, so that it
imports no other of this package until a command is called.
"""

from __future__ import annotations

from vsafsm.cli.plugins import Command, CommandFile


def _rig() -> CommandFile:
    from vsafsm_memristor.deploy import rig_command

    return rig_command


def _yield() -> CommandFile:
    from vsafsm_memristor.deploy import yield_command

    return yield_command


RIG = Command("rig", "check a rig, write a program to it, run a word on it", _rig)
YIELD = Command(
    "yield", "measure how many simulated memristor arrays run a machine correctly", _yield
)
