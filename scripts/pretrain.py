"""Make the weights that `swift` starts from, out of a folder of face pictures.

    python scripts/pretrain.py PICTURES WORK --steps 4000 -o models/swift/base.npz

One encoder and one decoder learn to draw all of the people, so that a training of two only has to learn what
these two look like. WORK keeps the faceset, the faces at the size of the network, and checkpoints: stop it
and run it again, and it goes on. Written are the encoder and the decoder as float16, and the SHA-256 that
`faceswap/networks/base.py` is to be given.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from faceswap import ExtractConfig, FaceswapError, extract, registry
from faceswap.cli import bar
from faceswap.coaching.people import album_of, read_person
from faceswap.config import pick
from faceswap.faces.template import mean_landmarks
from faceswap.groundwork import COVERAGE, steadied
from faceswap.networks import base, checkpoint
from faceswap.networks.augmentation import Jitter
from faceswap.networks.autoencoder import Autoencoder, seed_everything
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album, Feed
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import Schedule, make
from faceswap.networks.preview import Sitters, sheet
from faceswap.networks.step import TrainingStep
from faceswap.options import AugmentOptions, LossOptions, TrainOptions
from faceswap.video.images import write_image

SAVE_SECONDS = 60.0
STEADY_FROM = 0.9  # share of the time from which faces are no longer warped


class Single(Autoencoder):
    """A network whose two decoders are one; it is trained and saved once."""

    @property
    def parts(self) -> dict:
        """Encoder and decoder."""
        return {"encoder": self.encoder, "decoder_a": self.decoder_a}


def main() -> int:
    """Parse, gather the faces, train, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="folder of pictures, one face each")
    parser.add_argument("work", type=Path, help="folder for what is kept between two runs")
    parser.add_argument("--steps", type=int, default=4000, help="steps taken in all")
    parser.add_argument("--batch-size", type=int, default=8, help="half of the faces in a step")
    parser.add_argument("--seed", type=int, default=7, help="seed of everything random")
    parser.add_argument("--network", default="swift", help="what is trained")
    parser.add_argument("-o", "--output", type=Path, default=Path("base.npz"), help="file to write")
    args = parser.parse_args()
    try:
        network = trained(args)
        digest = base.write(args.output, network)
    except FaceswapError as error:
        print(f"pretrain: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, sha256 {digest}")
    return 0


def trained(args: argparse.Namespace) -> Autoencoder:
    """The network after `args.steps` steps in all, or as far as Ctrl-C let it get."""
    seed_everything(args.seed)
    built: Autoencoder = registry.load(registry.NETWORKS, args.network)()
    network = Single(built.size, built.encoder, built.decoder_a, built.decoder_a)
    album = faces(args, ModelConfig(args.network, network.size, COVERAGE))
    optimizer = make("adam", 0, 0)
    objective = Objective(LossOptions(code_match=0.0), network.size, mean_landmarks(network.size, COVERAGE))
    step = TrainingStep(network, optimizer, objective=objective)
    state, folder = TrainingState(), args.work / "model"
    if checkpoint.has_checkpoint(folder):
        state = checkpoint.load(folder, network, optimizer)
    schedule = Schedule("cosine", step.rate)
    jitter = Jitter(**pick(TrainOptions(), AugmentOptions))
    feed = Feed((album, album), network.size, args.batch_size, args.seed, jitter)
    saved, remaining = time.monotonic(), max(args.steps - state.iterations, 0)
    try:
        with closing(feed.batches(state.iterations)) as batches:
            for batch in bar(islice(batches, remaining), total=remaining, desc="pre-training"):
                share = state.iterations / args.steps
                feed.jitter = steadied(jitter) if share >= STEADY_FROM else jitter
                step.rate = schedule.at(share, state.iterations)
                step(batch.inputs, batch.targets, batch.masks)
                state = replace(state, iterations=state.iterations + 1)
                if time.monotonic() - saved > SAVE_SECONDS:
                    checkpoint.save(folder, network, optimizer, state)
                    saved = time.monotonic()
    except KeyboardInterrupt:
        print(f"stopped after {state.iterations} steps", file=sys.stderr)
    checkpoint.save(folder, network, optimizer, state)
    shown, draw = Sitters(album.middles(network.size)[:5], [False] * 5), network.predictor("a")
    write_image(args.work / "preview.png", sheet(draw, draw, shown, shown, f"{state.iterations} steps"))
    return network


def faces(args: argparse.Namespace, model: ModelConfig) -> Album:
    """The pictures' faces at the size of the network, found once and kept."""
    kept = args.work / f"faces_{model.size}.npz"
    if not kept.exists():
        extract(ExtractConfig(sources=(args.pictures,), output=args.work / "faceset"), bar)
        album = album_of(read_person(args.work / "faceset", model), bar)
        np.savez(kept, images=album.images, masks=album.masks)
        return album
    with np.load(kept, allow_pickle=False) as arrays:
        return Album(arrays["images"], arrays["masks"])


if __name__ == "__main__":
    sys.exit(main())
