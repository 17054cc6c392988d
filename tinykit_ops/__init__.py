"""tinykit-ops: from a bare Debian host to a tinykit instance whose security page is true."""

__version__ = "0.1.0"
