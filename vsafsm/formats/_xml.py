"""XML as a tree of elements with their places.

Entities stand only for what XML itself declares: a document type is refused before anything in it
is read, and with it every entity of its own, external ones too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from vsafsm.errors import Location, SyntaxSpecError, TooLargeError

MAX_DEPTH = 64
MAX_ELEMENTS = 4_000_000


@dataclass(slots=True)
class XmlElement:
    """An element with its attributes, its children, and the pieces of text between them."""

    tag: str
    attributes: dict[str, str]
    location: Location
    children: list[XmlElement] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in it, blanks and all, without that of its children."""
        return "".join(self.texts)

    def describe(self) -> str:
        """For messages."""
        return f"<{self.tag}>"


def parse_xml(text: str, source: str, namespace: str, root: str) -> XmlElement:
    """The root of `text`.

    Elements of another namespace than `namespace` or none are left out: an editor's notes.

    Raises
    ------
    SyntaxSpecError
        If the text is no XML, has a document type, or its root is not called `root`.
    TooLargeError
        If there are more than `MAX_ELEMENTS` elements, or they are nested deeper than
        `MAX_DEPTH`.
    """
    found = _XmlParser(text, source, namespace).parse()
    if found is None:
        raise SyntaxSpecError(
            f"the root is of another namespace; expected <{root}>", Location(source, 1, 1)
        )
    if found.tag != root:
        raise SyntaxSpecError(f"the root is {found.describe()}; expected <{root}>", found.location)
    return found


class _XmlParser:
    def __init__(self, text: str, source: str, namespace: str) -> None:
        self.text, self.source, self.namespace = text, source, namespace
        self.expat = expat.ParserCreate("utf-8", " ")  # whatever the XML declaration says
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.CharacterDataHandler = self.characters
        self.expat.StartDoctypeDeclHandler = self.doctype
        self.open: list[XmlElement] = []
        self.foreign = self.elements = 0
        self.root: XmlElement | None = None

    def parse(self) -> XmlElement | None:
        try:
            self.expat.Parse(self.text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            place = Location(self.source, error.lineno, error.offset + 1)
            raise SyntaxSpecError(
                f"this is not XML: {expat.ErrorString(error.code)}", place
            ) from None
        return self.root

    def place(self) -> Location:
        return Location(
            self.source, self.expat.CurrentLineNumber, self.expat.CurrentColumnNumber + 1
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self.foreign or namespace not in ("", self.namespace):
            self.foreign += 1
            return
        if len(self.open) >= MAX_DEPTH:
            raise TooLargeError(f"elements are nested deeper than {MAX_DEPTH} levels", self.place())
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise TooLargeError(f"there are more than {MAX_ELEMENTS} elements", self.place())
        element = XmlElement(tag, attributes, self.place())
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _: str) -> None:
        if self.foreign:
            self.foreign -= 1
        else:
            self.open.pop()

    def characters(self, text: str) -> None:
        if self.open and not self.foreign:
            self.open[-1].texts.append(text)

    def doctype(self, *_: object) -> None:
        raise SyntaxSpecError("a document type can stand for anything; expected none", self.place())
