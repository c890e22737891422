"""`python -m suzani.infra.service MODULE:FUNCTION PORT NICENESS`: one process of `suzani up`.

Its standard input is a pipe that only the supervisor holds. When the supervisor ends, however it ends, the
pipe closes, and the service stops: no service is left behind.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from typing import Final

from suzani.infra import memory
from suzani.infra.console import handled
from suzani.infra.settings import Settings

_GRACE_SECONDS: Final = 15.0


def stop_with_supervisor() -> None:
    """Stop this process once its standard input closes: by SIGTERM first, for good after 15 seconds."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="supervisor watch").start()


def main(target: str, port: int, niceness: int) -> None:
    """Run the function that `target` names, with the settings of the environment."""
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    memory.share()
    stop_with_supervisor()
    module, _, function = target.partition(":")
    with handled():
        getattr(importlib.import_module(module), function)(Settings.from_environment(), port)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
