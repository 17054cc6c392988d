"""What the deploys install from the distribution."""

from __future__ import annotations

INSTANCE = ("ca-certificates", "cron", "nftables", "python3-venv")
#: `ip` and `unshare` shut a booted copy away from the network.
VERIFIER = ("ca-certificates", "cron", "iproute2", "python3-venv", "util-linux")
CLOCK = "systemd-timesyncd"  #: where a host keeps no time of its own
UPGRADES = ("unattended-upgrades",)
#: The module takes headers away, which nginx alone cannot.
NGINX = ("nginx", "libnginx-mod-http-headers-more-filter", "logrotate")
CERTBOT = ("certbot",)
BANS = ("fail2ban", "python3-systemd")
BTRFS = ("btrfs-progs",)
#: What most hosts get; a lab's hosts have them at hand, so that a run waits for no mirror.
USUAL = tuple(sorted({*INSTANCE, *VERIFIER, CLOCK, *UPGRADES, *NGINX, *CERTBOT, *BANS}))
