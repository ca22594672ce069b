"""vsafsm: compiles finite state machines to proven weights of attractor recurrent spiking networks.

>>> import vsafsm
>>> machine = vsafsm.load("specs/turnstile.yaml")  # doctest: +SKIP
>>> program = vsafsm.compile(machine)  # doctest: +SKIP
>>> with vsafsm.open(program) as session:  # doctest: +SKIP
...     session.send("coin")
'unlocked'
"""

from importlib.metadata import version as _version

from vsafsm.backend import Run
from vsafsm.compiler import compile_machine as compile  # noqa: A004 - the name that users expect
from vsafsm.discovery import backends
from vsafsm.errors import VsafsmError
from vsafsm.formats import load, save
from vsafsm.machine import Machine, Transition
from vsafsm.network import Network
from vsafsm.program import Program, load_program
from vsafsm.proof import Proof, prove
from vsafsm.running import open_session as open  # noqa: A004 - the name that users expect
from vsafsm.running import run_word as run

__version__ = _version("vsafsm")

__all__ = [
    "Machine",
    "Network",
    "Program",
    "Proof",
    "Run",
    "Transition",
    "VsafsmError",
    "backends",
    "compile",
    "load",
    "load_program",
    "open",
    "prove",
    "run",
    "save",
]
