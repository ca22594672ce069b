"""Senses: a small classifier turns frames (images, sound, sensor readings) into a machine's inputs.

Reaches crossbars through the protocol `vsafsm.sense.model.Products`, and imports no backend.
"""
