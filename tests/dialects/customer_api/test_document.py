"""The table of sentences tells the truth: each test it names is there and quotes the sentence by its number."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs" / "dialects" / "customer_api.md"
ROWS = re.findall(r"^\| (\d+) \| .*? \| (.*?) \| .* \|$", PAGE.read_text(), re.MULTILINE)


def docstring(path: str, name: str) -> str:
    """What the test says of itself."""
    tree = ast.parse((REPOSITORY / path).read_text())
    (test,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return ast.get_docstring(test) or ""


def quoted(text: str) -> set[int]:
    """The numbers of "Sentences 1 to 4, 8 and 19"."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def test_every_sentence_has_its_row() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 27))


@pytest.mark.parametrize(("number", "shown_by"), ROWS, ids=[number for number, _ in ROWS])
def test_every_test_it_names_quotes_the_sentence(number: str, shown_by: str) -> None:
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", shown_by)
    assert named
    for path, name in named:
        said = docstring(path, name) or ast.get_docstring(ast.parse((REPOSITORY / path).read_text())) or ""
        assert "entence" in said, name
        assert int(number) in quoted(said), name
