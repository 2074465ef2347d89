"""A new plugin: the template, under a name of its own, with the contract beside it."""

import shutil
from pathlib import Path

import generated

TEMPLATE = Path(__file__).parent / "template"
NAME = "plugin-name"  # what stands for the name in the template
CONTRACT = Path(generated.__file__).parent / "plugin.openapi.json"


class AlreadyThereError(Exception):
    """Nothing is overwritten."""


def write(name: str, folder: Path) -> list[Path]:
    """The files of a plugin in `folder`, which is made. Raises AlreadyThereError and OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyThereError(f"{folder} is there already")
    written = []
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_dir() or "__pycache__" in source.parts:
            continue
        target = folder / source.relative_to(TEMPLATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace(NAME, name))
        written.append(target)
    shutil.copyfile(CONTRACT, folder / CONTRACT.name)
    return [*written, folder / CONTRACT.name]
