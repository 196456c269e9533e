"""What counts as text, and what as control characters in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsrv.kit.plain_text import CONTROLS, read_filled_line, read_line, read_lines

TEXTS = ["Prix : 10\u00a0€", "می\u200cشود", "रक्\u200dषा", "1\u202f000", "Zoë 🧑\u200d🍳"]
LINE_BREAKS = ["a\nb", "a\r\nb", "a\tb"]
CONTROLLED = ["a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b"]


@pytest.mark.parametrize("text", TEXTS)
def test_what_people_write_is_a_line(text: str) -> None:
    assert read_line(f" {text} ") == read_filled_line(text) == read_lines(text) == text


@pytest.mark.parametrize("text", LINE_BREAKS)
def test_line_breaks_are_for_lines(text: str) -> None:
    assert read_lines(f"\n{text}\n") == text
    with pytest.raises(ValueError, match="control characters"):
        read_line(text)


@pytest.mark.parametrize("text", CONTROLLED)
def test_control_characters_are_no_text(text: str) -> None:
    for read in (read_line, read_filled_line, read_lines):
        with pytest.raises(ValueError, match="control characters"):
            read(text)


@pytest.mark.parametrize("text", ["", "  ", "\u00a0"])
def test_a_blank_line_is_not_filled(text: str) -> None:
    assert read_line(text) == ""
    with pytest.raises(ValueError, match="blank"):
        read_filled_line(text)


@given(st.text())
def test_a_line_has_no_control_characters_and_no_spaces_around_it(text: str) -> None:
    try:
        line = read_line(text)
    except ValueError:
        assert re.search(f"[{CONTROLS}]", text)
    else:
        assert line == text.strip()
        assert not re.search(f"[{CONTROLS}]", line)
