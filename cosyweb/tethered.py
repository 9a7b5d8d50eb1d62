"""Run a command that dies with the process that started it: ``python -m cosyweb.tethered COMMAND …``.

The supervisor ends its children in good order; this is for the case that the supervisor itself is
killed, which would leave a server on the port and a Redis in the data directory. Linux only; elsewhere
the command simply runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execvp(command[0], command)  # noqa: S606 the supervisor's own configuration says what runs


if __name__ == "__main__":
    main(sys.argv[1:])
