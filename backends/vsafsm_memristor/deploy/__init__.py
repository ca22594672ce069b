"""Programs on rigs, yields of arrays, and the commands `rig` and `yield`."""
