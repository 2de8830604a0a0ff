"""Parse received 855, 865, 997 and TA1, as Guide JSON or X12, to typed values."""
