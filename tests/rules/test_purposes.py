"""Every kind of sealed handle has a number and a prefix of its own: none can pass for another."""

import re
from pathlib import Path

import authsrv


def test_no_two_purposes_share_a_number_or_a_prefix() -> None:
    source = "\n".join(path.read_text() for path in Path(authsrv.__file__).parent.rglob("*.py"))
    purposes = re.findall(r"Purpose\((\d+), \"(\w+_)\"\)", source)
    assert len(purposes) >= 8
    for part in zip(*purposes, strict=True):
        assert len(set(part)) == len(part)
