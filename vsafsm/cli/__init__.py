"""The command line: parses, calls, prints.

One file per command. Beside them: ``entry`` (`main`, exit codes), ``table`` (the commands of
vsafsm), ``plugins`` (those of other packages), ``arguments`` (flags that several commands share),
``sources`` (from files to machines and programs), ``terminal`` (what is printed).
"""

from vsafsm.cli.entry import main

__all__ = ["main"]
