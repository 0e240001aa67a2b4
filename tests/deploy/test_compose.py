"""The files of Docker Compose: right by its own schema, and by what the image and the bot say of themselves."""

import ipaddress
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import Command, Context
from ruamel.yaml import YAML

from bot import cli
from bot.settings import Settings
from tests.fakes.image import read_stages

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = ("compose.cluster.yml", "compose.yml")  # what is added to them is looked at in test_monitoring.py


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(DEPLOY / name)
    return found


def ours(name: str) -> dict[str, dict[str, Any]]:
    return {service: said for service, said in read(name)["services"].items() if "build" in said}


def test_compose_s_own_schema_takes_them() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    files = map(str, DEPLOY.glob("compose*.yml"))
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "ok -- validation done"), done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_each_process_of_the_bot_may_do_nothing_but_its_work(name: str) -> None:
    for said in ours(name).values():
        assert said["read_only"] is True
        assert said["cap_drop"] == ["ALL"]
        assert said["security_opt"] == ["no-new-privileges:true"]
        assert said["init"] is True
        assert "ports" not in said
        assert said["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
        assert "/tmp" in said["tmpfs"]


@pytest.mark.parametrize("name", FILES)
def test_each_setting_of_theirs_is_one_and_each_command_is_one(name: str) -> None:
    for said in ours(name).values():
        assert {setting.lower() for setting in said["environment"]} <= set(Settings.model_fields)
        command, *options = said.get("command", ["bot"])
        found = cli.main.get_command(Context(cli.main), command)
        assert isinstance(found, Command)
        found.make_context(command, options, resilient_parsing=False)


@pytest.mark.parametrize("name", FILES)
def test_only_the_network_of_caddy_is_believed(name: str) -> None:
    front = read(name)["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert ipaddress.ip_network(front).num_addresses <= 256
    assert {said["environment"]["TRUSTED_PROXIES"] for said in ours(name).values()} == {front}
    services = read(name)["services"]
    assert {one for one, said in services.items() if "front" in said["networks"]} == {"caddy", *ours(name)}
    caddy = services["caddy"]
    assert caddy["networks"] == ["front"]
    service, port = caddy["environment"]["UPSTREAM"].split(":")
    assert ours(name)[service]["environment"]["WEB_PORT"] == port
    assert "front" in ours(name)[service]["networks"]
    caddyfile, _ = caddy["volumes"][0].split(":", 1)
    assert (DEPLOY / caddyfile).is_file()


@pytest.mark.parametrize("name", FILES)
def test_what_has_to_be_filled_in_is_said_when_it_is_not(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    asked = dict(re.findall(r"\$\{([A-Z_]+):([?-])", text))
    assert len(re.findall(r"\$\{", text)) == len(re.findall(r"\$\{[A-Z_]+:[?-][^}]+\}", text))
    assert {variable for variable, how in asked.items() if how == "?"} <= {"PUBLIC_URL", "POSTGRES_PASSWORD"}
    assert "PUBLIC_URL" in asked


def test_the_file_is_on_the_volume_that_the_image_names() -> None:
    bot = ours("compose.yml")["bot"]
    (volume,) = (step.rest for step in read_stages()[-1] if step.name == "VOLUME")
    assert bot["volumes"] == [f"data:{volume}"]
    assert bot["environment"]["DATABASE_URL"] == f"sqlite+aiosqlite:///{volume}/pledgekeeper.db"
    assert read("compose.yml")["volumes"].keys() >= {"data"}


def test_a_cluster_has_two_of_each_role_and_none_before_the_migration_has_ended() -> None:
    services = ours("compose.cluster.yml")
    migrate = services.pop("migrate")
    assert migrate["command"] == ["migrate", "--before"]
    assert (migrate["restart"], migrate["deploy"]["replicas"]) == ("no", 1)
    assert migrate["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert {name: said["command"] for name, said in services.items()} == {
        role: ["bot", "--role", role] for role in ("gateway", "worker", "web")
    }
    for said in services.values():
        assert said["deploy"]["replicas"] == 2
        assert said["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert said["environment"]["DATABASE_URL"].endswith("@database/pledgekeeper")
    assert "healthcheck" in read("compose.cluster.yml")["services"]["database"]


def test_nobody_outside_reaches_the_database() -> None:
    found = read("compose.cluster.yml")
    database = found["services"]["database"]
    assert (database["networks"], "ports" in database) == (["back"], False)
    assert found["networks"]["back"] == {"internal": True}
    assert "back" not in found["services"]["caddy"]["networks"]
