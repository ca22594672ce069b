"""Exit codes of the command line."""

OK = 0
"""Done, and correct."""
WRONG = 1
"""Not correct, or not proven."""
BAD = 2
"""Bad input or usage."""
INTERRUPTED = 130
"""Interrupted with Ctrl-C."""
