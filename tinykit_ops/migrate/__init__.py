"""An instance moves to another host, with a read-only window that is measured."""
