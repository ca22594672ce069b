"""Networks in modules, for machines too large for one matrix of weights.

Codes live in modules: dense weights inside each, sparse bound synapses between them, so that the
cost of a transition does not grow with the machine. ``network`` is what runs, ``refine`` makes the
weights of one module, ``builder`` those of all, ``proof`` walks every fixed point,
``session`` runs it input by input.
"""

from vsafsm.modules.builder import build
from vsafsm.modules.network import ModularNetwork
from vsafsm.modules.proof import prove
from vsafsm.modules.session import ModularSession

__all__ = ["ModularNetwork", "ModularSession", "build", "prove"]
