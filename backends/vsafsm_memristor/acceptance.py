"""Whether a network has the yield that is asked for: predicted, then drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.tolerance import Tolerated, decided
from vsafsm_memristor.crossbar.array import plan_array
from vsafsm_memristor.crossbar.parameters import ArraySettings
from vsafsm_memristor.crossbar.statistics import expected_crossbar
from vsafsm_memristor.deploy.trials import first_wrong
from vsafsm_memristor.deploy.yields import drawn

WALKS = 64
"""Arrays whose drives are drawn in a prediction."""
MOST_DRAWS = 3.0
"""Arrays after which a network is refused whose yield is neither above nor below the share, as a
multiple of those that suffice where all are correct.
"""


@dataclass(frozen=True)
class ArrayTrials:
    """An `vsafsm.acceptance.Acceptance` of simulated arrays: a network is accepted where their
    yield is at least a share.

    Arrays are others than those of `vsafsm yield` and of sessions with any seed.
    """

    settings: ArraySettings

    @property
    def share(self) -> float | None:
        """What is to be shown for the yield that is asked for: half as many wrong arrays as that
        allows. Of many networks that are tried one is chosen, and its draws speak too well for it.
        """
        asked = self.settings.share
        return None if asked is None else (1 + asked) / 2

    @property
    def remedy(self) -> str:
        """What would help where no network is accepted."""
        helpful = []
        if self.settings.share is not None:
            helpful += ["a lower yield", "calibration (trim or loop)"]
        if self.settings.most_tiles is not None:
            helpful.append("more tiles")
        elif self.settings.most_cores is not None:
            helpful.append("more cores")
        return ", or ".join([*helpful, "a smaller machine"])

    def room(self, neurons: int) -> str:
        """Tiles, and cores where those are limited."""
        return self.settings.room(neurons)

    def predicted(self, machine: Machine, network: Network) -> float:
        """The yield that the device's statistics let expect; 1 where arrays are calibrated, of
        which they tell nothing.
        """
        if self.settings.calibration != "none":
            return 1.0
        rng = np.random.default_rng([self.settings.device_seed, 2])
        plan = plan_array(network, self.settings)
        crossbar = expected_crossbar(plan, rng)
        correct = sum(
            first_wrong(machine, plan.network, lambda activity: crossbar.drive(activity, rng))
            is None
            for _ in range(WALKS)
        )
        return correct / WALKS

    def tried(
        self,
        machine: Machine,
        lowered: Lowered,
        network: Network,
        progress: Callable[[float], None],
    ) -> Tolerated:
        """Draw arrays until the interval of their yield lies above or below the share."""
        settings = self.settings
        plan = plan_array(network, settings)

        def correct_of(draws: Sequence[int]) -> int:
            generators = (np.random.default_rng([settings.device_seed, 1, t]) for t in draws)
            found = (drawn(machine, lowered, plan, rng) for rng in generators)
            return sum(each.wrong is None for each in found)

        what = f"arrays of {settings.model.name} after {settings.seconds:g} s"
        if settings.calibration != "none":
            what += f" and calibration {settings.calibration}"
        share = self.share or 0.0
        found = decided(correct_of, share, what, progress=progress, most_draws=MOST_DRAWS)
        return Tolerated(what, *found)
