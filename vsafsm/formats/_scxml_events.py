"""The events of an SCXML document: who gets those that it sends, which of them are inputs, and
which a transition takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal as OneOf
from typing import NamedTuple

from vsafsm.formats._xml import XmlElement
from vsafsm.statecharts.chart import DONE

STATES = ("state", "parallel", "final", "history")
EXECUTION, COMMUNICATION = "error.execution", "error.communication"
ERRORS = "error"
"""What the events of errors begin with."""
Receiver = OneOf["chart", "inside", "outside", "nobody", "wrong", "computed"]
"""Who gets a sent event: the chart, the chart before all that comes from outside, another machine;
a machine that there is not; nobody, as type or target are wrong; whom an expression tells."""

_OWN_TYPES = (
    *("scxml", "http://www.w3.org/TR/scxml", "http://www.w3.org/TR/scxml/"),
    "http://www.w3.org/TR/scxml/#SCXMLEventProcessor",
)
_HTTP_TYPES = ("basichttp", "http://www.w3.org/TR/scxml/#BasicHTTPEventProcessor")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TEXT = re.compile(r"\s*(?:'([^'\\]*)'|\"([^\"\\]*)\")\s*\Z")


class _Computed(NamedTuple):
    expression: str


_ORIGIN, _ITS_TYPE = _Computed("_event.origin"), _Computed("_event.origintype")


class Events:
    """Every event of a document.

    Attributes
    ----------
    inputs
        Those from outside.
    data
        The names of its data.
    """

    def __init__(self, root: XmlElement) -> None:
        self.inputs: tuple[str, ...] = ()
        self.data: set[str] = set()
        self._named: dict[str, None] = {}
        self._own: dict[str, None] = {}
        self._sent: set[str] = set()
        self._raised: set[str] = set()
        self._beginning: dict[str, list[str]] = {}
        self._replies: dict[int, Receiver] = {}
        elements = list(_walk(root))
        for element in elements:
            self._declare(element)
        for element in elements:
            self._gather(element)
        self._number()
        self._reply([each for each in elements if each.tag == "transition"])

    def taken(self, described: str) -> tuple[str, ...]:
        """The events that a transition with these descriptors takes."""
        found: dict[str, None] = {}
        for text in described.split():
            token = _token(text)
            events = self._beginning.get(token, []) if token else [*self._named, *self._own]
            found.update(dict.fromkeys(events))
        return tuple(found)

    def receiver(self, send: XmlElement) -> Receiver:
        """Who gets what a <send> sends."""
        return self._replies.get(id(send)) or _receiver(send)

    def heard(self, event: str) -> bool:
        """Whether some transition names the event, or what it begins with."""
        parts = event.split(".")
        beginnings = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        return any(each in self._named for each in beginnings)

    def unknown(self, names: str) -> str:
        """The first of some names of data that is not declared; or nothing."""
        return next((name for name in names.split() if name not in self.data), "")

    # ---- all events

    def _declare(self, element: XmlElement) -> None:
        if element.tag == "data":
            self.data.add(element.attributes.get("id", ""))
        elif element.tag == "transition":
            tokens = map(_token, element.attributes.get("event", "").split())
            self._named.update((token, None) for token in tokens if token)

    def _gather(self, element: XmlElement) -> None:
        event = element.attributes.get("event", "")
        if element.tag == "raise":
            self._raised.add(event)
            self._own[event] = None
        elif element.tag == "send":
            self._gather_sent(element, event)
        elif element.tag == "assign" and self.unknown(element.attributes.get("location", "")):
            if self.heard(EXECUTION):
                self._own[EXECUTION] = None
        elif element.tag in ("state", "parallel") and any(
            child.tag in STATES for child in element.children
        ):
            self._own[DONE + element.attributes.get("id", "")] = None

    def _gather_sent(self, send: XmlElement, event: str) -> None:
        receiver = _receiver(send)
        if receiver == "wrong" or self.unknown(send.attributes.get("namelist", "")):
            self._own[EXECUTION] = None
        elif receiver == "nobody":
            self._own[COMMUNICATION] = None
        elif receiver in ("chart", "inside"):
            (self._sent if receiver == "chart" else self._raised).add(event)
            self._own[event] = None

    def _number(self) -> None:
        self._beginning = {}
        for event in {**self._named, **self._own}:
            parts = event.split(".")
            for end in range(1, len(parts) + 1):
                self._beginning.setdefault(".".join(parts[:end]), []).append(event)
        own = {DONE[:-1]: DONE, DONE.partition(".")[0]: DONE, ERRORS: f"{ERRORS}."}
        self.inputs = tuple(
            event
            for event in self._named
            if event not in self._own
            and not (event in own and any(each.startswith(own[event]) for each in self._own))
        )

    # ---- replies

    def _reply(self, transitions: Iterable[XmlElement]) -> None:
        """Who gets what goes to the sender of the present event, where all the events of a
        transition come from the chart, or all from outside.
        """
        replies = [
            (transition, each)
            for transition in transitions
            for each in _walk(transition)
            if each.tag == "send" and _is_reply(each)
        ]
        first = [self._sender(transition) for transition, _ in replies]
        for (_, send), receiver in zip(replies, first, strict=True):
            if receiver == "chart":
                event = send.attributes.get("event", "")
                self._sent.add(event)
                self._own[event] = None
        self._number()
        for (transition, send), receiver in zip(replies, first, strict=True):
            same = self._sender(transition) == receiver  # as it is, unless replies are replied to
            self._replies[id(send)] = receiver if same else "computed"

    def _sender(self, transition: XmlElement) -> Receiver:
        events = {*self.taken(transition.attributes.get("event", ""))}
        if events and events <= self._sent - self._raised:
            return "chart"
        return "outside" if events and events <= {*self.inputs} else "computed"


def _walk(root: XmlElement) -> Iterator[XmlElement]:
    pending = [root]
    while pending:
        element = pending.pop()
        yield element
        pending += reversed(element.children)


def _token(described: str) -> str:
    """An event descriptor without a trailing ``.*``; empty for every event."""
    return "" if described == "*" else described.removesuffix(".*").removesuffix(".")


def _receiver(send: XmlElement) -> Receiver:
    kind, target = _given(send, "type"), _given(send, "target")
    if isinstance(kind, _Computed) or isinstance(target, _Computed):
        return "computed"
    if kind in _HTTP_TYPES and target is None:
        return "nobody"
    if kind is not None and kind not in _OWN_TYPES:
        return "outside" if kind in _HTTP_TYPES or _SCHEME.match(kind) else "wrong"
    if target is None:
        return "chart"
    if target == "#_internal":
        return "inside"
    if target == "#_parent" or _SCHEME.match(target):
        return "outside"
    return "nobody" if target.startswith("#_") else "wrong"


def _is_reply(send: XmlElement) -> bool:
    kind = _given(send, "type")
    own = kind is None or kind == _ITS_TYPE or kind in _OWN_TYPES
    return own and _given(send, "target") == _ORIGIN


def _given(send: XmlElement, name: str) -> str | _Computed | None:
    """What an attribute says, or the expression for it."""
    expression = send.attributes.get(f"{name}expr")
    if expression is None:
        return send.attributes.get(name)
    text = _TEXT.match(expression)
    return text[1] or text[2] or "" if text else _Computed(expression.strip())
