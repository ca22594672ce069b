"""Memristor crossbars: conductance maps of a compiled network, device models, and the closed loop
on a rig.
"""
