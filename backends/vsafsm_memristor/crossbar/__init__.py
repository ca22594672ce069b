"""Weights on tiles of devices: layout, simulated arrays, calibration. Knows no rig."""
