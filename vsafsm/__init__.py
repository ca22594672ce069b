"""vsafsm: compiles finite state machines to proven weights of attractor recurrent spiking networks.

>>> import vsafsm
>>> machine = vsafsm.load("specs/turnstile.yaml")
>>> program = vsafsm.compile(machine)
>>> with vsafsm.open(program) as session:
...     session.send("coin")
'unlocked'
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from vsafsm.version import __version__

if TYPE_CHECKING:
    from vsafsm.any_order import OrderProof, prove_any_order
    from vsafsm.backend import Run
    from vsafsm.compiler import compile_machine as compile  # noqa: A004 - the name users expect
    from vsafsm.discovery import backends
    from vsafsm.errors import VsafsmError
    from vsafsm.explanation.explain import explain
    from vsafsm.formats import load, load_chart, save
    from vsafsm.machine import Machine, Transition
    from vsafsm.network import Network
    from vsafsm.plotting.graph import draw
    from vsafsm.plotting.kinds import plot
    from vsafsm.program import Program, load_program
    from vsafsm.proof import Proof, prove
    from vsafsm.running import open_session as open  # noqa: A004 - the name users expect
    from vsafsm.running import run_word as run
    from vsafsm.sweeps.sweep import sweep

__all__ = [
    "Machine",
    "Network",
    "OrderProof",
    "Program",
    "Proof",
    "Run",
    "Transition",
    "VsafsmError",
    "__version__",
    "backends",
    "compile",
    "draw",
    "explain",
    "load",
    "load_chart",
    "load_program",
    "open",
    "plot",
    "prove",
    "prove_any_order",
    "run",
    "save",
    "sweep",
]

# Names are imported when they are used: `vsafsm --help` needs none of them, and NumPy takes longer
# to import than everything else there.
_HOMES = {
    "Machine": "machine.Machine",
    "Network": "network.Network",
    "OrderProof": "any_order.OrderProof",
    "Program": "program.Program",
    "Proof": "proof.Proof",
    "Run": "backend.Run",
    "Transition": "machine.Transition",
    "VsafsmError": "errors.VsafsmError",
    "backends": "discovery.backends",
    "compile": "compiler.compile_machine",
    "draw": "plotting.graph.draw",
    "explain": "explanation.explain.explain",
    "load": "formats.load",
    "load_chart": "formats.load_chart",
    "load_program": "program.load_program",
    "open": "running.open_session",
    "plot": "plotting.kinds.plot",
    "prove": "proof.prove",
    "prove_any_order": "any_order.prove_any_order",
    "run": "running.run_word",
    "save": "formats.save",
    "sweep": "sweeps.sweep.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vsafsm' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].rpartition(".")
    value = getattr(_import_module(f"vsafsm.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
