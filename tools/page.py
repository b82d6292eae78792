"""Call the page's own verbs (`typecheck`, `lint`, `test`, ...) with whichever Node is at hand."""

from __future__ import annotations

import subprocess
import sys

from setup import FRONTEND, node, run  # beside this file

if __name__ == "__main__":
    npm, env = node()
    try:
        for verb in sys.argv[1:]:
            run([*npm, "run", "--silent", verb], cwd=FRONTEND, env=env)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
