"""Bulk decisions reach exactly the items that the options describe: never one that something else holds."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.subject import Subject
from plexstedi.sync.people.review_selection import Filters, ReviewCandidate, select


def item(number: int = 1, **more) -> Review:
    told = {"kind": ReviewKind.LINE_HELD, "supplier": "ACME01", "order_number": "PO-1", "line": 10, **more}
    return Review(
        id=number,
        subject=Subject("x", None, "t1"),
        order_id="o1",
        reasons=(),
        state="open",
        opened_at=datetime(2026, 11, 23, tzinfo=UTC),
        closed_at=None,
        closed_by=None,
        closing_reason=None,
        **told,
    )


def late(days: int | None, *codes: str, off: str | None = "0") -> ReviewCandidate:
    return ReviewCandidate(item(), frozenset(codes), days, None if off is None else Decimal(off))


@pytest.mark.parametrize(
    ("candidate", "filters", "selected"),
    [
        (late(5, "date"), Filters(max_days_late=5), True),
        (late(6, "date"), Filters(max_days_late=5), False),
        (late(-3, "date"), Filters(max_days_late=0), True),
        (late(None, "date"), Filters(max_days_late=5), False),
        (late(1, "date", "other-part"), Filters(max_days_late=5), False),
        (late(1, "date", "quantity", off="1"), Filters(max_days_late=5), False),
        (late(1, "date", "quantity", off="1"), Filters(max_days_late=5, within=Decimal(1)), True),
        (late(1, "date", "quantity", off="1.01"), Filters(max_days_late=5, within=Decimal(1)), False),
        (late(90, "quantity", off="1"), Filters(within=Decimal(2)), True),
        (late(90, "quantity", off="1"), Filters(within=Decimal(2), max_days_late=5), False),
        (late(0, "price", off="2"), Filters(within=Decimal("1.99")), False),
        (late(0, "price", off=None), Filters(within=Decimal(100)), False),
        (late(0), Filters(max_days_late=5), False),
        (late(0, "rejected"), Filters(max_days_late=5), False),
        (late(0, "rejected"), Filters(supplier="ACME01"), True),
        (late(0), Filters(supplier="ACME02"), False),
        (late(0), Filters(kind=ReviewKind.NOTICE), False),
        (late(0), Filters(kind=ReviewKind.LINE_HELD, order="PO-1"), True),
        (late(0), Filters(order="PO-10"), False),
    ],
)
def test_an_item_is_selected_only_if_every_condition_holds(candidate, filters, selected):
    assert select([candidate], filters) == ((candidate,) if selected else ())


CODES = st.frozensets(st.sampled_from(["date", "quantity", "price", "backordered", "other-part", "code-held"]))
CANDIDATES = st.builds(
    ReviewCandidate,
    st.builds(
        item,
        st.integers(1, 99),
        supplier=st.sampled_from([None, "A", "B"]),
        order_number=st.sampled_from([None, "1", "2"]),
        kind=st.sampled_from(ReviewKind),
    ),
    CODES,
    st.none() | st.integers(-30, 30),
    st.none() | st.decimals(0, 100, places=2),
)
FILTERS = st.builds(
    Filters,
    supplier=st.none() | st.sampled_from(["A", "B"]),
    kind=st.none() | st.sampled_from(ReviewKind),
    order=st.none() | st.sampled_from(["1", "2"]),
    max_days_late=st.none() | st.integers(0, 30),
    within=st.none() | st.decimals(0, 100, places=2),
)


@given(st.lists(CANDIDATES), FILTERS)
def test_one_item_is_selected_for_itself_whatever_else_is_open(candidates, filters):
    chosen = select(candidates, filters)
    assert list(chosen) == [each for each in candidates if select([each], filters)]


@given(st.lists(CANDIDATES), FILTERS, st.integers(0, 30))
def test_a_narrower_limit_never_selects_more(candidates, filters, days):
    if filters.max_days_late is None:
        return
    wider = Filters(filters.supplier, filters.kind, filters.order, filters.max_days_late + days, filters.within)
    assert {id(each) for each in select(candidates, filters)} <= {id(each) for each in select(candidates, wider)}


@given(st.lists(CANDIDATES), FILTERS)
def test_what_no_filter_measures_is_never_accepted_by_a_limit(candidates, filters):
    if filters.max_days_late is None and filters.within is None:
        return
    for each in select(candidates, filters):
        assert each.reason_codes
        assert not {"other-part", "code-held"} & each.reason_codes
