"""A compiled machine inside a Brian2 model of your own: your neurons drive it, and yours read its
states.
"""

from brian2 import (
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    ms,
    prefs,
)

import vsafsm
from vsafsm_brian2 import Brian2FSM

prefs.codegen.target = "numpy"
defaultclock.dt = 0.5 * ms  # the machine's own step
program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), target="brian2")
fsm = Brian2FSM(program)

# Your side: three cells that fire every 2 ms, at the start, while a coin falls, and while somebody
# pushes.
bouts = {"(reset)": [(0, 60)], "coin": [(200, 280)], "push": [(400, 480)]}
names = list(bouts)
spikes = [
    (n, t)
    for n, name in enumerate(names)
    for begin, end in bouts[name]
    for t in range(begin, end, 2)
]
mine = SpikeGeneratorGroup(len(names), [n for n, _ in spikes], [t for _, t in spikes] * ms)
drive = Synapses(mine, fsm.lines, on_pre="drive_post += 5")
drive.connect(i=range(len(names)), j=[fsm.line(name) for name in names])

# One reader a state: it fires while enough of the state's cells do.
readers = NeuronGroup(
    2, "dv/dt = -v/(20*ms) : 1", threshold="v > 0.8", reset="v = 0", method="exact"
)
read = Synapses(fsm.cells, readers, "w : 1", on_pre="v_post += w")
for n, state in enumerate(program.machine.states):
    cells = fsm.code(state)
    read.connect(i=cells, j=[n] * len(cells))
read.w = 2 / program.network.active

seen = SpikeMonitor(readers)
Network(*fsm.objects, mine, drive, readers, read, seen).run(600 * ms)
for now in (190, 390, 590):
    recent = seen.i[(seen.t > (now - 60) * ms) & (seen.t <= now * ms)]
    count = [int((recent == n).sum()) for n in range(2)]
    print(
        f"at {now} ms the reader that fires is that of"
        f" {program.machine.states[count.index(max(count))]}"
    )
