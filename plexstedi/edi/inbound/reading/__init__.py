"""A supplier's document as typed values: 855, 865, 997, TA1, as Guide JSON or X12."""
