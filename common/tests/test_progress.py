"""Progress bars."""

import sys
from io import StringIO

import pytest

from modelzoo.common.progress import progress


class Terminal(StringIO):
    """What has been shown to somebody."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("total", [3, None])
def test_the_rate_is_in_items_a_second_however_slow(total: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 4))  # every look at the clock is four seconds later
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(clock)))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress("abc", total, "reading", "frames")) == ["a", "b", "c"]
    shown = terminal.getvalue()
    assert " frames/s" in shown
    assert "s/ frames" not in shown
    assert ("/3 [" in shown) is (total == 3)


def test_without_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress("abc", 3, "reading")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
