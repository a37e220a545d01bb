"""``python -m deepradiomics.scene`` writes a result folder as a Slicer scene: :mod:`deepradiomics.scene.command`."""

import os
import sys

if __name__ == "__main__":
    # `-m` puts the working folder first on the path, and nothing that lies in the user's folder is to be executed.
    # Where the package itself lies there (a checkout), the folder stays.
    home = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - pathlib would come from there
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]
    from deepradiomics.scene.command import main

    sys.exit(main())
