"""A state machine as a Lava Process, and its models. Only these two modules: Lava runs every file
beside a Process.
"""
