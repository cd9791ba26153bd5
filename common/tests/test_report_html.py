"""The pages of a report: well-formed, alone in the world, safe with any name, and with the right numbers."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.errors import WriteError
from modelzoo.common.report import Report, environment, write_report
from modelzoo.common.report.charts import bar_chart, histogram, histograms, line_chart
from modelzoo.common.report.figures import Figure, Picture, Section, facts, picture_rows
from modelzoo.common.report.pages import to_html, to_markdown
from modelzoo.common.stream import StreamStats
from modelzoo.common.work import Skipped

HOSTILE = "</title><script>alert('x')</script>\"' onload=\"y & | `z` _*[a](http://b.c/d)\n# e $css.jpg"
VOID = {"meta", "img", "line", "rect", "polyline", "polygon"}
PNG = b"\x89PNG\r\n\x1a\n"
STATS = StreamStats(
    samples=40,
    skipped=[Skipped("bad.jpg", "bad.jpg is not an image")],
    wall_s=8.0,
    preprocess_s=6.25,
    inference_s=4.0,
    postprocess_s=0.5,
    batch_ms=[float(10 * i) for i in range(1, 102)],
)
REFERENCE = {
    "accuracy": {"dataset": "Market", "upstream": {"mAP": 0.859, "other": 7}, "chip_a": {"NM": {"include": 95.5}}},
    "throughput": {
        "unit": "images/s",
        "source": "the guide",
        "rows": [
            {"chip": "A", "batchsize": 1, "throughput": 1445.415},
            {"chip": "B", "batchsize": 8, "throughput": 88.5, "form": "short"},
        ],
    },
    "weights": {"url": "http://weights.example/file"},
}
METRICS = {"mAP": 0.8125, "NM": {"include": 95.25, "views": [1.0]}, "cmc": [0.5, 1.0], "queries": 12345, "APM": -1.0}
LABELS = {"mAP": ("Mean AP", ".1%"), "APM": ("AP of none", ".1%")}
REPORT = Report("toy", "onnxruntime", 8, METRICS, STATS, REFERENCE, labels=LABELS)
BARE = Report("toy", "torch", 1, {}, StreamStats(1, [], 2.0, 0.0, 1.0, 0.0, [1000.0]), {})


class Page(HTMLParser):
    """Elements, their attributes and texts; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]


def pages(folder: Path, report: Report) -> tuple[Page, str]:
    write_report(folder, report)
    return Page((folder / "report.html").read_text(encoding="utf-8")), (folder / "report.md").read_text("utf-8")


def rows_of(markdown: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("|")]


def percentiles(markdown: str) -> list[list[str]]:
    return [row for row in rows_of(markdown) if re.fullmatch(r"p\d+", row[0])]


def example(name: str) -> list[Section]:
    """One of every figure, with a name wherever there is a text."""
    pictures = [Picture(PNG, name, name), Picture(b"\xff\xd8\xff", name, name, "✓"), Picture(PNG, name, name, "✗")]
    return [
        Section(name, [Figure(name, (name, "b"), [(name, name)]), facts([(name, name)])], name),
        Section(
            name,
            [
                line_chart(name, name, name, {name: [(1, 0.5), (2, 0.25)], "dot": [(1, 1)]}),
                histogram(name, name, [1.0, 2.0]),
                histograms(name, name, {name: [1.0, 2.0], "other": [1.5]}),
                bar_chart(name, name, {name: 1.0, "none": 0.0}),
                picture_rows(name, [(name, pictures)]),
            ],
        ),
    ]


def test_generic_parts_have_the_right_numbers(tmp_path: Path) -> None:
    page, _ = pages(tmp_path, REPORT)
    assert page.words("h1") == ["toy"]
    assert page.words("h2") == ["Metrics", "Throughput", "Time", "Skipped sources", "Environment"]
    summary = dict(zip(page.words("dt"), page.words("dd"), strict=True))
    expected = {"Mean AP": "81.2%", "NM include": "95.25", "images/s end to end": "5"}
    assert summary | expected | {"Samples": "40", "Batch size": "8", "Backend": "onnxruntime"} == summary
    assert summary["bad.jpg"] == "bad.jpg is not an image"
    machine = environment()
    assert (summary["python"], summary["numpy"]) == (machine["python"], machine["versions"]["numpy"])


def test_measured_stands_beside_published(tmp_path: Path) -> None:
    page, markdown = pages(tmp_path, REPORT)
    assert page.words("caption") == ["Beside the published numbers", "This run", "Published, images/s"]
    cells = page.words("th", "td")
    for row in (
        ["metric", "this run", "upstream", "chip a"],
        ["Mean AP", "81.2%", "85.9%", "–"],
        ["AP of none", "–", "–", "–"],
        ["NM include", "95.25", "–", "95.5"],
        ["queries", "12,345", "–", "–"],
        ["images/s end to end", "5"],
        ["images/s inside the model", "10"],
        ["end to end / inside the model", "50.0%"],
        ["chip", "batchsize", "throughput", "form"],
        ["A", "1", "1,445", "–"],
        ["B", "8", "88.5", "short"],
    ):
        assert any(cells[i : i + len(row)] == row for i in range(len(cells))), row
        assert row in rows_of(markdown)
    assert "Published numbers. Dataset: Market." in page.words("p")
    assert "Published numbers. Source: the guide." in page.words("p")


def test_numbers_that_are_not_nested_are_a_column(tmp_path: Path) -> None:
    _, markdown = pages(tmp_path, replace(REPORT, reference={"accuracy": {"mAP": 0.75, "NM": {"include": 96}}}))
    assert ["metric", "this run", "published"] in rows_of(markdown)
    assert ["Mean AP", "81.2%", "75.0%"] in rows_of(markdown)
    assert ["NM include", "95.25", "96"] in rows_of(markdown)


def test_times(tmp_path: Path) -> None:
    page, markdown = pages(tmp_path, REPORT)
    said = [svg["aria-label"] for svg in page.of("svg")]
    assert said == [
        "Stages: preprocess 6.25 s; inference 4 s; postprocess 0.5 s",
        "Time of a batch: p50 510; p90 910; p99 1000",  # of 10, 20, ... 1010
    ]
    assert percentiles(markdown) == [["p50", "510"], ["p90", "910"], ["p99", "1000"]]
    assert {"p50 510", "p90 910", "p99 1000"} <= set(page.words("text"))


def test_bars_are_as_long_as_their_values() -> None:
    page = Page(bar_chart("Stages", "s", {"a": 2.0, "b": 0.5, "c": 0.0}).drawing)
    widths = [float(str(rect["width"])) for rect in page.of("rect") if rect["class"] == "bar"]
    assert widths == [440, 110, 0]
    assert "0 s" in bar_chart("Nothing", "s", {"a": 0.0}).drawing


def test_histogram_counts_every_value() -> None:
    values = [1.0] * 6 + [2.5] * 3 + [6.0]
    page = Page(histogram("Times", "ms", values, (50,)).drawing)
    bars = [(float(str(r["x"])), float(str(r["height"]))) for r in page.of("rect")]
    high = {x: height for x, height in bars if height}
    assert len(high) == 3
    assert [height / max(high.values()) for _, height in sorted(high.items())] == pytest.approx(
        [1, 0.5, 1 / 6], abs=1e-2
    )
    median = page.of("line")[-1]
    assert median["class"] == "mark"
    assert float(str(median["x1"])) == pytest.approx(min(high), abs=1)  # 1.0 is the median and the left end


def test_histograms_lie_over_each_other_as_shares() -> None:
    figure = histograms("Distances", "metres", {"near": [1.0] * 6 + [4.0] * 2, "far": [4.0] + [9.0] * 3})
    page = Page(figure.drawing)
    steps = {}
    for area in page.of("polygon"):
        points = [tuple(map(float, point.split(","))) for point in str(area["points"]).split()]
        bottom = points[0][1]
        steps[area["class"]] = {x: bottom - y for x, y in points if y < bottom}
    near, far = steps["area s0"], steps["area s1"]
    high, low = max(near.values()), min(near.values())
    assert (low / high, min(far.values()) / high, max(far.values()) / high) == pytest.approx((1 / 3, 1 / 3, 1))
    assert {x for x, height in near.items() if height == low} == {x for x in far if x in near}  # the four
    assert page.words("li") == ["near", "far"]
    assert figure.rows == [("near", "1", "1", "4"), ("far", "4.75", "9", "9")]


@pytest.mark.parametrize("values", [[5.0], [0.0], [3.0, 3.0], [1e-9, 2e-9], [0.1, 1e6], [99.0, 101.0]])
def test_any_values_can_be_drawn(values: list[float]) -> None:
    for figure in (
        histogram("a", "b", values),
        histograms("a", "b", {"s": values, "other": values[:1]}),
        line_chart("a", "x", "y", {"s": list(enumerate(values))}),
        line_chart("a", "x", "y", {"s": [(-value, -value) for value in sorted(values, reverse=True)]}),
    ):
        page = Page(figure.drawing)
        assert "nan" not in figure.drawing
        for element in (*page.of("rect"), *page.of("line"), *page.of("text")):
            for key in {"x", "x1", "x2", "y", "y1", "y2"} & element.keys():
                assert -1 <= float(str(element[key])) <= 441, element
        for line in (*page.of("polyline"), *page.of("polygon")):
            assert all(-1 <= float(number) <= 441 for number in re.split("[ ,]", str(line["points"])))


def test_a_line_goes_through_its_points() -> None:
    chart = line_chart("Curve", "rank", "share", {"run": [(0, 0.0), (5, 0.5), (10, 1.0)], "known": [(10, 1.0)]}, ".0%")
    run, known = (
        [tuple(map(float, point.split(","))) for point in str(line["points"]).split()]
        for line in Page(chart.drawing).of("polyline")
    )
    (left, low), (middle, half), (right, high), _ = run
    assert (middle, half) == ((left + right) / 2, (low + high) / 2)
    assert left < right
    assert low > high  # y grows downwards
    assert known == [(right, high)] * 2
    assert chart.rows == [("run", "0", "0%"), ("run", "5", "50%"), ("run", "10", "100%"), ("known", "10", "100%")]
    page = Page(chart.drawing)
    assert page.words("li") == ["run", "known"]
    shares, ranks = ["0%", "20%", "40%", "60%", "80%", "100%"], ["0", "2", "4", "6", "8", "10"]
    assert page.words("text") == [*shares, *ranks, "share", "rank"]
    below = [float(str(text["x"])) for text in page.of("text")][6:12]
    assert below == pytest.approx(np.linspace(left, right, 6), abs=0.1)


def test_a_long_line_is_a_short_table() -> None:
    chart = line_chart("Curve", "x", "y", {"run": [(float(i), 1.0) for i in range(1, 1001)]})
    assert 4 <= len(chart.rows) <= 8
    assert chart.rows[0][1] == "1"


@pytest.mark.parametrize("report", [REPORT, BARE, replace(REPORT, sections=example("a"))], ids=["full", "bare", "all"])
def test_the_page_needs_nothing_else(tmp_path: Path, report: Report) -> None:
    page, _ = pages(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe", text)
    for tag, attributes in page.elements:
        for key in {"src", "href", "srcset", "data", "action", "xlink:href"} & attributes.keys():
            assert str(attributes[key]).startswith(("data:image/", "#")), (tag, attributes)
    assert page.of("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    assert all(image["alt"] for image in page.of("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.of("svg"))
    assert all(cell["scope"] in ("col", "row") for cell in page.of("th"))
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    stats = replace(STATS, skipped=[Skipped(HOSTILE, HOSTILE)])
    report = Report(
        HOSTILE, HOSTILE, 8, {HOSTILE: 1}, stats, {"accuracy": {HOSTILE: HOSTILE, "a": {HOSTILE: 1}}},
        note=HOSTILE, sections=example(HOSTILE), labels={HOSTILE: (HOSTILE, "")},
    )  # fmt: skip
    harmless = replace(
        report, model="m", backend="b", metrics={"k": 1}, stats=replace(STATS, skipped=[Skipped("s", "r")]), note="n",
        reference={"accuracy": {"k": "v", "a": {"k": 1}}}, sections=example("e"), labels={"k": ("l", "")},
    )  # fmt: skip
    page, markdown = pages(tmp_path / "hostile", report)
    same, like = pages(tmp_path / "harmless", harmless)
    assert [(tag, attributes.keys()) for tag, attributes in page.elements] == [
        (tag, attributes.keys()) for tag, attributes in same.elements
    ]
    for tag in ("h1", "h2", "h3", "p", "dt", "dd", "caption", "th", "td", "figcaption", "li", "span", "text", "title"):
        assert any(HOSTILE in words for words in page.words(tag)), tag
    assert HOSTILE in {image["alt"] for image in page.of("img")}
    assert len(markdown.splitlines()) == len(like.splitlines())
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines()] == [
        line.count("|") for line in like.splitlines()
    ]
    assert not re.search(r"(?<!\\)[<>`*_\[\]](?!\*)", markdown.replace("**", ""))


def test_pictures_and_marks() -> None:
    page = Page(to_html("t", "", example("e")))
    assert [item["data-mark"] for item in page.of("li") if "data-mark" in item] == ["", "✓", "✗"]
    kinds = [str(image["src"]).split(";")[0] for image in page.of("img")]
    assert kinds == ["data:image/png", "data:image/jpeg", "data:image/png"]
    markdown = to_markdown("t", "", example("e"))
    assert "**e** (drawn in report.html)" in markdown
    assert ["e", "e · ✓ e · ✗ e"] in rows_of(markdown)
    assert "base64" not in markdown


def test_sections_and_note_stand_where_they_are_looked_for(tmp_path: Path) -> None:
    sections = [Section("Own", [facts([("own name", "own value")])], "own note")]
    page, markdown = pages(tmp_path, replace(REPORT, title="A title", note="seeded weights", sections=sections))
    assert page.words("h1") == page.words("title") == ["A title"]
    assert page.words("h2") == ["Metrics", "Throughput", "Own", "Time", "Skipped sources", "Environment"]
    assert page.words("p")[0] == "seeded weights"
    assert "own note" in page.words("p")
    assert markdown.startswith("# A title\n\nseeded weights\n\n")
    assert "## Own\n\nown note\n\n" in markdown
    assert ["own name", "own value"] in rows_of(markdown)


def test_one_sample_and_nothing_published(tmp_path: Path) -> None:
    page, markdown = pages(tmp_path, BARE)
    assert "Sources that could not be used: 0." in page.words("p")
    assert "Published" not in markdown
    assert ["samples/s end to end", "0.5"] in rows_of(markdown)
    assert percentiles(markdown) == [["p50", "1000"], ["p90", "1000"], ["p99", "1000"]]


def test_nothing_went_through_the_model(tmp_path: Path) -> None:
    stats = StreamStats(skipped=[Skipped("a", "b")], wall_s=1.0)
    page, _ = pages(tmp_path, replace(BARE, stats=stats))
    assert [svg["aria-label"] for svg in page.of("svg")] == ["Stages: preprocess 0 s; inference 0 s; postprocess 0 s"]


def test_many_skipped_sources_do_not_bury_the_page(tmp_path: Path) -> None:
    skipped = [Skipped(f"source {i}", "why") for i in range(1234)]
    page, _ = pages(tmp_path, replace(REPORT, stats=replace(STATS, skipped=skipped)))
    assert "Sources that could not be used: 1,234. The first 100:" in page.words("p")
    names = [name for name in page.words("dt") if name.startswith("source ")]
    assert names == [f"source {i}" for i in range(100)]
    assert len(json.loads((tmp_path / "report.json").read_text())["skipped"]) == 1234


def test_the_pages_are_reproducible(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_report(tmp_path / folder, REPORT)
    for name in ("report.html", "report.md", "report.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("name", ["report.json", "report.html", "report.md"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(WriteError, match=re.escape(str(tmp_path / name))):
        write_report(tmp_path, REPORT)
