"""Getting in: the headers of Connect, the token of client credentials, and settings that lack something."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from plexstedi.errors import ConfigurationFault, CredentialsFault, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import RetryPolicy
from plexstedi.plex.build import connect_to_plex, secret_name
from plexstedi.plex.settings import Api, PlexSettings

TENANT = "11111111-2222-4333-8444-555555555555"
TOKEN_URL = "https://accounts.example/oauth2/token"
TENANTS = "https://plex.example/tenants"


@pytest.fixture
def oauth2(clock):
    settings = PlexSettings(api=Api.OAUTH2, base_url="https://plex.example", token_url=TOKEN_URL, client_id="plexstedi")
    plex = connect_to_plex(settings, "client-secret-1", clock=clock)
    yield plex
    plex.close()


def token(httpx_mock, name="token-1", **more):
    httpx_mock.add_response(url=TOKEN_URL, json={"access_token": name, "expires_in": 600} | more)


def test_connect_names_key_and_tenant_and_asks_politely(clock, httpx_mock):
    settings = PlexSettings(api=Api.CONNECT, base_url="https://plex.example", tenant_id=TENANT)
    httpx_mock.add_response(url="https://plex.example/mdm/v1/tenants", json=[])
    plex = connect_to_plex(settings, "abcdefghijklmnopqrstuvwxyz012345", clock=clock)
    assert plex.tenants() == ()
    plex.close()
    request = httpx_mock.get_requests()[0]
    assert request.headers["X-Plex-Connect-Api-Key"] == "abcdefghijklmnopqrstuvwxyz012345"
    assert request.headers["X-Plex-Connect-Tenant-Id"] == TENANT
    assert request.extensions["timeout"] == {"connect": 10.0, "read": 300.0, "write": 300.0, "pool": 300.0}


def test_the_number_of_a_tenant_is_sent_instead_of_its_id(clock, httpx_mock):
    settings = PlexSettings(
        api=Api.CONNECT, base_url="https://plex.example", customer_id="123456", tenant_code="RIVERBEND"
    )
    httpx_mock.add_response(url="https://plex.example/mdm/v1/tenants", json=[])
    plex = connect_to_plex(settings, "abcdefghijklmnopqrstuvwxyz012345", clock=clock)
    plex.tenants()
    plex.close()
    headers = httpx_mock.get_requests()[0].headers
    assert headers["X-Plex-Connect-Customer-Id"] == "123456"
    assert "X-Plex-Connect-Tenant-Id" not in headers, "Plex accepts exactly one of the two"


def test_a_host_with_old_tls_names_the_switch(clock, httpx_mock):
    old = httpx.ConnectError("[SSL: UNSAFE_LEGACY_RENEGOTIATION_DISABLED] unsafe legacy renegotiation disabled")
    httpx_mock.add_exception(old, is_reusable=True)
    settings = PlexSettings(api=Api.CONNECT, base_url="https://plex.example", tenant_id=TENANT)
    plex = connect_to_plex(settings, "abcdefghijklmnopqrstuvwxyz012345", clock=clock, retry=RetryPolicy(tries=1))
    with pytest.raises(ServiceUnavailable, match="old TLS") as caught:
        plex.tenants()
    assert "plex.legacy_tls = true" in caught.value.fix


def test_a_refused_connect_key_names_all_that_it_can_mean(clock, httpx_mock):
    httpx_mock.add_response(status_code=401, json={"code": "REQUEST_NOT_AUTHENTICATED", "message": "no"})
    settings = PlexSettings(api=Api.CONNECT, base_url="https://plex.example", tenant_id=TENANT)
    with pytest.raises(ServiceRefused) as caught:
        connect_to_plex(settings, "secret-key-of-ours", clock=clock).tenants()
    for cause in ("expired", "subscribed", "tenant"):
        assert cause in caught.value.message
    assert "secret-key-of-ours" not in str(caught.value)


def test_a_token_is_fetched_once_and_used(oauth2, httpx_mock):
    token(httpx_mock)
    httpx_mock.add_response(url=TENANTS, json={"data": []}, is_reusable=True)
    oauth2.tenants()
    oauth2.tenants()
    first, *others = httpx_mock.get_requests()
    assert first.content == b"grant_type=client_credentials&client_id=plexstedi&client_secret=client-secret-1"
    assert [request.headers["Authorization"] for request in others] == ["Bearer token-1"] * 2


def test_a_token_is_fetched_again_a_minute_before_it_ends(oauth2, httpx_mock, clock):
    token(httpx_mock)
    token(httpx_mock, "token-2")
    httpx_mock.add_response(url=TENANTS, json=[], is_reusable=True)
    oauth2.tenants()
    clock.at += timedelta(seconds=541)
    oauth2.tenants()
    assert httpx_mock.get_requests()[-1].headers["Authorization"] == "Bearer token-2"


def test_a_kept_token_that_is_refused_is_replaced_once(oauth2, httpx_mock):
    token(httpx_mock)
    httpx_mock.add_response(url=TENANTS, json=[])
    httpx_mock.add_response(url=TENANTS, status_code=401)
    token(httpx_mock, "token-2")
    httpx_mock.add_response(url=TENANTS, json=[])
    oauth2.tenants()
    assert oauth2.tenants() == ()
    assert httpx_mock.get_requests()[-1].headers["Authorization"] == "Bearer token-2"


def test_a_fresh_token_that_is_refused_ends_it(oauth2, httpx_mock):
    token(httpx_mock)
    httpx_mock.add_response(url=TENANTS, status_code=401, json={"message": "Bearer token-1 is bad"})
    with pytest.raises(ServiceRefused) as caught:
        oauth2.tenants()
    assert "token-1" not in caught.value.message
    assert len(httpx_mock.get_requests()) == 2


@pytest.mark.parametrize("document", [{}, {"access_token": None}, {"access_token": " "}, {"access_token": 5}, []])
def test_a_missing_token_is_never_sent_as_one(oauth2, httpx_mock, document):
    httpx_mock.add_response(url=TOKEN_URL, json=document)
    with pytest.raises(ServiceRefused) as caught:
        oauth2.tenants()
    assert caught.value.code == "no-token"
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_client_is_reported_without_its_secret(oauth2, httpx_mock, status):
    document = {"error": "invalid_client", "error_description": "client-secret-1 is wrong"}
    httpx_mock.add_response(url=TOKEN_URL, status_code=status, json=document)
    with pytest.raises(ServiceRefused, match="invalid_client") as caught:
        oauth2.tenants()
    assert "client-secret-1" not in f"{caught.value} {caught.value.fix}"
    assert "plex-client-secret" in caught.value.fix


def test_a_token_address_that_stumbles_is_asked_again(oauth2, httpx_mock, clock):
    httpx_mock.add_response(url=TOKEN_URL, status_code=503)
    httpx_mock.add_exception(httpx.ReadTimeout("slow"), url=TOKEN_URL)
    token(httpx_mock)
    httpx_mock.add_response(url=TENANTS, json=[])
    assert oauth2.tenants() == ()
    assert len(clock.slept) == 2


@pytest.mark.parametrize("answer", [{"status_code": 503}, {"html": "<html/>"}, {"status_code": 302}])
def test_a_token_address_that_stays_away_is_for_the_next_run(oauth2, httpx_mock, answer):
    httpx_mock.add_response(url=TOKEN_URL, is_reusable=True, **answer)
    with pytest.raises(ServiceUnavailable):
        oauth2.tenants()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"api": Api.CONNECT}, "plex.tenant_id"),
        ({"api": Api.OAUTH2, "client_id": "x"}, "plex.auth.token_url"),
        ({"api": Api.OAUTH2, "token_url": TOKEN_URL}, "plex.auth.client_id"),
        ({"api": Api.DATASOURCE}, "plex.auth.username"),
        ({"api": Api.SOAP, "base_url": "https://plex.example/Service.asmx"}, "plex.auth.username"),
        ({"api": Api.SOAP, "username": "x"}, "plex.base_url"),
        ({"paths": {"order_s": "/x"}}, "plex.paths.order_s"),
        ({"paths": {"orders": "no-slash"}}, "plex.paths.orders"),
        ({"paths": {"order": "/x/{nothing}"}}, "plex.paths.order"),
        ({"filters": {"modified": "x"}}, "plex.filters.modified"),
        ({"fields": {"poNummer": "x"}}, "plex.fields.poNummer"),
        ({"fields": {"nowhere.poNumber": "x"}}, "plex.fields.nowhere.poNumber"),
    ],
)
def test_settings_that_lack_something_name_the_key(clock, settings, key):
    base = {"api": Api.CONNECT, "base_url": "https://plex.example"}
    if key != "plex.tenant_id":
        base["tenant_id"] = TENANT
    with pytest.raises(ConfigurationFault) as caught:
        connect_to_plex(PlexSettings(**(base | settings)), "secret-secret", clock=clock)
    assert [problem.key for problem in caught.value.problems] == [key]


def test_a_key_with_a_line_break_is_reported_as_such(clock):
    settings = PlexSettings(api=Api.CONNECT, base_url="https://plex.example", tenant_id=TENANT)
    with pytest.raises(CredentialsFault):
        connect_to_plex(settings, "abc\ndef", clock=clock)


def test_every_interface_has_a_secret_of_its_own_kind():
    assert {api: secret_name(api) for api in Api} == {
        Api.CONNECT: "plex-api-key",
        Api.OAUTH2: "plex-client-secret",
        Api.DATASOURCE: "plex-password",
        Api.SOAP: "plex-password",
    }
