"""What kinds of evidence there are. Apart from the rules, which tables have no need of. Pure."""

from enum import StrEnum


class EvidenceKind(StrEnum):
    """The six kinds of evidence."""

    Q = "Q"
    SK = "SK"
    SIM = "SIM"
    OBS = "OBS"
    REF = "REF"
    HDR = "HDR"
