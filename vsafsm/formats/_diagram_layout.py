"""Which state of a diagram lies in which region: where ``state`` declares it, or else where it is
named first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vsafsm.errors import BadNameError, Location, SyntaxSpecError, TooLargeError
from vsafsm.formats._diagram_labels import Told
from vsafsm.formats._diagram_parts import (
    Arrow,
    Closed,
    Declared,
    Described,
    Divided,
    Piece,
    Statement,
)
from vsafsm.formats._flat_charts import chart_name
from vsafsm.formats._regions import Tree
from vsafsm.statecharts import Assign, Output, Transition
from vsafsm.statecharts.checks import MAX_DEPTH


@dataclass(eq=False)
class Region:
    """What is between braces, or between two ``--`` there.

    Attributes
    ----------
    owner
        The state around; "" at the top.
    id, number
        Those of the state that it becomes, where there are several.
    start, told
        The arrow from ``[*]``, and what is done there.
    ends
        Whether some arrow leads to ``[*]``, or some state is an end.
    final
        The id of what ``[*]`` stands for as a target; "" where no arrow leads there.
    """

    owner: str
    place: Location
    id: str = ""
    number: str = ""
    nodes: list[Node] = field(default_factory=list)
    start: Arrow | None = None
    told: Told = ()
    ends: bool = False
    final: str = ""

    @property
    def states(self) -> list[str]:
        """Ids of what can be active in it."""
        return [each.id for each in self.nodes if each.kind in ("state", "choice", "end")]

    @property
    def bare(self) -> bool:
        """Whether it does not tell where it starts."""
        return self.start is None and len(self.states) != 1


@dataclass(eq=False)
class Node:
    """A state, or what is drawn like one.

    Attributes
    ----------
    declared, opened
        Whether ``state`` names it, and with a brace.
    kind, text, described
        What it is, what it is called, and its descriptions.
    regions
        Those inside.
    made, otherwise
        Transitions that leave it, and those with the guard ``else``.
    entry, exit, outputs
        What is done when it is entered and left, and put out while it is active.
    """

    id: str
    place: Location
    region: Region
    declared: bool = False
    opened: bool = False
    kind: str = "state"
    text: Piece | None = None
    described: list[Piece] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    made: list[Transition] = field(default_factory=list)
    otherwise: list[Transition] = field(default_factory=list)
    entry: list[Assign | Output] = field(default_factory=list)
    exit: list[Assign | Output] = field(default_factory=list)
    outputs: dict[str, None] = field(default_factory=dict)

    @property
    def compound(self) -> bool:
        """Whether there is anything inside."""
        return any(region.nodes or region.ends for region in self.regions)


class Layout:
    """States, regions and arrows of a diagram.

    Parameters
    ----------
    statements
        What its lines say.
    source
        The name of the text.

    Attributes
    ----------
    nodes
        States by id, in the order of declarations.
    tops, regions
        Regions at the top, and all.
    by_id
        Regions by the id of what they become.
    top
        The id of the state around the regions at the top, where there are several.
    arrows
        Each with its region.
    tree
        What is around what.

    Raises
    ------
    SpecError
        One of its subclasses, with the place, for braces and declarations that do not fit.
    """

    def __init__(self, statements: Iterable[Statement], source: str) -> None:
        self.place = Location(source)
        self.nodes: dict[str, Node] = {}
        self.tops = [Region("", self.place)]
        self.regions = [*self.tops]
        self.arrows: list[tuple[Region, Arrow]] = []
        self.title = ""
        self.gather(statements)
        self.name = chart_name(self.title, source)
        for node in self.nodes.values():
            node.region.nodes.append(node)
        self.taken = set(self.nodes)
        self.top = self.free(self.name) if len(self.tops) > 1 else ""
        self.number_regions()
        self.by_id = {region.id: region for region in self.regions}
        self.tree = self.parents()

    def gather(self, statements: Iterable[Statement]) -> None:
        open_ = [(self.tops[0], self.tops, self.place)]
        for each in statements:
            region, beside, _ = open_[-1]
            if isinstance(each, Declared):
                node = self.declare(each, region)
                if each.opens:
                    if len(open_) >= MAX_DEPTH:
                        raise TooLargeError(
                            f"states are nested deeper than {MAX_DEPTH} levels", each.place
                        )
                    node.regions.append(Region(node.id, each.place))
                    self.regions += node.regions
                    open_.append((node.regions[0], node.regions, each.place))
            elif isinstance(each, Closed):
                if len(open_) == 1:
                    raise SyntaxSpecError('"}" closes nothing; expected none', each.place)
                open_.pop()
            elif isinstance(each, Divided):
                made = Region(region.owner, each.place)
                beside.append(made)
                self.regions.append(made)
                open_[-1] = (made, beside, open_[-1][2])
            elif isinstance(each, Arrow):
                for end in (each.source, each.target):
                    if end.name:
                        self.named(end.name, end.place, region)
                self.arrows.append((region, each))
            elif isinstance(each, Described):
                self.named(each.state.name, each.state.place, region).described.append(each.text)
            else:
                self.title = each.text
        if len(open_) > 1:
            raise SyntaxSpecError('"{" is not closed; expected "}"', open_[-1][2])

    def named(self, name: str, place: Location, region: Region) -> Node:
        return self.nodes.setdefault(name, Node(name, place, region))

    def declare(self, each: Declared, region: Region) -> Node:
        node = self.named(each.id, each.place, region)
        if node.declared and (node.region is not region or (node.opened and each.opens)):
            raise BadNameError(
                f'state "{node.id[:80]}" is declared twice (first in line {node.place.line})',
                each.place,
            )
        if not node.declared:
            node.declared, node.region, node.place = True, region, each.place
            self.nodes[node.id] = self.nodes.pop(node.id)  # in the order of declarations
        node.opened = node.opened or each.opens
        node.text = each.text or node.text
        node.kind = each.kind if each.kind != "state" else node.kind
        return node

    def free(self, name: str) -> str:
        """An id like `name` that no state has."""
        while name in self.taken:
            name += "'"
        self.taken.add(name)
        return name

    def number_regions(self) -> None:
        beside = [self.tops, *(node.regions for node in self.nodes.values())]
        for regions in beside:
            for number, region in enumerate(regions, 1):
                if len(regions) == 1:
                    region.id = region.owner
                    continue
                if not region.nodes:
                    raise SyntaxSpecError(
                        'a region beside "--" has no states; expected some', region.place
                    )
                region.number = str(number)
                region.id = self.free(f"{region.owner or self.top}.{number}")
        for node in self.nodes.values():
            if node.kind != "state" and node.regions:
                raise SyntaxSpecError(
                    f'the {node.kind} "{node.id[:80]}" has states inside; expected none', node.place
                )
            if node.kind == "end":
                node.region.ends = True

    def parents(self) -> Tree:
        parents = {node.id: node.region.id for node in self.nodes.values()}
        parallel = []
        for region in self.regions:
            owner = region.owner or self.top
            if region.id != owner:
                parents[region.id] = owner
                parallel.append(owner)
        if self.top:
            parents[self.top] = ""
        return Tree(parents, parallel)
