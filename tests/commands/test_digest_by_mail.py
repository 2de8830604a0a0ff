"""Who issued an order in Plex gets a mail with that order's open problems, and nobody else's."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from plexstedi.sandbox.plex.rows import BUYER
from plexstedi.sandbox.plex.sample_data import EdgeCase

from .conftest import MakeBench


class Mails:
    """A mail server on loopback that takes all mail."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.taken.append(parsed)
        return "250 OK"


@pytest.fixture
def relay() -> Iterator[tuple[Mails, int]]:
    mails = Mails()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    yield mails, port
    controller.stop(no_assert=True)


def test_a_buyer_gets_a_digest_of_the_orders_that_she_issued(make_bench: MakeBench, relay: tuple[Mails, int]) -> None:
    mails, port = relay
    bench = make_bench(orders=3, suppliers=1, edge_cases=(EdgeCase.UNKNOWN_UNIT,))
    bench.write_config(
        lambda text: (
            text + '\n[alerts.email]\nto = ["all@plant.example"]\nfrom = "edi@plant.example"\n'
            f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\n'
            f'buyers = {{ "{BUYER}" = ["anna@plant.example"], "someone-else" = ["ben@plant.example"] }}\n'
        )
    )
    bench.run("run")
    assert [mail["To"] for mail in mails.taken] == ["all@plant.example"], "what is new goes to all"
    mails.taken.clear()
    held = {item["order"] for item in bench.run("review", "list", "--json").json["reviews"]}
    bench.later(hours=25)
    bench.run("run")
    digests = {mail["To"]: mail for mail in mails.taken}
    assert set(digests) == {"all@plant.example", "anna@plant.example"}
    text = digests["anna@plant.example"].get_body(("plain",))
    assert text is not None
    assert all(number in text.get_content() for number in held)
