"""Form bodies are read as the standard library reads them (RFC 6749, Appendix B)."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authsrv.web.forms import Form, parse_form

PIECES = st.sampled_from(["a", "é", "=", "&", "+", "%", "%41", "%C3%A9", "%FF", "%4", ";", "\0", " ", "\U0001f600"])


def read_by_the_library(body: bytes) -> Form | None:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        return None


@given(st.one_of(st.binary(max_size=60), st.lists(PIECES).map(lambda pieces: "".join(pieces).encode())))
@example(b"")
@example(b"&&a&=b&c==d&")
def test_any_body_means_what_the_library_says(body: bytes) -> None:
    try:
        read: Form | None = parse_form(body)
    except ValueError:
        read = None
    assert read == read_by_the_library(body)


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20))
def test_what_is_encoded_comes_back(pairs: Form) -> None:
    assert parse_form(urlencode(pairs).encode()) == pairs


def test_a_hundred_fields_are_enough() -> None:
    assert len(parse_form(b"&".join([b"a=1"] * 100))) == 100
    with pytest.raises(ValueError, match="too many"):
        parse_form(b"&".join([b"a=1"] * 101))
