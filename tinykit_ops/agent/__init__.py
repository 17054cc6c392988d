"""tinykit-ops on the host itself: what it knows there and where it finds it."""
