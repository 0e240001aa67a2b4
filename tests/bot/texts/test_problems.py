"""What programs are told when a request fails."""

import pytest

from bot.texts.problems import BY_STATUS, PROBLEMS, Problem


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_says_in_sentences_what_to_do(problem: Problem) -> None:
    assert PROBLEMS[problem].endswith(".")
    assert len(PROBLEMS[problem]) > 20


def test_a_status_alone_has_words_too() -> None:
    assert set(BY_STATUS.values()) <= set(Problem)
