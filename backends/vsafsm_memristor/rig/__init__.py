"""Rigs: real crossbars behind a guard, and in the loop.

A lab fills in `protocol.Rig`; `guard.GuardedRig` wraps every rig and refuses what would harm it;
`conformance` says whether a rig does what it promises. ``vsafsm rig check ADDRESS`` asks a rig who
it is.
"""
