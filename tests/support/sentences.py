"""A document's sentences in a table of ours, and the tests that quote them by number."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sentence:
    """One row: the sentence's number, and the tests that show it, as path and name."""

    number: int
    shown_by: tuple[tuple[str, str], ...]


def read_sentences(page: Path) -> list[Sentence]:
    rows = re.findall(r"^\| (\d+) \| .*? \| (.*?) \| .* \|$", page.read_text(), re.MULTILINE)
    named = r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`"
    return [Sentence(int(number), tuple(re.findall(named, cell))) for number, cell in rows]


def quoted_by(path: str, name: str) -> set[int]:
    """The numbers that the test's own words name: "Sentences 1 to 4, 8 and 19"."""
    tree = ast.parse((REPOSITORY / path).read_text())
    (test,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    said = re.match(r"Sentences? ([\d, and to]+)", ast.get_docstring(test) or "")
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", said[1] if said else ""):
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers
