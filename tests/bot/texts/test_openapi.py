"""What the API's description says is said of everything, and of nothing else."""

import msgspec
import pytest

from bot.domain.member_answer import MemberAnswer, MemberList, MemberStanding, MemberTier
from bot.texts import openapi
from bot.web.problems import ProblemDocument


@pytest.mark.parametrize("answer", [MemberAnswer, MemberList, MemberTier, ProblemDocument])
def test_each_field_is_described(answer: type[msgspec.Struct]) -> None:
    assert tuple(openapi.FIELDS[answer.__name__]) == answer.__struct_fields__


def test_each_standing_is_described() -> None:
    assert tuple(openapi.STANDINGS) == tuple(MemberStanding)
