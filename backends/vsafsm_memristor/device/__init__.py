"""Models of devices, and of the lines of a tile. Knows no crossbar."""
