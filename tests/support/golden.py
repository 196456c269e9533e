"""Golden files: what a wire format is held by; these names, in this order, these types, and these values."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Placeholders = Mapping[str, re.Pattern[str]]


def read_golden(path: Path) -> Any:
    return json.loads(path.read_text())


def judge(found: object, golden: object, placeholders: Placeholders, where: str = "body") -> None:
    """Raises AssertionError where what was found is not what the file says."""
    if isinstance(golden, str) and golden in placeholders:
        assert isinstance(found, str), where
        assert placeholders[golden].fullmatch(found), f"{where}: {found}"
        return
    assert type(found) is type(golden), f"{where}: {found!r}"
    if isinstance(golden, dict):
        assert isinstance(found, dict)
        assert list(found) == list(golden), where
        for name, value in golden.items():
            judge(found[name], value, placeholders, f"{where}.{name}")
    elif isinstance(golden, list):
        assert isinstance(found, list)
        assert len(found) == len(golden), where
        for at, value in enumerate(golden):
            judge(found[at], value, placeholders, f"{where}[{at}]")
    else:
        assert found == golden, where


def is_written_by_the_tests(path: Path) -> bool:
    """Whether the file is laid out as `json.dumps` would."""
    return path.read_text() == json.dumps(read_golden(path), indent=2, ensure_ascii=False) + "\n"
