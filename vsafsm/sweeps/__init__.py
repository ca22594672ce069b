"""Sweeps: how many draws of noise a machine survives, over noise, size and other options, measured
and resumable.

``sweep`` does all of it in one call. ``plan`` says what is measured, ``trial`` measures one draw,
``run`` takes points and draws in order through one of the ``executors``, ``journal`` keeps every
draw on disk, ``rows`` sums them up with intervals and predictions, ``table`` writes and reads them,
``picture`` draws them.
"""
