"""The TA1, as JSON of whatever shape or as X12: what it says of our interchange, or that it says nothing."""

from __future__ import annotations

import json

import pytest

from plexstedi.edi.inbound.reading.interchange_ack import EnvelopeVerdict, InterchangeAck, ta1_of_json, ta1_of_x12

ISA = "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *261124*0815*U*00401*000000007*0*T*>~"


def read_ta1(document: str) -> tuple[InterchangeAck, ...]:
    """In whichever of the two forms it comes."""
    try:
        return ta1_of_json(json.loads(document))
    except ValueError:
        return ta1_of_x12(document)


def said(document: str) -> list[tuple[int, str, str]]:
    return [(ack.interchange_control, ack.verdict.value, ack.note) for ack in read_ta1(document)]


@pytest.mark.parametrize(
    "document",
    [
        f"{ISA}TA1*000000042*261124*0810*R*025~IEA*0*000000007~",
        ISA.replace("*", "|").replace("~", "\n") + "TA1|000000042|261124|0810|R|025\nIEA|0|000000007\n",
        "TA1*000000042*261124*0810*R*025~",
        json.dumps(
            {
                "interchange_acknowledgment_TA1": {
                    "interchange_control_number_01": 42,
                    "interchange_acknowledgment_code_04": "R",
                    "interchange_note_code_05": "025",
                }
            }
        ),
        json.dumps({"heading": {"acks": [{"x_TA1": {"a_01": "000000042", "b_04": "r", "c_05": 25}}]}}),
    ],
    ids=["x12", "other separators", "bare segment", "json", "json of another shape"],
)
def test_a_rejected_envelope_is_read_in_whatever_form_it_comes(document):
    assert said(document) == [(42, "rejected", "an interchange with this control number came in before")]


@pytest.mark.parametrize(
    ("code", "note", "expected"),
    [
        ("A", "000", (EnvelopeVerdict.ACCEPTED, "")),
        ("E", "014", (EnvelopeVerdict.ACCEPTED_WITH_ERRORS, "its date is not valid")),
        ("R", "031", (EnvelopeVerdict.REJECTED, "its note code is 031")),
    ],
)
def test_codes_become_words_and_an_unknown_note_keeps_its_number(code, note, expected):
    (ack,) = read_ta1(f"{ISA}TA1*000000001*261124*0810*{code}*{note}~IEA*0*000000007~")
    assert (ack.verdict, ack.note) == expected


def test_several_in_one_file_are_all_read():
    text = f"{ISA}TA1*1*261124*0810*A*000~TA1*2*261124*0810*R*022~IEA*0*000000007~"
    assert [(control, verdict) for control, verdict, _ in said(text)] == [(1, "accepted"), (2, "rejected")]


@pytest.mark.parametrize(
    "document", ["", "TA1", "{}", '{"TA1": 1}', "TA1*x*1*1*A*000~", "TA1*1*1*1*Q*000~", "DATA1*5*6*7*A*000~", "[[[]]]"]
)
def test_what_is_no_ta1_says_nothing(document):
    assert said(document) == []
