"""A statechart that is run event by event, as `flatten` says that its machine runs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from vsafsm.errors import SpecError
from vsafsm.machine import Outputs
from vsafsm.statecharts.chart import Statechart
from vsafsm.statecharts.expressions import Value
from vsafsm.statecharts.semantics import Semantics
from vsafsm.trains import check_ticks, exact


class Interpreter:
    """Runs a chart from its start.

    Parameters
    ----------
    chart
        The chart.

    Attributes
    ----------
    initial_outputs
        What is put out on the way to the first configuration. The flat machine does not know it.

    Raises
    ------
    SpecError
        If the chart never comes to its first configuration.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from vsafsm.statecharts import Interpreter, State, Statechart, Transition
    >>> on = State("on", transitions=(Transition((), ("off",), after=Fraction(2)),))
    >>> off = State("off", transitions=(Transition(("press",), ("on",)),))
    >>> lamp = Interpreter(Statechart("lamp", (off, on)))
    >>> lamp.send("press"), lamp.configuration
    ((), ('on',))
    >>> lamp.wait(2), lamp.configuration
    ((), ('off',))
    """

    def __init__(self, chart: Statechart) -> None:
        self.chart = chart
        self.semantics = Semantics(chart)
        self.snapshot, outputs = self.semantics.start()
        self.initial_outputs: Outputs = tuple(dict.fromkeys(outputs))

    def send(self, event: str) -> Outputs:
        """Take an input; returns the Mealy outputs in the order in which they are put out, each
        once.

        Raises
        ------
        UnknownInputError
            If the chart has no such input.
        SpecError
            If the step never ends, or a variable leaves its range.
        """
        self.snapshot, outputs = self.semantics.step(self.snapshot, event)
        return tuple(dict.fromkeys(outputs))

    def wait(self, seconds: float | Fraction) -> Outputs:
        """Let time pass; returns what is put out meanwhile, in order.

        Raises
        ------
        SessionError
            If `seconds` is no finite number of at least 0, or more than a million ticks.
        SpecError
            If it is no multiple of the chart's period.
        """
        period, passed = self.chart.period, exact("the wait", seconds)
        if period is None:
            return ()
        if passed % period:
            raise SpecError(
                f"a wait is {float(passed):g} s; expected a multiple of the clock,"
                f" {float(period):g} s"
            )
        ticks = int(passed / period)
        check_ticks(seconds, ticks)
        return tuple(output for _ in range(ticks) for output in self.send(self.chart.tick))

    @property
    def configuration(self) -> tuple[str, ...]:
        """Ids of the active states in document order."""
        return self.semantics.active(self.snapshot)

    @property
    def leaves(self) -> tuple[str, ...]:
        """Ids of the innermost active states in document order: one for each region."""
        return self.semantics.leaves(self.snapshot)

    @property
    def outputs(self) -> Outputs:
        """Moore outputs of the configuration."""
        return self.semantics.outputs(self.snapshot)

    @property
    def data(self) -> Mapping[str, Value]:
        """The value of each variable."""
        values = zip(self.chart.data, self.snapshot.data, strict=True)
        return {each.name: value for each, value in values}

    @property
    def ended(self) -> bool:
        """Whether a final state at the top is active, which is never left."""
        return self.semantics.ended(self.snapshot)
