"""`python -m faceswap`."""

from faceswap.cli import main

if __name__ == "__main__":
    main()
