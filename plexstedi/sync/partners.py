"""Trading partners by partnership, and what is known of a partner."""

from __future__ import annotations

from msgspec import structs

from plexstedi.edi.partner import Partner
from plexstedi.sync.session import Session


def supplier_of(session: Session, partnership: str | None) -> str | None:
    """The supplier of this partnership, now or when its documents were sent (RULES.md Reading 10).

    None if neither the configuration nor any document names it.
    """
    if partnership is None:
        return None
    found = (code for code, settings in session.config.suppliers.items() if settings.partnership_id == partnership)
    return next(found, None) or session.store.documents.partner_over(partnership, invoices=False)


def customer_of(session: Session, partnership: str | None) -> str | None:
    """The customer that receives or received invoices over this partnership; None if there is none."""
    if partnership is None:
        return None
    found = (code for code, settings in session.config.customers.items() if settings.partnership_id == partnership)
    return next(found, None) or session.store.documents.partner_over(partnership, invoices=True)


def configured_partner(session: Session, code: str) -> Partner:
    """A configured supplier as documents are built for it, without its name and address from Plex.

    Raise KeyError if it has no table, ConfigurationFault if a guide cannot be read.
    """
    # A guide is read and compiled once per command, not once per order.
    if code not in session.partners:
        session.partners[code] = session.config.partner(code)
    return session.partners[code]


def partner_of(session: Session, code: str, address_id: str | None = None) -> Partner:
    """A configured supplier with its name and address from Plex. Raise KeyError, ConfigurationFault.

    `address_id`: the address of the supplier that the order names.
    """
    known = session.store.orders.supplier(code, address_id)
    partner = configured_partner(session, code)
    if known is None:
        return partner
    return structs.replace(partner, name=known.name, address=known.address)
