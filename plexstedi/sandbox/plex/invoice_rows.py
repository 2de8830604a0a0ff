"""Customer (AR) invoices as rows of Plex Connect."""

from __future__ import annotations

from decimal import Decimal

from plexstedi.sandbox.plex.records import Invoice, InvoiceLine
from plexstedi.sandbox.plex.rows import Row, Value, day, number, sparse, stamp


def invoice_row(invoice: Invoice) -> Row:
    """One AR invoice with its lines and taxes; the spelling of `taxbleAmount` is Plex's own."""
    cent = Decimal("0.01")
    net = sum(((line.quantity * line.unit_price).quantize(cent) for line in invoice.lines), Decimal(0))
    tax = sum((line.tax_amount or Decimal(0) for line in invoice.lines), Decimal(0))
    amount = number(net + tax)
    return sparse(
        {
            "id": invoice.id,
            "invoiceNumber": invoice.number,
            "creditMemo": None,
            "customerId": None,
            "customerCode": invoice.customer_code,
            "customerBillToId": None,
            "customerBillToCode": None,
            "customerShipToId": None,
            "customerShipToCode": None,
            "customerOrderNos": None,
            "customerPONo": invoice.customer_order,
            "buildingCode": None,
            "periodDisplay": f"{invoice.day:%m-%Y}",
            "transactionDate": day(invoice.day),
            "currencyCode": invoice.currency,
            "exchangeRate": number(Decimal(1)),
            "terms": invoice.terms,
            "dueDate": day(invoice.due, local_midnight=invoice.number.endswith(("0", "2", "4", "6", "8"))),
            "invoiceNote": None,
            "internalNote": None,
            "voucherNumber": None,
            "status": invoice.status,
            "governmentIssuedNumber": None,
            "type": None,
            "createdById": None,
            "createdDate": stamp(invoice.created),
            "modifiedById": None,
            "modifiedDate": stamp(invoice.modified),
            "taxableDate": None,
            "amount": amount,
            "currencyAmount": None,
            "paid": False,
            "paidDate": None,
            "expectedPayDate": None,
            "paidPeriod": None,
            "discount": None,
            "discountDueDate": None,
            "balance": amount,
            "currencyBalance": None,
            "void": invoice.void,
            "consolidatedLinkId": None,
            "booked": invoice.booked,
            "referenceNo": None,
            "shipperNo": None,
            "poNumber": None,
            "poId": None,
            "lines": [_invoice_line_row(line, invoice) for line in invoice.lines],
        },
        invoice.id,
    )


def _invoice_line_row(line: InvoiceLine, invoice: Invoice) -> Row:
    net = line.quantity * line.unit_price
    taxes: list[Value] = []
    if line.tax_amount is not None:
        taxes.append(
            {
                "lineId": line.id,
                "taxCode": line.tax_code,
                "taxDescription": "State sales tax",
                "taxRate": number(Decimal("0.06")),
                "taxAmount": number(line.tax_amount),
                "taxbleAmount": number(net),
                "tax": True,
            }
        )
    row: Row = {
        "lineId": line.id,
        "accountNumber": "40010-000",
        "accountId": None,
        "baseSegment": None,
        "costCenterSegment": None,
        "subAccountSegment": None,
        "description": line.description,
        "credit": number(net.quantize(Decimal("0.01"))),
        "debit": number(Decimal(0)),
        "currencyCredit": None,
        "currencyDebit": None,
        "unitPrice": number(line.unit_price),
        "quantity": number(line.quantity),
        "accountingJobNumber": None,
        "referenceNo": None,
        "itemTaxCode": line.tax_code,
        "voucherDescription": None,
        "customerOrderNo": invoice.customer_order,
        "poId": None,
        "poLineId": None,
        "shipperNo": None,
        "shipperLineId": None,
        "shipperId": None,
        "uoM": line.unit,
        "endUnitNumber": None,
        "offset": None,
        "partId": None,
        "partNo": line.part_number,
        "taxes": taxes,
    }
    return sparse(row, line.id)
