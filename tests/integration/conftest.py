"""Makes this folder importable: what all these tests share lies beside this file."""
