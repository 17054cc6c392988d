"""Disposable Debian hosts on this machine: real systemd, real SSH, a real network, and S3.

`Lab.up()` boots them, `Lab.load(name)` finds them again, `Lab.down()` leaves nothing behind.
"""
