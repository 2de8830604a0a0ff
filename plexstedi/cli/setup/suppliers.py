"""Suppliers chosen in `plexstedi init` among those of Plex, and their partnerships among those that Stedi has seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexstedi.cli.setup.questions import Question, ask, one_of
from plexstedi.cli.setup.trial import tell
from plexstedi.config.new_suppliers import NewSupplier
from plexstedi.edi.read_settings import InvalidSettings
from plexstedi.edi.settings import SupplierSettings
from plexstedi.errors import PlexStediError, UsageFault
from plexstedi.plain_text import many

if TYPE_CHECKING:
    # Load httpx only if a service is called.
    from plexstedi.sync.first_setup.first_look import FoundSupplier, FoundSuppliers, SeenPartnership

_OPEN, _ALL, _NONE = "open", "all", "none"
_WHICH = Question(
    "",
    "Choose suppliers among those with open orders (open), among all (all), or later (none)",
    one_of((_OPEN, _ALL, _NONE)),
    default=_OPEN,
)


def codes_of(answer: str) -> tuple[str, ...]:
    """The codes of a list with commas, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, answer.split(",")))))


def suppliers_of(answer: str) -> tuple[NewSupplier, ...]:
    """The suppliers of a list of codes with commas; no more is known of them."""
    return tuple(map(NewSupplier, codes_of(answer)))


CHOSEN = Question(
    "--supplier",
    "Suppliers to trade with, codes separated by commas",
    lambda answer: None if codes_of(answer) else "Enter codes, separated by commas.",
    optional=True,
)


def unknown_suppliers(codes: Collection[str], known: Collection[str]) -> str | None:
    """Which codes Plex does not have, with the nearest that it has; None: it has all."""
    missing = [code for code in codes if code not in known]
    if not missing:
        return None
    folded = {code.casefold(): code for code in known}
    near = [folded[each] for code in missing for each in get_close_matches(code.casefold(), folded, n=1)]
    hint = f"; similar: {', '.join(dict.fromkeys(near))}" if near else ""
    return f"Plex has no supplier {', '.join(missing)}{hint}"


def must_be_known(codes: Collection[str], found: FoundSuppliers) -> None:
    """Raise UsageFault for a code that Plex does not have."""
    wrong = unknown_suppliers(codes, {each.code for each in found.suppliers})
    if wrong is not None:
        raise UsageFault(wrong, fix="Give each --supplier the code that Plex shows, with the same capitalization.")


def pick_suppliers(look: Callable[[bool], FoundSuppliers]) -> tuple[NewSupplier, ...] | None:
    """Let the user choose among the suppliers of Plex; None: later.

    `look` reads them, with their open orders or without.
    """
    which = ask(_WHICH)
    if which == _NONE:
        return None
    try:
        found = look(which == _OPEN)
    except PlexStediError as fault:
        tell(f"{fault.message}. {fault.fix}")
        tell("No supplier chosen; add a [suppliers.CODE] table for each later.")
        return None
    shown = [each for each in found.suppliers if which == _ALL or each.open_orders]
    _list(shown)
    if found.orders_read < found.orders_open:
        open_now = many(found.orders_open, "open order")
        tell(f"Read: the newest {found.orders_read} of {open_now}. Any code of Plex may be given.")
    names = {each.code: each.name for each in found.suppliers}
    answer = ask(replace(CHOSEN, problem=lambda answer: unknown_suppliers(codes_of(answer), names)))
    return tuple(NewSupplier(code, names[code]) for code in codes_of(answer))


def ask_partnerships(suppliers: Sequence[NewSupplier], seen: Sequence[SeenPartnership]) -> tuple[NewSupplier, ...]:
    """The same with their partnerships, as the user names them, and the settings that Stedi's transactions show."""
    if seen:
        tell(f"Partnerships in Stedi's recent transactions: {', '.join(each.partnership_id for each in seen)}")
    settings = {each.partnership_id: each.settings for each in seen}
    chosen = []
    for supplier in suppliers:
        answer = ask(Question("", f"Stedi partnership of {supplier.code}", _partnership, optional=True))
        chosen.append(replace(supplier, partnership_id=answer or None, settings=settings.get(answer, {})))
    return tuple(chosen)


def _partnership(answer: str) -> str | None:
    try:
        SupplierSettings.of({"partnership_id": answer})
    except InvalidSettings:
        return (
            f"{answer} is not a partnership identifier: letters, digits, '.', '_' and '-', as the Stedi portal shows."
        )
    return None


def _list(suppliers: Sequence[FoundSupplier]) -> None:
    if not suppliers:
        tell("Plex shows none.")
        return
    width = max(len(each.code) for each in suppliers)
    for each in suppliers:
        count = each.open_orders
        orders = f" ({many(count, 'open order')})" if count else ""
        tell(f"  {each.code:<{width}}  {each.name}{orders}")
