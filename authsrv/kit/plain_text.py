"""Text that people write, in any script: without the spaces around it, and without control characters in it."""

import re
from typing import Final

# Controls (Cc) and the separators of lines and paragraphs, as a regular expression's set. Not all that is unprintable:
# no-break spaces, and the joiners that Persian and Hindi are written with, are text.
CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_IN_A_LINE = re.compile(f"[{CONTROLS}]")
_IN_LINES = re.compile(rf"(?![\n\r\t])[{CONTROLS}]")


def read_line(text: str) -> str:
    """One line. Raises ValueError for control characters, line breaks among them."""
    return _without(_IN_A_LINE, text)


def read_filled_line(text: str) -> str:
    """One line that is not blank. Raises ValueError."""
    if not (line := read_line(text)):
        raise ValueError("must not be blank")
    return line


def read_lines(text: str) -> str:
    """Any number of lines, with tabs in them. Raises ValueError for other control characters."""
    return _without(_IN_LINES, text)


def _without(controls: re.Pattern[str], text: str) -> str:
    if controls.search(text):
        raise ValueError("must not contain control characters")
    return text.strip()
