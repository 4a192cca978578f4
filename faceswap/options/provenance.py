"""Options of what an output says of itself, and of reading that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")


@dataclass(frozen=True, kw_only=True)
class ConsentOptions(Options):
    """Who agreed to be shown."""

    consent: str = option("", "who agreed to this swap, and to what; kept in the output's manifest")
    consent_date: str = option("", "when they agreed, as YYYY-MM-DD")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.consent_date:
            try:
                date.fromisoformat(self.consent_date)
            except ValueError as error:
                raise UsageError(
                    f"consent_date must be a day as YYYY-MM-DD, not '{self.consent_date}'"
                ) from error
            if not self.consent:
                raise UsageError("consent_date needs --consent, which says who agreed")


@dataclass(frozen=True, kw_only=True)
class SigningOptions(ConsentOptions):
    """What is signed, and with what; the picture is the same."""

    certificate: Path | None = option(
        None, "PEM file of the certificate chain to sign with; default: this machine's own"
    )
    certificate_key: Path | None = option(
        None, "PEM file of its private key, where it is not in the certificate's"
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.certificate_key and not self.certificate:
            raise UsageError("certificate_key needs --certificate, whose key it is")


@dataclass(frozen=True, kw_only=True)
class ProvenanceOptions(SigningOptions):
    """What an output says of itself."""

    no_provenance: bool = option(False, "write no manifest, no notes and no mark in the pixels")
    label: bool = option(False, "draw a visible label, 'AI-modified', on every changed frame")
    label_position: str = option("bottom-right", "where the label stands", choices=CORNERS)
    label_size: float = option(0.04, "height of the label as a share of the frame's", low=0.01, high=0.2)


@dataclass(frozen=True, kw_only=True)
class InspectConfig(Options):
    """Say where a file comes from: its manifest, its notes and the mark in its pixels.

    Ends with 0 where this program made the file and it is whole, 11 where it was altered since, 12 where only
    traces are left, 13 where another program made it, 14 where nothing is found, 3 where it cannot be read.
    """

    file: Path = option(help="video or image to look at", positional=True)
    json: bool = option(False, "print it as JSON, for other programs")
