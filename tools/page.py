"""Call the page's own verbs (`typecheck`, `lint`, `test`, ...) with whichever Node is at hand."""

from __future__ import annotations

import subprocess
import sys

from setup import FRONTEND, page_packages, run  # beside this file

if __name__ == "__main__":
    try:
        npm, env = page_packages()
        verbs = sys.argv[1:]
        if "size" in verbs and not (FRONTEND / "dist").exists():
            verbs.insert(verbs.index("size"), "build")  # what it measures
        for verb in verbs:
            run([*npm, "run", "--silent", verb], cwd=FRONTEND, env=env)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
