"""pyinfra operations and facts of our own: few, large, idempotent, and safe with secrets."""
