"""Sections as one HTML file that needs nothing else (no network, script or font), and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from modelzoo.common.report.figures import Figure, Section

MARKS = re.compile(r"([\\`*_\[\]<>|~#&$])")


def to_html(title: str, note: str, sections: Sequence[Section]) -> str:
    """The page; every text is escaped.

    Args:
        title: What the report is about.
        note: What must be read before any number; may be empty.
        sections: What follows.
    """
    room = files("modelzoo.common.report")
    page, css = (room.joinpath(name).read_text("utf-8") for name in ("report.html", "report.css"))
    body = _tag("p", note) + "\n".join(map(_section, sections))
    return Template(page).substitute(title=escape(title), css=css, body=body)


def to_markdown(title: str, note: str, sections: Sequence[Section]) -> str:
    """The text, with every figure as a table; what Markdown would take for marks is escaped.

    Args:
        title: What the report is about.
        note: What must be read before any number; may be empty.
        sections: What follows.
    """
    blocks = [f"# {_plain(title)}", _plain(note)]
    for section in sections:
        blocks += [section.title and f"## {_plain(section.title)}", _plain(section.note)]
        for figure in section.figures:
            drawn = " (drawn in report.html)" if figure.drawing else ""
            rows = [figure.header, ["---"] * len(figure.header), *figure.rows]
            lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
            blocks += [figure.title and f"**{_plain(figure.title)}**{drawn}", "\n".join(lines)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _plain(text: str) -> str:
    return MARKS.sub(r"\\\1", " ".join(text.split()))


def _tag(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else ""


def _section(section: Section) -> str:
    figures = "\n".join(map(_figure, section.figures))
    return f"<section>{_tag('h2', section.title)}{_tag('p', section.note)}\n<div>{figures}</div></section>\n"


def _figure(figure: Figure) -> str:
    if figure.drawing:
        return f"<figure>{_tag('figcaption', figure.title)}{figure.drawing}</figure>"
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in figure.header)
    rows = ["</td><td>".join(map(escape, row)).replace("</td>", "</th>", 1) for row in figure.rows]
    body = "".join(f'<tr><th scope="row">{row}</td></tr>\n' for row in rows)
    table = f"<table>{_tag('caption', figure.title)}<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" role="region" aria-label="{escape(figure.title)}" tabindex="0">{table}</div>'
