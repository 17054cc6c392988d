"""New secrets in the place of old ones, while the instance serves, and nothing left of the old."""
