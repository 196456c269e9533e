"""The table in docs/dialects/storefront.md tells the truth: each test it names is there and quotes the sentence."""

import pytest

from tests.support.sentences import REPOSITORY, Sentence, quoted_by, read_sentences

SENTENCES = read_sentences(REPOSITORY / "docs/dialects/storefront.md")


def test_every_sentence_has_its_row() -> None:
    assert [sentence.number for sentence in SENTENCES] == list(range(1, 25))


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: str(sentence.number))
def test_every_test_it_names_quotes_the_sentence(sentence: Sentence) -> None:
    assert sentence.shown_by
    for path, name in sentence.shown_by:
        assert sentence.number in quoted_by(path, name), name
