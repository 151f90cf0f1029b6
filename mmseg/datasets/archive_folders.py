"""Archives unpack into folders of their own, such as ``RAND_CITYSCAPES/RGB``: where a missing folder may lie."""

from __future__ import annotations

from pathlib import Path


def found_deeper(data_root: str, inside: str) -> str:
    """The end of a message about a missing folder: that it is one folder deeper; empty if it is not.

    Args:
        data_root: folder of the dataset.
        inside: path of the missing folder in it.
    """
    deeper = [folder for folder in sorted(Path(data_root).glob('*')) if (folder / inside).is_dir()]
    return f'; it is in {deeper[0]}: move the contents of that folder up, or give it as the data root' if deeper else ''
