"""What a conversion says of its output: a mark in the pixels, notes, a signed manifest, a word on consent."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import Any

import faceswap
from faceswap.config import described, pick
from faceswap.errors import writing
from faceswap.models import fingerprint
from faceswap.options import ConvertConfig, ConvertOptions, SigningOptions
from faceswap.provenance.certificates import credentials
from faceswap.provenance.formats import beside
from faceswap.provenance.metadata import container_notes
from faceswap.provenance.signing import Provenance, mark_file
from faceswap.provenance.watermark import Mark

log = logging.getLogger(__name__)


class Marking:
    """How the outputs of a conversion say what they are.

    Attributes:
        mark: For the pixels of each face; None with --no-provenance.
        notes: For a container's metadata.
    """

    def __init__(self, config: ConvertConfig, run: int) -> None:
        """Find out, before any work, whether the output can be signed.

        Args:
            config: The options.
            run: The run's number.

        Raises:
            SigningError: There is no certificate that can sign today.
            ModelError: A model has not been trained.
        """
        self._config, self._run = config, run
        self._models = tuple((path.resolve().name, fingerprint(path, config.use)) for path in config.models)
        self.mark = None if config.no_provenance else Mark(run)
        self.notes = {} if config.no_provenance else container_notes(faceswap.__version__)
        if config.no_provenance:
            warn_unmarked(config)
        else:
            credentials(config.certificate, config.certificate_key)
            if not config.consent:
                _note_consent()

    def seal(self, made: Path, target: Path, source: Path) -> None:
        """Give a finished file its notes and manifest, if it is to have any, and its name.

        Args:
            made: The finished file; it is moved.
            target: The name.
            source: What it was made from.

        Raises:
            SigningError: It cannot be signed; `target` is as it was.
            OutputError: It cannot be written.
        """
        if self._config.no_provenance:
            with writing(target):
                os.replace(made, target)
                beside(target).unlink(missing_ok=True)  # of what stood there before
            return
        provenance = Provenance(
            source,
            self._models,
            faceswap.__version__,
            self._run,
            self._config.consent,
            self._config.consent_date,
            shaping(self._config),
            self._config.certificate,
            self._config.certificate_key,
        )
        sidecar = mark_file(made, target, provenance)
        if sidecar:
            warn_beside(target, sidecar)


def shaping(config: ConvertOptions) -> dict[str, Any]:
    """The options that shape the picture, ready for JSON."""
    signing = described(SigningOptions)
    return {name: value for name, value in pick(config, ConvertOptions).items() if name not in signing}


def warn_unmarked(config: SigningOptions) -> None:
    """Say in one line that the output will say nothing."""
    rest = (
        ", nor who agreed; say so" if config.consent else "; say so, and the people shown should have agreed"
    )
    log.warning("--no-provenance: nothing in the output will say that it was made with AI%s", rest)


def warn_beside(target: Path, sidecar: Path) -> None:
    """Say where the manifest is."""
    log.warning("%s cannot hold a manifest: keep %s beside it", target.name, sidecar.name)


@cache
def _note_consent() -> None:
    """Say once in a process what the law and decency ask for."""
    log.warning("the people shown should have agreed: --consent keeps who did, and to what, in the output")
