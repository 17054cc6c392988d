"""One server of your own. Copy this file, fill in five lines, run:

    cp inventories/example.py inventories/production.py
    tinykit-ops settings validate inventories/production.py
    pyinfra inventories/production.py deploys/full.py

A fresh Debian 13 or 12 with 1 GB of memory is enough, because tinykit is built here and not
there. You need SSH to it, and a domain that points to its address.

`tinykit-ops settings explain KEY` says what a key may hold; docs/settings.md lists all of them.
"""

from tinykit_ops.settings import check_inventory

# 1. The server: the address or name that you give to ssh.
SERVER = "203.0.113.10"

# 2. The domain of your apps. Its A record (and AAAA, if the server has IPv6) points to the server.
DOMAIN = "apps.example.com"

# 3. You: the first account of tinykit, and where notices about certificates go.
EMAIL = "you@example.com"

# 4. The tinykit to run, as `tinykit-ops release build` made it on this machine:
#    tinykit-ops release build --git https://github.com/tinykit-studio/tinykit \
#        --commit 617db3416af227451e18de1f84394888679cf766
ARCHIVE = "dist/tinykit-617db3416af2.tar.zst"

# 5. Where you log in from: an address or a network, IPv4 or IPv6; your router or `who` on a server
#    tells yours. Only from there SSH and PocketBase's dashboard can be reached. If yours changes
#    every day, write the network of your provider, or the address of a VPN.
TRUSTED = "198.51.100.7"

hosts = [
    (
        SERVER,
        {
            # How to log in. As another user than root, with sudo:
            #   "ssh_user": "admin", "_sudo": True,
            "ssh_user": "root",
            "tinykit": {
                # More domains are welcome; each can show an app of its own.
                "domains": [DOMAIN],
                "admin_email": EMAIL,
                # Without this line a password is made up on the server and kept there, for root:
                #   ssh SERVER cat /etc/tinykit-ops/secrets/admin-password
                # To choose one, say where this machine finds it. Never write it into this file.
                #   "admin_password": {"command": "pass show tinykit/admin"},
                #   "admin_password": {"env": "TINYKIT_ADMIN_PASSWORD"},
                "app": {
                    "archive": ARCHIVE,
                    # Refuse an archive that is not the one you mean. Required for https:// ones.
                    #   "sha256": "…",
                },
                "access": {
                    "allowlist": [TRUSTED],
                    # Everybody sees published apps. The builder asks for an account. Safer still:
                    # an account and a trusted address. The first lines of defence are few.
                    #   "builder": {"require": ["account", "allowlist"]},
                },
                "firewall": {
                    "ssh_from": [TRUSTED],
                    # Only when sshd listens on another port:
                    #   "ssh_port": 2222,
                },
                # The language model for everybody who builds here. In tinykit's settings page it
                # would go into the database; here it stays in the service's environment.
                #   "llm": {"provider": "anthropic", "api_key": {"env": "TINYKIT_LLM_API_KEY"}},
                #
                # Let PocketBase send mail (password resets) and use OAuth2 logins or S3 files:
                #   "pocketbase": {"outbound": True},
                #
                # A name that no public authority certifies (a machine in your own network):
                #   "edge": {"tls": {"mode": "internal"}},
                #
                # Backups. Without a target none is made at all, so do fill this in: any
                # S3-compatible service will do. `age-keygen -o backup.key` prints the public key;
                # keep backup.key away from the server, as it alone can read the backups.
                #   "backup": {
                #       "schedule": "17 3 * * *",
                #       "targets": [
                #           {
                #               "kind": "s3",
                #               "name": "offsite",
                #               "bucket": "my-tinykit-backups",
                #               "endpoint": "https://s3.eu-central-003.backblazeb2.com",
                #               "region": "eu-central-003",
                #               "access_key_id": {"env": "TINYKIT_S3_ACCESS_KEY_ID"},
                #               "secret_access_key": {"env": "TINYKIT_S3_SECRET_ACCESS_KEY"},
                #               "encryption": ["age1…"],
                #           },
                #       ],
                #   },
            },
        },
    ),
    # More servers: another pair like this one. What they share can go into
    # inventories/group_data/production.py, for the inventory production.py, as
    #   tinykit_defaults = {"llm": {…}, "backup": {…}}
    # and what a server says itself wins.
]

# Stop here, before connecting anywhere, when something above is wrong.
check_inventory(__file__)
