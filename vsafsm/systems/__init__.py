"""Several machines at once: networks of their own that exchange outputs as inputs."""

from vsafsm.systems.folders import load_system, save_system
from vsafsm.systems.networks import networks_of
from vsafsm.systems.programs import SystemProgram, compile_system
from vsafsm.systems.regions import system_of
from vsafsm.systems.sessions import SystemSession
from vsafsm.systems.system import System, SystemTrace
from vsafsm.systems.waits import with_counters

__all__ = [
    "System",
    "SystemProgram",
    "SystemSession",
    "SystemTrace",
    "compile_system",
    "load_system",
    "networks_of",
    "save_system",
    "system_of",
    "with_counters",
]
