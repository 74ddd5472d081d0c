"""When two pieces of HTML say the same: Odoo rewrites what it is given.

Belongs here: HTML of notes and descriptions. Not here: other values (compare.values).
Plain text that became one paragraph has to keep its structure; of text that came with tags only the words are compared, since
Odoo cleans it (docs/routes/kartra_to_odoo.md, `comment`).
"""

from __future__ import annotations

from html.parser import HTMLParser

OURS = frozenset({"p", "br"})


class _Reader(HTMLParser):
    """Reads tags and text in order; quotes and entities no longer differ afterwards."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.parts.append(f"<{tag}>")
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag != "br":  # `<br/>` begins and ends
            self.parts.append(f"</{tag}>")
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
        self.words.append(data)


def is_same_markup(expected: str | None, actual: str | None) -> bool:
    """Return whether a reader would see the same."""
    if not expected or not actual:
        return not expected and not actual
    wanted, found = _read(expected), _read(actual)
    if wanted.tags <= OURS:
        return "".join(wanted.parts) == "".join(found.parts)
    return "".join(wanted.words).split() == "".join(found.words).split()


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader
