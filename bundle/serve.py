"""What a host starts in the unpacked bundle: the answers of its form become our settings, then it serves.

An empty field arrives as an empty text or, from Claude Desktop, as the unfilled placeholder
`${user_config.…}`. Both mean that the setting is not set.
"""

import os
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path

LEDGER_FOLDER = "BUNDLE_LEDGER_FOLDER"  # a folder, where XPORTCN_LEDGER names a file
_UNFILLED = re.compile(r"\s*(\$\{user_config\.[^}]*\})?\s*")


def settle(environ: MutableMapping[str, str]) -> None:
    """Turn the host's variables into settings of the program, in place.

    The mode is always set: a `.env` must not switch to live where the form leaves it empty. The ledger's file
    has its default name, so that sandbox and real orders never share one.

    Raises:
        SystemExit: the folder is not absolute: it would be inside the bundle and lost with the next update.

    """
    for name in [name for name in environ if name.startswith("XPORTCN_") or name == LEDGER_FOLDER]:
        if _UNFILLED.fullmatch(environ[name]):
            del environ[name]
    mode = environ["XPORTCN_MODE"] = environ.get("XPORTCN_MODE", "sandbox").strip().lower()
    if folder := environ.pop(LEDGER_FOLDER, "").strip():
        if not Path(folder).is_absolute():
            sys.exit(f"xportcn-mcp: the ledger folder is {folder!r}, allowed: an absolute path")
        environ["XPORTCN_LEDGER"] = str(
            Path(folder) / ("sandbox.sqlite3" if mode == "sandbox" else "orders.sqlite3")
        )


if __name__ == "__main__":
    settle(os.environ)
    from xportcn_server.commands.cli import main

    main(["serve"], prog_name="xportcn-mcp")
