"""Options of the look at the machine."""

from __future__ import annotations

from dataclasses import dataclass

from faceswap.config import Options


@dataclass(frozen=True, kw_only=True)
class DoctorConfig(Options):
    """Look at the machine and the installation, and say what is wrong."""
