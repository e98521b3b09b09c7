"""The program that a jail starts as the Python runtime. It only finds its modules; everything is in `plinth_runner`."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")

from plinth_runner.serve import main  # noqa: E402  (the path is set above)

main(sys.argv[1:])
