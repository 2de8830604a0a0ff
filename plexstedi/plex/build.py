"""Builds the Plex client from the settings and a secret."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import assert_never

import httpx

from plexstedi.clock import Clock
from plexstedi.errors import ConfigurationFault, Problem
from plexstedi.http.caller import LARGEST_RESPONSE, Attempt, Caller, CallLog, Deadline, PerMinute, RetryPolicy
from plexstedi.http.response import JSON, Refusal, ResponseForm
from plexstedi.plex.days import Days
from plexstedi.plex.port import MasterDataStore, PlexPort
from plexstedi.plex.rest.auth import OAUTH2_REFUSAL, ClientCredentials, connect_headers, connect_refusal, tenant_header
from plexstedi.plex.rest.client import Rest
from plexstedi.plex.rest.connect import CONNECT
from plexstedi.plex.rest.dialect import adapted
from plexstedi.plex.rest.oauth2 import OAUTH2
from plexstedi.plex.rest_port import AckValues, RestPlex
from plexstedi.plex.settings import Api, PlexSettings
from plexstedi.plex.writeback.custom_fields import DayFields
from plexstedi.plex.writeback.datasources import AnySources, DataSources, basic_headers, datasource_refusal
from plexstedi.plex.writeback.fields_connect import ConnectFields
from plexstedi.plex.writeback.fields_oauth2 import OAuth2Fields
from plexstedi.plex.writeback.records_datasource import DataSourceRecords
from plexstedi.plex.writeback.release_keys import RestReleaseKeys

DATASOURCE_PATH = "/api/datasources"
"""Below `plex.base_url`, the host of the tenant's Plex."""


def secret_name(api: Api) -> str:
    """The name of the secret that this interface requires."""
    match api:
        case Api.CONNECT:
            return "plex-api-key"
        case Api.OAUTH2:
            return "plex-client-secret"
        case Api.DATASOURCE | Api.SOAP:
            return "plex-password"
        case _:
            assert_never(api)


def how_to_renew(name: str) -> str:
    """The fix text for replacing a secret that is stored in the keyring."""
    return f"run `plexstedi credentials set {name}`"


def connect_to_plex(
    settings: PlexSettings,
    secret: str,
    *,
    account_password: str | None = None,
    api_secret: str | None = None,
    clock: Clock,
    deadline: Deadline | None = None,
    call_log: CallLog | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
    retry: RetryPolicy | None = None,
    rng: random.Random | None = None,
    transport: httpx.BaseTransport | None = None,
    largest_response: int = LARGEST_RESPONSE,
    renewal: str | None = None,
    account_renewal: str | None = None,
    kept: MasterDataStore | None = None,
) -> PlexPort:
    """A client for the Plex of these settings; makes no call yet.

    `account_password` is the web service account's, required with `settings.records`; `api_secret` is the optional
    second secret of an app of Plex Connect; `largest_response` is in bytes;
    `renewal` and `account_renewal` are the fix texts for a refused secret or password; `kept` is the master data of
    earlier runs. Raise ConfigurationFault for
    incomplete settings or an interface that is not implemented, CredentialsFault for a secret that cannot be sent.
    """
    renewal_fix = renewal or how_to_renew(secret_name(settings.api))
    limiter = PerMinute(settings.requests_per_minute, service="Plex", clock=clock, call_log=call_log)

    def caller(
        headers: Mapping[str, str],
        auth: httpx.Auth | None,
        refusal: Refusal,
        base_url: str = settings.base_url,
        form: ResponseForm = JSON,
    ) -> Caller:
        return Caller(
            "Plex",
            base_url,
            headers=headers,
            auth=auth,
            read_timeout=settings.read_timeout,
            limiter=limiter,
            retry=retry,
            clock=clock,
            rng=rng,
            deadline=deadline,
            transport=transport,
            on_attempt=on_attempt,
            refusal=refusal,
            largest_response=largest_response,
            form=form,
            legacy_tls=settings.legacy_tls,
        )

    day_fields = DayFields(settings.day_fields, Days(settings.timezone))
    fields: AckValues
    match settings.api:
        case Api.CONNECT:
            tenant = tenant_header(settings.tenant_id, settings.customer_id)
            if not tenant:
                _needed("tenant_id", None)
            dialect = adapted(CONNECT, settings)
            headers = connect_headers(secret, tenant, api_secret)
            rest = Rest(caller(headers, None, connect_refusal(renewal_fix)), dialect, kept)
            fields = ConnectFields(rest, settings.objects, day_fields)
        case Api.OAUTH2:
            auth = ClientCredentials(
                token_url=_needed("auth.token_url", settings.token_url),
                client_id=_needed("auth.client_id", settings.client_id),
                client_secret=secret,
                clock=clock,
                renewal=renewal_fix,
            )
            rest = Rest(caller({}, auth, OAUTH2_REFUSAL), adapted(OAUTH2, settings), kept)
            fields = OAuth2Fields(rest, day_fields)
        case Api.DATASOURCE:
            refusal = datasource_refusal(renewal_fix)
            headers = basic_headers(_needed("auth.username", settings.username), secret)
            account = caller(headers, None, refusal, settings.base_url + DATASOURCE_PATH)
            return _by_account(account, DataSources(account), settings, kept)
        case Api.SOAP:
            from plexstedi.plex.datasource.soap import SOAP_FORM, SoapSources

            refusal = datasource_refusal(renewal_fix)
            headers = basic_headers(_needed("auth.username", settings.username), secret)
            base, _, service = settings.base_url.rstrip("/").rpartition("/")
            if "//" not in base:
                example = "https://api.plexonline.com/DataSource/Service.asmx"
                problem = Problem("configuration", "plex.base_url", "names no service", f"Write it like {example}")
                raise ConfigurationFault([problem])
            account = caller(headers, None, refusal, base, SOAP_FORM)
            limits = {source.id: source.row_limit for source in settings.tables.values()}
            return _by_account(account, SoapSources(account, f"/{service}", limits), settings, kept)
        case _:
            assert_never(settings.api)
    former = _former(settings)
    records = settings.records
    if records is None:
        return RestPlex(
            rest,
            fields,
            settings.statuses,
            former=former,
            parallel_calls=settings.parallel_calls,
            with_approved=settings.approved_supplier_parts,
        )
    headers = basic_headers(records.username, _needed("auth.username", account_password))
    account = caller(headers, None, datasource_refusal(account_renewal or how_to_renew("plex-password")), records.url)
    keys = RestReleaseKeys(rest, settings.objects)
    values = DataSourceRecords(DataSources(account), records, keys, day_fields.days)
    return RestPlex(
        rest,
        values,
        settings.statuses,
        account=account,
        former=former,
        parallel_calls=settings.parallel_calls,
        with_approved=settings.approved_supplier_parts,
    )


def _by_account(account: Caller, sources: AnySources, settings: PlexSettings, kept: MasterDataStore | None) -> PlexPort:
    """The client of a tenant that is read through data sources alone."""
    # What only these two interfaces use is not loaded for the other two.
    from plexstedi.plex.datasource.releases import SourceReleaseKeys
    from plexstedi.plex.datasource.source_port import DataSourcePlex
    from plexstedi.plex.datasource.tables import SourceTables

    days = Days(settings.timezone)
    tables = SourceTables(sources, settings.tables, days, kept)
    records = settings.records
    values = None if records is None else DataSourceRecords(sources, records, SourceReleaseKeys(tables), days)
    return DataSourcePlex(account, tables, settings, values, _former(settings))


def _former(settings: PlexSettings) -> tuple[Days, ...]:
    return tuple(Days(zone) for zone in settings.former_timezones if zone != settings.timezone)


def _needed(key: str, value: str | None) -> str:
    if value is None:
        raise ConfigurationFault([Problem("configuration", f"plex.{key}", "is missing", "Set it")])
    return value
