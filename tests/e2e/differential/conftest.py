"""Makes the packages of this folder importable wherever pytest is started from."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
