"""``python -m zchat`` is ``zchat``."""

from zchat.cli import main

if __name__ == "__main__":
    main()
