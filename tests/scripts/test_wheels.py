from typing import Any

from scripts.wheels import merge, platforms

NONE: dict[str, Any] = {"install": []}


def report(name: str, version: str, url: str, digest: str) -> dict[str, Any]:
    """Write what pip reports of one library, as its docs show it."""
    info = {"url": url, "archive_info": {"hashes": {"sha256": digest}}}
    return {"version": "1", "install": [{"download_info": info, "metadata": {"name": name, "version": version}}]}


def test_wheels_are_put_together_by_library_and_no_address_stays() -> None:
    here = report("Discord.py_Speed", "1.2", "https://index.example/a/b/x-1.2%2Blocal-py3-none-any.whl", "aa")
    there = report("discord.py-speed", "1.2", "file:///wheels/x-1.2-cp311-cp311-manylinux_2_28_aarch64.whl", "bb")
    assert merge({"amd64": here, "arm64": there}) == {
        "discord-py-speed": {
            "version": "1.2",
            "amd64": {"file": "x-1.2+local-py3-none-any.whl", "sha256": "aa"},
            "arm64": {"file": "x-1.2-cp311-cp311-manylinux_2_28_aarch64.whl", "sha256": "bb"},
        }
    }


def test_a_library_of_one_machine_alone_is_seen() -> None:
    assert list(merge({"amd64": report("one", "1", "https://x/one.whl", "aa"), "arm64": NONE})["one"]) == [
        "version",
        "amd64",
    ]


def test_the_newest_platform_is_asked_for_first() -> None:
    tags = platforms("aarch64")
    assert (tags[0], tags[-1]) == ("manylinux_2_36_aarch64", "manylinux2014_aarch64")
    assert "manylinux_2_17_aarch64" in tags
