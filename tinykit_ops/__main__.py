"""`python -m tinykit_ops` is `tinykit-ops`."""

from tinykit_ops.cli import main

main()
