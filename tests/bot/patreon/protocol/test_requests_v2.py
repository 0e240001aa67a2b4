"""What is asked of API v2: an id stays within its part of the path, and a list goes on where its cursor says."""

from bot.domain.model import CampaignId, MembershipId
from bot.patreon.protocol import requests_v2


def test_an_id_is_no_path() -> None:
    page = requests_v2.page_request(CampaignId("7/../8?x"), None)
    member = requests_v2.member_request(MembershipId("7/../8?x"))
    assert page.path == "/api/oauth2/v2/campaigns/7%2F..%2F8%3Fx/members"
    assert member.path == "/api/oauth2/v2/members/7%2F..%2F8%3Fx"


def test_a_page_asks_for_its_rows_from_its_cursor_on() -> None:
    first, later = (
        requests_v2.page_request(CampaignId("7"), None),
        requests_v2.page_request(CampaignId("7"), "next", rows=500),
    )
    assert dict(later.query) == {**dict(first.query), "page[count]": "500", "page[cursor]": "next"}
    assert dict(first.query)["page[count]"] == "1000"


def test_campaigns_go_on_where_their_cursor_says() -> None:
    first, later = requests_v2.campaigns_request(None), requests_v2.campaigns_request("next")
    assert later.query == (*first.query, ("page[cursor]", "next"))


def test_the_identity_names_the_campaign_of_each_membership() -> None:
    assert "memberships.campaign" in dict(requests_v2.identity_request().query)["include"].split(",")


def test_one_member_and_a_page_of_members_ask_for_the_same_facts() -> None:
    page = dict(requests_v2.page_request(CampaignId("7"), None).query)
    member = dict(requests_v2.member_request(MembershipId("m")).query)
    assert page["fields[member]"] == member["fields[member]"] == requests_v2.MEMBER_FIELDS
    assert "pledge_history" not in page["include"], "it halves the page"
