"""Where the folders beside the package are; it reads nothing in them.

An installed wheel carries them inside the package, a checkout beside it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from monitor.core.errors import MonitorError


def data_folder(name: str) -> Path:
    """The folder `migrations`, `templates` or `static`; MonitorError where the installation lacks it."""
    package = Path(str(files("monitor")))
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise MonitorError(f"{package}: the folder '{name}' is missing from this installation: install it again")
