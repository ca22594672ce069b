"""What Loihi 2 can hold: widths of its integers, and the sizes of a core and a chip.

Integer formats are those of Lava's fixed-point models, which follow the chip. Sizes are from public
figures: Intel's Loihi 2 technology brief (2021), and the public estimator of lava-dl. Systems are
those of Intel's announcements: "Intel Advances Neuromorphic with Loihi 2, New Lava Software
Framework and New Partners" (newsroom, 30 September 2021) for Oheo Gulch and Kapoho Point, and
"Intel Builds World's Largest Neuromorphic System to Enable More Sustainable AI" (newsroom, 17 April
2024) for Hala Point.
"""

from __future__ import annotations

MANTISSA = 127
"""Largest magnitude of a weight's mantissa: a weight of mixed sign is twice as much, an even number
of 8 bits.
"""
MOST_EXPONENT = 7
"""Of a population of synapses, whose weights are shifted left by it."""
ACCUMULATOR = 2**15 - 1
"""Largest magnitude that the synaptic input of a neuron may add up to in a step."""
SHIFT = 6
"""Synaptic input and thresholds are shifted left by this against currents and membranes."""
STATE = 2**23 - 1
"""Largest magnitude of a current u and a membrane v: 24 bits, signed."""
DECAY_SHIFT, DECAY = 12, 2**12 - 1
"""A decay du or dv of 12 bits; the largest leaves nothing of u, and 1/4096 of v."""
BIAS, BIAS_EXPONENT = 2**12 - 1, 7
"""Largest magnitude of a bias' mantissa, and its largest exponent."""

CORES_PER_CHIP = 128
NEURONS_PER_CORE = 4096
WORDS_PER_CORE = 2**14
"""64-bit words of synaptic memory a core."""
BOARDS = (("Oheo Gulch", 1), ("Kapoho Point", 8))
"""Boards, with their chips, smallest first. Kapoho Points can be stacked."""
MOST_CHIPS = 1152
"""Chips of the largest system there is, Hala Point."""
SOURCE = (
    "estimate from public figures: Intel's Loihi 2 technology brief (128 cores a chip), the"
    " estimator of lava-dl (4096 neurons and 2^14 64-bit words a core, 10 % on top of the weights)"
    " and Intel's newsroom (boards); a weight is taken to have the program's bits, and a sparse"
    " synapse 10 more for its target"
)
