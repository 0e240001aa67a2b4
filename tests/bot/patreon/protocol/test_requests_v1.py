"""What is asked of API v1: an id stays within its part of the path, and a list goes on where its cursor says."""

from bot.domain.model import CampaignId
from bot.patreon.protocol import requests_v1


def test_an_id_is_no_path() -> None:
    request = requests_v1.page_request(CampaignId("7/../8?x"), None)
    assert request.path == "/api/oauth2/api/campaigns/7%2F..%2F8%3Fx/pledges"


def test_a_page_asks_for_its_rows_from_its_cursor_on() -> None:
    first, later = (
        requests_v1.page_request(CampaignId("7"), None),
        requests_v1.page_request(CampaignId("7"), "next", rows=50),
    )
    assert dict(later.query) == {**dict(first.query), "page[count]": "50", "page[cursor]": "next"}
    assert dict(first.query)["page[count]"] == "100"


def test_campaigns_go_on_where_their_cursor_says() -> None:
    first, later = requests_v1.campaigns_request(None), requests_v1.campaigns_request("next")
    assert later.query == (*first.query, ("page[cursor]", "next"))


def test_the_identity_names_whose_campaigns_the_pledges_are_for() -> None:
    included = dict(requests_v1.identity_request().query)["include"]
    assert included == "pledges.reward.campaign.null,pledges.creator.campaign.null"


def test_asking_changes_nothing() -> None:
    asked = (
        requests_v1.identity_request(),
        requests_v1.campaigns_request(None),
        requests_v1.page_request(CampaignId("7"), None),
    )
    assert {request.method for request in asked} == {"GET"}
