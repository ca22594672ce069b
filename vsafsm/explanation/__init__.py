"""Why a transition is weak, and what would help.

``weakest`` orders transitions by margin, ``shortfalls`` judges those of a network that is not
proven, ``terms`` takes a drive apart into the terms that the weights are built from, ``remedies``
compiles anew with other options.
"""
