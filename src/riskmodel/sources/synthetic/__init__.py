"""A fictional police-force region in the layouts of the real published files, with the truth behind it.

In: a folder, a size, a seed. Out: files that the ordinary readers read, and ``truth/``. Everything is invented.
"""

from __future__ import annotations

from .region import SyntheticRegion, write_synthetic_region

__all__ = ["SyntheticRegion", "write_synthetic_region"]
