"""Checks from outside: how long one look takes, verdicts on TLS beside testssl.sh, and many
instances from one core."""
