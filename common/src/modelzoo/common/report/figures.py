"""What a report shows: every figure is a table of texts, and some of them are drawn as well."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Figure:
    """A table, and how it is drawn where something can be drawn.

    Args:
        title: What it shows; may be empty.
        header: One name per column.
        rows: One text per column each; the first names the row, the others are mostly numbers.
        drawing: HTML that is shown instead of the table, with all its texts escaped: what `facts`, `picture_rows` and
            the functions of `charts` make. Other text does not belong here.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    drawing: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        title: Its heading; may be empty.
        figures: What it shows.
        note: What has to be known to read it.
    """

    title: str
    figures: Sequence[Figure]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A small picture.

    Args:
        data: The bytes of a JPEG or PNG file.
        alt: What it shows, for those who do not see it.
        caption: A word or two below it.
        mark: ✓ for a right answer, ✗ for a wrong one, empty for what is no answer.
    """

    data: bytes
    alt: str
    caption: str
    mark: str = ""


def facts(items: Sequence[tuple[str, str]]) -> Figure:
    """Single values or sentences, each below its name.

    Args:
        items: Name and text of each.
    """
    parts = [f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in items]
    return Figure("", ("", "value"), items, f"<dl>{''.join(parts)}</dl>")


def picture_rows(title: str, rows: Sequence[tuple[str, Sequence[Picture]]]) -> Figure:
    """Rows of pictures.

    Args:
        title: What they show.
        rows: Caption and pictures of each; the first picture is often the question and the others the answers.
    """
    words = [(name, " · ".join(f"{one.mark} {one.caption}".strip() for one in pictures)) for name, pictures in rows]
    parts = [f"<h3>{escape(name)}</h3><ul>{''.join(map(_item, pictures))}</ul>" for name, pictures in rows]
    return Figure(title, ("", "pictures"), words, "".join(parts))


def _item(picture: Picture) -> str:
    kind, data = "png" if picture.data.startswith(b"\x89PNG") else "jpeg", b64encode(picture.data).decode()
    alt, caption, mark = map(escape, (picture.alt, picture.caption, picture.mark))
    image = f'<img src="data:image/{kind};base64,{data}" alt="{alt}" title="{alt}">'
    return f'<li data-mark="{mark}">{image}<b>{mark}</b><span>{caption}</span></li>'
