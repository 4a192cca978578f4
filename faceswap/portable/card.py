"""What an exported model says of itself, inside its file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from faceswap.errors import ModelError

NAME = "faceswap"  # what the entry is called in the file
FORMAT = 1


@dataclass(frozen=True)
class Card:
    """What conversion and people need to know of an exported model.

    Attributes:
        network: Name in the registry of the network that was exported.
        size: Side of its pictures, pixels.
        coverage: Side of those pictures, extents of the mean face.
        side: Whose face it draws, 'a' or 'b'.
        precision: What its weights are stored as: float32, float16 or int8.
        pruned: Share of each layer's channels that was taken out, 0 to 1.
        model: Fingerprint of the checkpoint that was exported.
        version: Of the program that exported it.
        format: Version of this card.
    """

    network: str
    size: int
    coverage: float
    side: str
    precision: str
    pruned: float
    model: str
    version: str
    format: int = FORMAT

    def __str__(self) -> str:
        """As JSON, the way it stands in the file."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str | None, path: Path) -> Card:
        """The card of the file at `path`.

        Raises:
            ModelError: The file has none, it is damaged, or it is of a newer program.
        """
        if text is None:
            raise ModelError(f"{path} was not made by 'faceswap export': export a model folder")
        try:
            card = cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise ModelError(f"{path} says what it is in a way that is damaged: export it again") from error
        if card.format != FORMAT:
            raise ModelError(f"{path} is of format {card.format}, this program reads {FORMAT}")
        return card
