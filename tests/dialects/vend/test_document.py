"""The table of sentences tells the truth: each test it names is there and quotes the sentence by its number."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "dialects" / "vend.md"
ROWS = re.findall(r"^\| (\d\.\d+) \| .*? \| (`test_.*?`) \| .*\|$", PAGE.read_text(), re.MULTILINE)
# How many sentences there are in each section of the document that can be tested.
SENTENCES = {2: 6, 3: 8, 4: 10, 5: 1, 6: 5}


def said_of(file: str, name: str) -> str:
    """What the test says of itself, else what its file does."""
    tree = ast.parse((HERE / file).read_text())
    (test,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return ast.get_docstring(test) or ast.get_docstring(tree) or ""


def quoted(text: str) -> set[str]:
    """The numbers of "3.3 and 3.4" and of "4.8 to 4.10"."""
    numbers = set(re.findall(r"\d\.\d+", text))
    for section, first, last in re.findall(r"(\d)\.(\d+) to \1\.(\d+)", text):
        numbers |= {f"{section}.{number}" for number in range(int(first), int(last) + 1)}
    return numbers


def test_every_sentence_has_its_row() -> None:
    every = [f"{section}.{number}" for section, count in SENTENCES.items() for number in range(1, count + 1)]
    assert [number for number, _ in ROWS] == every


@pytest.mark.parametrize(("number", "tests"), ROWS, ids=[number for number, _ in ROWS])
def test_every_test_it_names_quotes_the_sentence(number: str, tests: str) -> None:
    for file, name in re.findall(r"`(test_\w+\.py)::(test_\w+)`", tests):
        assert number in quoted(said_of(file, name)), name


def test_every_test_of_the_document_stands_in_the_table() -> None:
    named = set(re.findall(r"::(test_\w+)`", PAGE.read_text()))
    for file in ("test_connecting.py", "test_tokens.py"):
        tree = ast.parse((HERE / file).read_text())
        tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        assert [test.name for test in tests if quoted(ast.get_docstring(test) or "") and test.name not in named] == []
