"""One set-up by `plexstedi init`: the values so far, and the responses of Plex and Stedi."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from msgspec import Struct, field

from plexstedi.cli.invocation import Invocation
from plexstedi.cli.setup.questions import KeptAnswers, Question, ask
from plexstedi.cli.setup.suppliers import CHOSEN, ask_partnerships, must_be_known, pick_suppliers, suppliers_of
from plexstedi.cli.setup.trial import offer, provisional, tell
from plexstedi.config.load import Config
from plexstedi.config.new import InitOptions
from plexstedi.config.new_suppliers import NewSupplier
from plexstedi.config.tables import PlexApi, WriteBack
from plexstedi.errors import PlexStediError
from plexstedi.secret_names import SecretName

PLEX_SECRETS: Mapping[PlexApi, SecretName] = {
    PlexApi.CONNECT: SecretName.PLEX_API_KEY,
    PlexApi.OAUTH2: SecretName.PLEX_CLIENT_SECRET,
    PlexApi.DATASOURCE: SecretName.PLEX_PASSWORD,
    PlexApi.SOAP: SecretName.PLEX_PASSWORD,
}
_COMPANY_OPTIONS: Mapping[PlexApi, str] = {
    PlexApi.CONNECT: "--tenant-id",
    PlexApi.DATASOURCE: "--company-code",
    PlexApi.SOAP: "--company-code",
}
"""The option that says which company is meant; OAuth2 has none that must be given."""


class Guided(Struct):
    """The values given and typed; keys are tried and suppliers chosen as they allow it."""

    invocation: Invocation
    kept: KeptAnswers
    given: dict[str, str | None]
    """By option; None: not known yet."""
    questions: Mapping[str, Question]
    """By option."""
    tenant_code: str | None
    try_keys: bool
    suppliers: tuple[NewSupplier, ...]
    """Given as options, or chosen on a terminal."""
    tenant: str | None = None
    """The tenant of the Plex key, once Plex has accepted it."""
    accepted: list[str] = field(default_factory=list)
    on_a_terminal: bool = field(default_factory=lambda: sys.stdin.isatty() and sys.stderr.isatty())

    @property
    def api(self) -> PlexApi | None:
        """The Plex interface, once it is known."""
        name = self.given["--api"]
        return PlexApi(name) if name else None

    def answers(self) -> InitOptions:
        """The values for the file; what is not known yet has a harmless value, to try keys with."""
        given = self.given
        return InitOptions(
            api=PlexApi(given["--api"] or ""),
            base_url=given["--base-url"],
            tenant_id=given["--tenant-id"],
            tenant_code=self.tenant_code,
            token_url=given["--token-url"],
            client_id=given["--client-id"],
            usage_indicator=given["--usage-indicator"] or "T",
            company=given["--company"] or "-",
            write=WriteBack(given["--write"] or WriteBack.REPORT_ONLY),
            every_minutes=_number(given["--every-minutes"]),
            timezone=given["--timezone"] or None,
            key_rotation_days=_number(given["--key-rotation-days"]),
            username=given["--username"],
            company_code=given["--company-code"],
            suppliers=self.suppliers,
        )

    def look_at_plex(self) -> None:
        """On a terminal: try the Plex key, and let the user choose suppliers if it works."""
        # Load httpx only if a service is called.
        from plexstedi.sync.first_setup.first_look import suppliers_in_plex, tenant_of_key

        config, clock = self._provisional(), self.invocation.clock
        if not self.suppliers and CHOSEN.option in self.kept.answers:
            self.suppliers = suppliers_of(self.kept.answers[CHOSEN.option])
            tell(f"{CHOSEN.text}: {self._codes() or '(not set)'}")
        if config is None:
            return
        secret = PLEX_SECRETS[config.plex.api]
        tenant = offer(
            self.invocation,
            secret,
            lambda: tenant_of_key(self._provisional() or config, self.invocation.secrets(), clock),
            asked=self.try_keys,
            name_company=self._name_company if config.plex.api in _COMPANY_OPTIONS else None,
        )
        if tenant is None:
            return
        self._plex_accepts(secret, tenant.id, tenant.code)
        if self.suppliers or CHOSEN.option in self.kept.answers:
            return
        picked = pick_suppliers(
            lambda with_orders: suppliers_in_plex(config, self.invocation.secrets(), clock, with_orders=with_orders)
        )
        if picked is not None:
            self.suppliers = picked
            self.kept.keep(CHOSEN.option, self._codes())

    def look_at_stedi(self) -> None:
        """On a terminal: try the Stedi key, and ask for the partnership of each supplier."""
        # Load httpx only if a service is called.
        from plexstedi.sync.first_setup.first_look import SeenPartnership, partnerships_at_stedi, try_stedi

        config, clock, secret = self._provisional(), self.invocation.clock, SecretName.STEDI_API_KEY
        if config is None:
            return

        def accepted() -> bool:
            try_stedi(config, self.invocation.secrets(), clock)
            return True

        seen: tuple[SeenPartnership, ...] = ()
        if offer(self.invocation, secret, accepted, asked=self.try_keys):
            self._stedi_accepts(secret)
            if self.suppliers:
                try:
                    seen = partnerships_at_stedi(config, self.invocation.secrets(), clock)
                except PlexStediError as fault:
                    tell(f"Stedi's transactions cannot be read: {fault.message}. {fault.fix}")
        if self.suppliers:
            self.suppliers = ask_partnerships(self.suppliers, seen)

    def try_without_questions(self, config: Config) -> None:
        """Try both keys with the configuration that was written, and look for each supplier in Plex.

        Raise CredentialsFault, ServiceRefused, ServiceUnavailable; UsageFault for a supplier that Plex does not have.
        """
        from plexstedi.sync.first_setup.first_look import suppliers_in_plex, tenant_of_key, try_stedi

        secrets, clock = self.invocation.secrets(), self.invocation.clock
        tenant = tenant_of_key(config, secrets, clock)
        self._plex_accepts(PLEX_SECRETS[config.plex.api], tenant.id, tenant.code)
        if self.suppliers:
            must_be_known(
                [each.code for each in self.suppliers], suppliers_in_plex(config, secrets, clock, with_orders=False)
            )
        try_stedi(config, secrets, clock)
        self._stedi_accepts(SecretName.STEDI_API_KEY)

    def _codes(self) -> str:
        return ", ".join(each.code for each in self.suppliers)

    def _provisional(self) -> Config | None:
        return provisional(self.answers())

    def _name_company(self) -> None:
        option = _COMPANY_OPTIONS[PlexApi(self.given["--api"] or "")]
        answer = ask(self.questions[option])
        self.given[option] = answer
        self.kept.keep(option, answer)

    def _plex_accepts(self, secret: SecretName, tenant_id: str, code: str) -> None:
        self.tenant = f"{tenant_id} ({code})" if code and code != tenant_id else tenant_id
        self.accepted.append(secret.value)
        tell(f"Plex accepts {secret}: tenant {self.tenant}")

    def _stedi_accepts(self, secret: SecretName) -> None:
        self.accepted.append(secret.value)
        tell(f"Stedi accepts {secret}")


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
