"""Other simulators in place of parts of ours: aihwkit's noise models as a device, CrossSim's cores
as a crossbar.

Neither is needed, and neither is installed by an extra; each is imported when something is made of
it.
"""
