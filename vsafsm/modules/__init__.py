"""Networks in modules, for machines too large for one matrix of weights.

Codes live in modules: dense weights inside each, sparse bound synapses between them, so that the
cost of a transition does not grow with the machine. ``codebook`` draws the codes of a module,
``refine`` makes its weights, ``builder`` the network of all.
"""

from vsafsm.modules.builder import build

__all__ = ["build"]
