"""The Process of a session, and its model. Only these two modules: Lava runs every file beside a
Process.
"""
