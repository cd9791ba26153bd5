"""Values of untrusted files, as messages show them: short, whatever they hold."""

from __future__ import annotations

import reprlib
from typing import Any

from modelzoo.common.text import printable

LENGTH = 80
"""Characters of a value, at most."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3  # lists of lists that refer to each other are small in a file, and endless in print


def shown(value: Any) -> str:
    """A value for a message; a text as it is.

    >>> shown((240, 0)), shown("high"), shown([[[[1]]]]), shown(10**5000)
    ('(240, 0)', 'high', '[[[[...]]]]', 'a number of very many digits')
    """
    import numpy as np

    if isinstance(value, (str, np.generic)):
        return printable(str(value), LENGTH)
    try:
        return printable(_SHORT.repr(value), LENGTH)
    except ValueError:  # Python writes no whole numbers of more than 4300 digits
        return "a number of very many digits"
