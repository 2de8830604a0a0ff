"""`plexstedi` and `python -m plexstedi`: the version is printed without loading the program."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with the contract's exit code."""
    if sys.argv[1:] == ["--version"] and _version_is_printed():
        return
    # Nothing of what is loaded now is ever freed; `collect_rarely` switches it on again.
    gc.disable()
    # Else pydantic reads the metadata of every installed package, to find plug-ins that would change what it accepts.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from plexstedi.cli.main import main as program

    program()


def _version_is_printed() -> bool:
    """Whether that went well; where it did not, the program itself says what is wrong with its output."""
    from plexstedi import __version__

    try:
        sys.stdout.write(f"plexstedi {__version__}\n")
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
