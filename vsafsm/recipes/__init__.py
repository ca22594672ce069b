"""Recipes: what to try next in fabrication, from settings that were tried and what was measured.

``plan`` has settings and the objective (a small YAML), ``table`` the trials (a CSV), ``values``
what each trial is worth, ``suggest`` the next settings (Optuna's Gaussian process), ``learnt`` a
process of our own for ``picture``.
"""
