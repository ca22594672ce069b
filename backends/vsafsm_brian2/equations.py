"""The model, as Brian2 reads it: the one place where it is written. The emitted script holds the
same text.

A spike of cell j jumps the synaptic current of cell i by ``W[i, j]`` LSBs; a step is ``2 J
/ (k scale)``. The inhibitory pool is one graded unit that sums all spikes through the same synapses
and takes its share from every cell. A
*line* stands for a bundle of axons that fires at some 1 kHz in all (at the default time step): the
rest line is tonically active and any input line silences it; each shunts the cells that its mask
closes, with a reversal a little below rest, so that no cell is charged or driven into debt.
"""

CELLS = """
dv/dt = (g_L*(E_L - v) + g_mask*(E_mask - v) + I)/C_m : volt (unless refractory)
I = I_syn - w_inh*P + I_bias + I_reset{noise} : amp
dI_syn/dt = -I_syn/tau_syn : amp
dI_reset/dt = -I_reset/tau_mask : amp
dg_mask/dt = -g_mask/tau_mask : siemens
P : 1 (linked)
"""
CONDUCTANCE_CELLS = """
dv/dt = (g_L*(E_L - v) + g_mask*(E_mask - v) + I)/C_m : volt (unless refractory)
I = I_syn + I_bias + I_reset{noise} : amp
I_syn = g_exc*(E_exc - v) + g_inh*(E_inh - v) : amp
g_exc = I_exc/(E_exc - V_ref) : siemens
g_inh = (I_inh + w_inh*P)/(V_ref - E_inh) : siemens
dI_exc/dt = -I_exc/tau_syn : amp
dI_inh/dt = -I_inh/tau_syn : amp
dI_reset/dt = -I_reset/tau_mask : amp
dg_mask/dt = -g_mask/tau_mask : siemens
P : 1 (linked)
"""
"""Synapses that open conductances. At ``V_ref`` they pass the currents that `CELLS` has at every
voltage.
"""
INHIBITORY = """
dv/dt = (g_L*(V_th_inh - v) + I_in)/C_inh : volt (unless refractory)
dI_in/dt = -I_in/tau_in : amp
"""
"""Cells of the spiking pool. A tonic current holds each at its threshold, so that it counts what
arrives.
"""
PARTNERS = "due : 1"
"""An inhibitory partner of each cell: it fires one step after the cell."""
POOL = """
dP/dt = -P/tau_syn : 1
"""
LINES = """
dv/dt = (drive + tonic - off - v)/tau_line : 1 (unless refractory)
ddrive/dt = -drive/tau_drive : 1
doff/dt = -off/tau_line : 1
tonic : 1
"""
NOISE = "I_noise : amp"
NOISE_STEP = (
    "I_noise = I_noise*exp(-dt/tau_noise) + sigma_noise*sqrt(1 - exp(-2*dt/tau_noise))*randn()"
)

ON_RECURRENT = "I_syn_post += w"
ON_EXCITATORY = {"current": "I_syn_post += w", "conductance": "I_exc_post += w"}
ON_INHIBITORY = {"current": "I_syn_post -= w", "conductance": "I_inh_post += w"}
ON_PARTNER = "due_post = 1"
ON_POOL = "P_post += 1"
ON_POOL_BY_CELLS = "P_post += share"
ON_CELLS_OF_POOL = "I_in_post += w_in"
ON_MASK = "g_mask_post += g_jump"
ON_RESET = "I_reset_post += I_jump"
ON_SILENCE = "off_post = 30"
ON_INPUT = "drive_post += 5"

CONSTANTS = (
    ("g_L", 10.0, "nS", "leak; rheobase g_L*(V_th - E_L) is 150 pA"),
    ("E_L", -65.0, "mV", "rest, and where a spike resets to"),
    ("V_th", -50.0, "mV", "threshold"),
    ("E_mask", -69.5, "mV", "reversal of the shunting masks, a little below rest"),
    ("g_jump", 800.0, "nS", "mask conductance of a line's spike; some 1.4 uS while it is on"),
    ("I_jump", 1000.0, "pA", "current of a reset line's spike into the start code's cells"),
    ("tau_mask", 1.5, "ms", "of mask conductances and reset currents"),
    ("tau_line", 1.0, "ms", "of the lines"),
    ("tau_drive", 2.0, "ms", "of what drives a line"),
    ("t_line", 1.0, "ms", "refractory time of the lines"),
)
"""Name, value, unit and meaning of what is fixed; what `Parameters` holds is not among them."""

FURTHER = (
    ("E_exc", 0.0, "mV", "reversal of excitatory conductances"),
    ("E_inh", -80.0, "mV", "reversal of inhibitory conductances"),
    ("V_ref", -52.0, "mV", "where conductances pass the currents of current synapses"),
    ("V_th_inh", -50.0, "mV", "threshold of the spiking pool's cells"),
    ("tau_in", 2.0, "ms", "of their synapses"),
    ("t_inh", 1.0, "ms", "their refractory time"),
)
"""The same, for what options ask for."""
INHIBITORY_TAU_MS = 20.0
"""Membrane time constant of the spiking pool's cells."""
SPIKES_PER_SPIKE = 0.05
"""Spikes of a cell of the spiking pool for each spike that reaches it."""
SHARE_TO_INHIBITORY = 0.5
"""Of the cells, that reach a cell of the spiking pool; drawn, so that its cells do not fire
together.
"""

RESET_MS = 60.0
"""How long the reset line is driven."""
INPUT_PERIOD_MS = 2.0
"""A driven line gets a spike every 2 ms."""
WINDOW_MS, ACTIVE_SHARE = 60.0, 0.35
"""A cell is active if its spikes in this window are at least this share of those of the most active
cells.
"""
NOISE_TAU_MS = 5.0
