"""Lesson 4: who is it? Ten people told apart by dense layers and by convolutions, in Keras.

Both networks end in ten numbers, turned into shares by softmax and judged by cross-entropy. The dense one
must see a face in every place; a convolution looks for the same small patterns everywhere. Without FOLDER,
which holds a subfolder of pictures for each person, ten people are drawn, never twice in one place or light.

    python scripts/lessons/ten_faces.py [FOLDER] -o ten_faces.png
"""

import argparse
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np

SIZE, PEOPLE, EACH, ROUNDS = 32, 10, 40, 30


def drawn(person: int, random: np.random.Generator) -> np.ndarray:
    """A picture of one of the ten, somewhere in the frame."""
    own = np.random.default_rng(100 + person)
    skin, hair, wide, apart, mouth = own.uniform([150, 10, 8, 3, 2], [230, 110, 11, 5.5, 5])
    image = np.full((SIZE, SIZE), random.uniform(60, 180), np.float32)
    x, y = SIZE / 2 + random.uniform(-2.5, 2.5, 2)
    cv2.ellipse(image, ((x, y - 3), (2 * wide + 3, 24), 0), hair, -1)
    cv2.ellipse(image, ((x, y), (2 * wide, 22), 0), skin, -1)
    for side in (-1, 1):
        cv2.circle(image, (round(x + side * apart), round(y - 2)), 1, 20, -1)
    cv2.ellipse(image, ((x, y + 6), (2 * mouth, random.uniform(1.5, 4)), 0), 60, -1)
    light = random.uniform(0.75, 1.15) + np.linspace(-0.2, 0.2, SIZE) * random.uniform(-1, 1)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7) * light + random.normal(0, 6, image.shape), 0, 255)


def found(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The faces in the pictures of ten subfolders, and whose each is."""
    from faceswap.faces.alignment import align, cut
    from faceswap.finding import Finder
    from faceswap.options import ExtractOptions
    from faceswap.types import Pixels
    from faceswap.video.images import images_in, read_image

    sight, faces = Finder(ExtractOptions()).sight(), []
    for person, place in enumerate(sorted(folder.glob("*/"))[:PEOPLE]):
        for picture in (Pixels(read_image(path)) for path in images_in(place)[:EACH]):
            for seen in sight.everywhere(picture)[:1]:
                face = cut(picture, align(sight.face(picture, seen, 0)[0].landmarks, SIZE, 1.6))
                faces.append((cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), person))
    return np.array([face for face, _ in faces]), np.array([person for _, person in faces])


def networks() -> dict:
    """The two networks, untrained."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    picture = keras.Input((SIZE, SIZE, 1))
    convolutions = [layers.Conv2D(n, 3, 2, "same", activation="relu") for n in (16, 32, 64)]
    kinds = {"dense": [layers.Flatten(), layers.Dense(64, "relu")], "convolutional": convolutions}
    return {
        name: keras.Sequential([picture, *parts, layers.Flatten(), layers.Dense(PEOPLE, "softmax")])
        for name, parts in kinds.items()
    }


def main() -> None:
    """Train both on three quarters of the pictures, and draw what they say of the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a subfolder of pictures for each person")
    parser.add_argument("-o", "--output", type=Path, default=Path("ten_faces.png"), help="picture to write")
    args = parser.parse_args()
    random, y = np.random.default_rng(5), np.repeat(range(PEOPLE), EACH)
    x, y = found(args.folder) if args.folder else (np.array([drawn(p, random) for p in y]), y)
    fewest = np.bincount(y.astype(int), minlength=PEOPLE).min()
    if not fewest:
        parser.error(f"{args.folder} needs {PEOPLE} subfolders, each with pictures that show a face")
    x = x.astype(np.float32)[..., None] / 255
    held = np.arange(len(y)) % 4 == 0
    twice = np.concatenate([x[~held], x[~held][:, :, ::-1]]), np.tile(y[~held], 2)  # mirrored
    figure, axes = plt.subplots(2, 2, figsize=(9.5, 8), layout="constrained")
    axes[0, 1].imshow(np.hstack([np.vstack(x[y == p][:fewest, ..., 0][:6]) for p in range(10)]), cmap="gray")
    axes[0, 1].set(title="the people", xticks=[], yticks=[])
    for (name, network), place in zip(networks().items(), axes[1], strict=True):
        network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        kept = network.fit(*twice, 16, ROUNDS, verbose=0, validation_data=(x[held], y[held])).history
        axes[0, 0].plot(kept["val_accuracy"], label=f"{name}, {network.count_params():,} weights")
        said = network.predict(x[held], verbose=0).argmax(1)
        print(right := f"{name}: {(said == y[held]).mean():.1%} of {held.sum()} unseen pictures right")
        place.imshow(np.histogram2d(y[held], said, PEOPLE, [[0, PEOPLE]] * 2)[0], cmap="Blues")
        place.set(title=right.replace(" of", "\nof"), xlabel="taken for", ylabel="is")
    axes[0, 0].legend()
    axes[0, 0].set(xlabel="round", title="accuracy on unseen pictures", ylim=(0, 1.02))
    figure.savefig(args.output, dpi=90)


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()
