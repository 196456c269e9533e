"""docs/security.md names files and tests; each of them is there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs" / "security.md").read_text()
SECTIONS = [f"### 4.{number} " for number in range(1, 18)]


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"`((?:authsrv|tests|config|docs)/[A-Za-z0-9_/.]+)", TEXT))
    assert len(named) > 40
    assert [name for name in sorted(named) if not (REPOSITORY / name).is_file()] == []


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", TEXT))
    assert len(named) == len(set(re.findall(r"::(test_[a-z0-9_]+)", TEXT)))
    missing = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not re.search(rf"^\s*(?:async )?def {name}\(", (REPOSITORY / path).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_attack_of_rfc_9700_has_its_place_and_says_what_shows_it() -> None:
    assert [section for section in SECTIONS if section not in TEXT] == []
    entries = re.split(r"^### ", TEXT.split("## What is not defended against", maxsplit=1)[0], flags=re.MULTILINE)[1:]
    assert [entry.split("\n")[0] for entry in entries if "- Where:" not in entry or "- Shown by:" not in entry] == []
