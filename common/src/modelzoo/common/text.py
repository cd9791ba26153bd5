"""Names that others have given, as text that a terminal can be shown."""

from __future__ import annotations

import unicodedata

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of what is not seen but acts: control characters, marks of direction, line ends; and no UTF-8."""


def printable(text: str, length: int | None = None) -> str:
    r"""A text with escapes for what a terminal would obey instead of showing it.

    >>> printable("a\x1b[2J.jpg"), printable("photograph", 5)
    ('a\\x1b[2J.jpg', 'photo…')

    Args:
        text: A file name, or a message that holds one.
        length: Where the text is cut; None for nowhere.
    """
    shown = text if length is None or len(text) <= length else text[:length] + "…"
    return "".join(
        _escaped(character) if unicodedata.category(character) in UNSEEN else character for character in shown
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
