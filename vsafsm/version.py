"""The version of the package, for those rooms that need no more of it."""

from importlib.metadata import version

__version__ = version("vsafsm")
