"""Wrong settings as data: what to change in right ones, and what the user should be told.

A row is: a sentence, the change, the key, words of the reason, words of the hint. `GONE` removes
a key.
"""

from __future__ import annotations

from typing import Any

GONE = object()
SHA = "a" * 64
COMMIT = "b" * 40
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

Row = tuple[str, dict[str, Any], str, str, str]


def s3(**changes: Any) -> dict[str, Any]:
    """Settings with one bucket, changed."""
    target: dict[str, Any] = {
        "kind": "s3",
        "name": "offsite",
        "bucket": "my-backups",
        "access_key_id": {"env": "KEY_ID"},
        "secret_access_key": {"env": "KEY_SECRET"},
        "encryption": [AGE],
    }
    target.update(changes)
    kept = {key: value for key, value in target.items() if value is not GONE}
    return {"backup": {"targets": [kept]}}


def tls(**values: Any) -> dict[str, Any]:
    """Settings with these TLS values."""
    return {"edge": {"tls": values}}


TARGET = "backup.targets[0]"
TWO_FOLDERS = [{"kind": "directory", "name": "disk", "path": path} for path in ("/a", "/b")]

BAD: list[Row] = [
    # Bans.
    ("bans at the second mistake", {"bans": {"attempts": 2}}, "bans.attempts", "3 or more", "10"),
    ("bans for ever", {"bans": {"minutes": 10_000_000}}, "bans.minutes", "525600 or less", "60"),
    # Checks.
    ("checks never", {"checks": {"schedule": "@daily"}}, "checks.schedule", "five fields", "41 4"),
    (
        "a jitter of a day",
        {"checks": {"jitter_minutes": 1440}},
        "checks.jitter_minutes",
        "120",
        "20",
    ),
    ("alarms of a mood", {"checks": {"alert_on": "bad"}}, "checks.alert_on", "critical", "medium"),
    # Metrics.
    (
        "scrapers of nothing",
        {"metrics": {"scrapers": ["203.0.113.9"]}},
        "metrics.scrapers",
        "are not enabled",
        '"enabled": True',
    ),
    (
        "metrics for the world",
        {"metrics": {"enabled": True, "scrapers": ["203.0.113.9", "::/0"]}},
        "metrics.scrapers[1]",
        "every address",
        "your Prometheus",
    ),
    (
        "metrics on tinykit's port",
        {"metrics": {"enabled": True, "node_port": 3000}},
        "metrics.node_port",
        "the port of tinykit",
        "another",
    ),
    (
        "metrics twice on a port",
        {"metrics": {"enabled": True, "edge_port": 9100}},
        "metrics.edge_port",
        "node_port",
        "of its own",
    ),
    (
        "metrics on SSH's port",
        {"metrics": {"enabled": True}, "firewall": {"ssh_port": 9100}},
        "metrics.node_port",
        "the port of SSH",
        "another",
    ),
    (
        "scrapers without a firewall",
        {
            "metrics": {"enabled": True, "scrapers": ["203.0.113.9"]},
            "firewall": {"enabled": False},
        },
        "metrics.scrapers",
        "firewall is not enabled",
        '"enabled": True',
    ),
    # Keys.
    ("an unknown key", {"domain": "x"}, "domain", "is not a setting", '"domains"'),
    (
        "an unknown key in a section",
        {"firewall": {"ssh_form": ["203.0.113.7"]}},
        "firewall.ssh_form",
        "is not a setting",
        '"ssh_from"',
    ),
    ("no domains", {"domains": GONE}, "domains", "is missing", "apps.example.com"),
    ("no e-mail", {"admin_email": GONE}, "admin_email", "is missing", "you@example.com"),
    ("no app", {"app": GONE}, "app", "is missing", "archive"),
    ("a section that is text", {"edge": "caddy"}, "edge", "must be a mapping", "max_body"),
    ("a section that is None", {"edge": None}, "edge", "must be a mapping", "max_body"),
    # Domains.
    ("domains as text", {"domains": "a.example.com"}, "domains", "must be a list", "["),
    ("an empty list of domains", {"domains": []}, "domains", "is empty", "apps.example.com"),
    (
        "a domain with a scheme",
        {"domains": ["https://a.example.com"]},
        "domains[0]",
        "has a scheme",
        "apps.example.com",
    ),
    (
        "a domain with a port",
        {"domains": ["a.example.com:443"]},
        "domains[0]",
        "has a port",
        "apps.example.com",
    ),
    (
        "a domain with a path",
        {"domains": ["a.example.com/x"]},
        "domains[0]",
        "has a path",
        "apps.example.com",
    ),
    ("a wildcard", {"domains": ["*.example.com"]}, "domains[0]", "is a wildcard", "apps."),
    ("an IPv4 address", {"domains": ["203.0.113.7"]}, "domains[0]", "is an IP address", "apps."),
    ("an IPv6 address", {"domains": ["[2001:db8::1]"]}, "domains[0]", "is an IP address", "apps."),
    (
        "a name with a blank",
        {"domains": ["a b.example.com"]},
        "domains[0]",
        "not a domain",
        "apps.",
    ),
    (
        "a name that ends in a number",
        {"domains": ["example.12"]},
        "domains[0]",
        "cannot be a number",
        "apps.",
    ),
    (
        "a label that is too long",
        {"domains": ["a" * 64 + ".example.com"]},
        "domains[0]",
        "not a domain",
        "apps.",
    ),
    (
        "a line break that would end a line of the Caddyfile",
        {"domains": ["a.example.com\nimport x"]},
        "domains[0]",
        "not a domain",
        "apps.",
    ),
    (
        "a domain twice",
        {"domains": ["a.example.com", "A.example.com."]},
        "domains[1]",
        "is listed twice",
        "remove one",
    ),
    (
        "a private name with a public authority",
        {"domains": ["tinykit.lan"]},
        "domains[0]",
        "no public name",
        '"internal"',
    ),
    # People.
    ("no e-mail address", {"admin_email": "you"}, "admin_email", "not an e-mail", "you@"),
    (
        "an e-mail address at an address",
        {"admin_email": "you@1.2.3.4"},
        "admin_email",
        "not an e-mail",
        "you@",
    ),
    ("a number for an e-mail", {"superuser_email": 7}, "superuser_email", "text in quotes", "@"),
    # Secrets.
    (
        "a secret from two places",
        {"admin_password": {"env": "A", "file": "b"}},
        "admin_password",
        "exactly one",
        '"env"',
    ),
    ("a secret from nowhere", {"admin_password": {}}, "admin_password", "says nothing", '"env"'),
    (
        "a variable in lower case",
        {"admin_password": {"env": "hunter2"}},
        "admin_password.env",
        "upper-case",
        '"env"',
    ),
    (
        "an unknown source",
        {"admin_password": {"vault": "x"}},
        "admin_password.vault",
        "is not a setting",
        "env",
    ),
    ("a short password", {"admin_password": "short"}, "admin_password", "fewer than 10", "openssl"),
    (
        "a password that bcrypt cannot hold",
        {"superuser_password": "é" * 40},
        "superuser_password",
        "72 bytes",
        "openssl",
    ),
    ("a number for a password", {"admin_password": 1234567890}, "admin_password", "mapping", "env"),
    # The app.
    ("an app from nowhere", {"app": {"archive": GONE}}, "app", "names no source", "archive"),
    (
        "an app from two places",
        {"app": {"git": "https://x.example.com/t", "commit": COMMIT}},
        "app",
        "names two sources",
        "archive",
    ),
    (
        "git without a commit",
        {"app": {"archive": GONE, "git": "https://x.example.com/t"}},
        "app.commit",
        "is missing",
        "commit",
    ),
    (
        "a branch for a commit",
        {"app": {"archive": GONE, "git": "https://x.example.com/t", "commit": "main"}},
        "app.commit",
        "40 hexadecimal",
        "617db34",
    ),
    (
        "an address without a hash",
        {"app": {"archive": "https://x.example.com/t.tar.zst"}},
        "app.sha256",
        "is missing",
        "sha256sum",
    ),
    (
        "an address without encryption",
        {"app": {"archive": "http://x.example.com/t.tar.zst", "sha256": SHA}},
        "app.archive",
        "neither a path nor",
        "archive",
    ),
    ("half a hash", {"app": {"sha256": "abc"}}, "app.sha256", "64 hexadecimal", "9f86"),
    # Access.
    (
        "host bits in a network",
        {"access": {"allowlist": ["203.0.113.7/24"]}},
        "access.allowlist[0]",
        'write "203.0.113.0/24"',
        "allowlist",
    ),
    (
        "host bits in an IPv6 network",
        {"access": {"allowlist": ["203.0.113.7", "2001:db8::1/32"]}},
        "access.allowlist[1]",
        'write "2001:db8::/32"',
        "allowlist",
    ),
    (
        "a name for a network",
        {"access": {"allowlist": ["home"]}},
        "access.allowlist[0]",
        "not an IPv4 or IPv6",
        "203.0.113.7",
    ),
    (
        "a prefix that is too long",
        {"access": {"allowlist": ["10.0.0.0/33"]}},
        "access.allowlist[0]",
        "not an IPv4 or IPv6",
        "203.0.113.7",
    ),
    (
        "a number for a network",
        {"access": {"allowlist": [7]}},
        "access.allowlist[0]",
        "in quotes",
        "203.0.113.7",
    ),
    (
        "an allowlist gate with nobody on the list",
        {"access": {"builder": {"require": ["allowlist"]}}},
        "access.allowlist",
        "nobody could pass",
        "203.0.113.7",
    ),
    (
        "a gate without a proof",
        {"access": {"builder": {"require": []}}},
        "access.builder.require",
        "is empty",
        "account",
    ),
    (
        "a misspelt proof",
        {"access": {"builder": {"require": ["acount"]}}},
        "access.builder.require[0]",
        "must be one of",
        'did you mean "account"',
    ),
    (
        "a proof twice",
        {"access": {"builder": {"require": ["account", "account"]}}},
        "access.builder.require",
        "twice",
        "account",
    ),
    # The edge.
    ("another proxy", {"edge": {"kind": "apache"}}, "edge.kind", "must be one of", "nginx"),
    (
        "a password nobody asks for",
        {"access": {"basic_password": {"env": "PASSWORD"}}},
        "access.basic_password",
        "no gate requires",
        "basic",
    ),
    (
        "a builder on a published domain",
        {"builder_domain": "apps.example.com"},
        "builder_domain",
        "is one of domains",
        "take it off",
    ),
    (
        "a builder on a private name",
        {"builder_domain": "build.local"},
        "builder_domain",
        "no public name",
        "internal",
    ),
    (
        "names on demand for nginx",
        {"edge": {"kind": "nginx", "tls": {"on_demand": True}}},
        "edge.tls.on_demand",
        "needs",
        "list every domain",
    ),
    (
        "names on demand without an authority",
        tls(mode="internal", on_demand=True),
        "edge.tls.on_demand",
        "needs",
        "list every domain",
    ),
    (
        "a limit of nothing",
        {"edge": {"limits": {"logins": 0}}},
        "edge.limits.logins",
        "2 or more",
        "20",
    ),
    (
        "a contact that is no address",
        {"edge": {"security_txt": {"contact": ["security@example.com"]}}},
        "edge.security_txt.contact[0]",
        "mailto:",
        "mailto:security@example.com",
    ),
    (
        "nobody to contact",
        {"edge": {"security_txt": {}}},
        "edge.security_txt.contact",
        "missing",
        "mailto:",
    ),
    (
        "a language that is none",
        {"edge": {"security_txt": {"contact": ["tel:+4930123456"], "languages": ["English!"]}}},
        "edge.security_txt.languages[0]",
        "language tag",
        "en",
    ),
    ("a misspelt mode", tls(mode="intern"), "edge.tls.mode", "must be one of", '"internal"'),
    ("files without a certificate", tls(mode="files"), "edge.tls.certificate", "missing", ".pem"),
    (
        "files without a key",
        tls(mode="files", certificate="c.pem"),
        "edge.tls.key",
        "missing",
        ".pem",
    ),
    ("a certificate nobody uses", tls(certificate="c"), "edge.tls.certificate", "only", '"files"'),
    (
        "a directory nobody uses",
        tls(mode="internal", directory="https://ca.example.com"),
        "edge.tls.directory",
        "only used with",
        '"acme"',
    ),
    (
        "a directory that is no address",
        tls(directory="letsencrypt"),
        "edge.tls.directory",
        "https://",
        "https://",
    ),
    ("a size without a unit", {"edge": {"max_body": "64"}}, "edge.max_body", "unit", "64MB"),
    ("a size as a number", {"edge": {"max_body": 64}}, "edge.max_body", "in quotes", "64MB"),
    ("a huge size", {"edge": {"max_body": "64GB"}}, "edge.max_body", "between", "64MB"),
    # PocketBase.
    (
        "a PocketBase that is too old",
        {"pocketbase": {"version": "0.22.9"}},
        "pocketbase.version",
        "is older than 0.23.4",
        "0.40.6",
    ),
    (
        "a PocketBase that nobody pinned",
        {"pocketbase": {"version": "0.39.0"}},
        "pocketbase.version",
        "has a hash for",
        "sha256",
    ),
    (
        "a version that is none",
        {"pocketbase": {"version": "latest"}},
        "pocketbase.version",
        "three numbers",
        "0.40.6",
    ),
    (
        "an unknown architecture",
        {"pocketbase": {"sha256": {"arm64": SHA}}},
        "pocketbase.sha256",
        "must be one of",
        '"aarch64"',
    ),
    # The language model.
    (
        "a custom provider without an address",
        {"llm": {"provider": "custom"}},
        "llm.base_url",
        "is missing",
        "https://",
    ),
    (
        "a key for no provider",
        {"llm": {"api_key": {"env": "KEY"}}},
        "llm.api_key",
        "without a provider",
        "openai",
    ),
    (
        "an address with a password",
        {"llm": {"provider": "custom", "base_url": "https://me:pw@llm.example.com"}},
        "llm.base_url",
        "user name or password",
        "https://",
    ),
    (
        "an address with another scheme",
        {"llm": {"provider": "custom", "base_url": "file:///etc/passwd"}},
        "llm.base_url",
        "https://",
        "https://",
    ),
    (
        "a model with a quote",
        {"llm": {"provider": "openai", "model": 'x"'}},
        "llm.model",
        "name",
        "",
    ),
    # Backups.
    ("four fields", {"backup": {"schedule": "17 3 * *"}}, "backup.schedule", "4 fields", "17 3"),
    (
        "an hour of 24",
        {"backup": {"schedule": "0 24 * * *"}},
        "backup.schedule",
        "0 and 23",
        "17 3",
    ),
    ("every minute", {"backup": {"schedule": "* * * * *"}}, "backup.schedule", "5 minutes", "17 3"),
    (
        "30 February",
        {"backup": {"schedule": "0 0 30 2 *"}},
        "backup.schedule",
        "does not exist",
        "17 3",
    ),
    (
        "a schedule that is rarer than the check allows",
        {"backup": {"schedule": "0 3 * * 0"}},
        "backup.max_age_hours",
        "up to 168 hours",
        "170",
    ),
    (
        "a target's schedule that is rarer than the check allows",
        {"backup": {"targets": [{**TWO_FOLDERS[0], "schedule": "0 3 * * 0"}]}},
        f"{TARGET}.max_age_hours",
        "up to 168 hours",
        "170",
    ),
    (
        "a span without a unit",
        {"backup": {"retention": {"keep_within": "14"}}},
        "backup.retention.keep_within",
        "14d",
        "48h",
    ),
    (
        "a retention of one target that is wrong",
        {"backup": {"targets": [{**TWO_FOLDERS[0], "retention": {"yearly": -1}}]}},
        f"{TARGET}.retention.yearly",
        "0 or more",
        "10",
    ),
    (
        "a hook that is neither failure nor always",
        {"backup": {"notify": {"email_on": "never"}}},
        "backup.notify.email_on",
        "failure",
        "failure",
    ),
    (
        "nothing to keep",
        {"backup": {"retention": {"keep_last": 0}}},
        "backup.retention.keep_last",
        "1 or more",
        "3",
    ),
    (
        "True for a number",
        {"backup": {"max_age_hours": True}},
        "backup.max_age_hours",
        "whole number",
        "26",
    ),
    ("a target without a kind", s3(kind=GONE), f"{TARGET}.kind", "is missing", "s3"),
    ("a target of an unknown kind", s3(kind="S3"), f"{TARGET}.kind", "not a known kind", "s3"),
    ("a target that is text", {"backup": {"targets": ["s3"]}}, TARGET, "must be a mapping", "kind"),
    ("a bucket that is too short", s3(bucket="ab"), f"{TARGET}.bucket", "3 to 63", "backups"),
    ("a bucket with capitals", s3(bucket="Backups"), f"{TARGET}.bucket", "lower-case", "backups"),
    (
        "a bucket like an address",
        s3(bucket="10.0.0.1"),
        f"{TARGET}.bucket",
        "IP address",
        "backups",
    ),
    ("a prefix that climbs", s3(prefix="a/../b"), f"{TARGET}.prefix", "dotted", "apps-1"),
    (
        "a bucket without a word on encryption",
        s3(encryption=GONE),
        f"{TARGET}.encryption",
        "is missing",
        '"none"',
    ),
    ("nobody to seal for", s3(encryption=[]), f"{TARGET}.encryption", "age public keys", '"none"'),
    (
        "a key of another kind",
        s3(encryption=["ssh-ed25519 AAAA"]),
        f"{TARGET}.encryption",
        "not an age public key",
        "age1",
    ),
    (
        "a key with a wrong letter",
        s3(encryption=[AGE[:-1] + "q"]),
        f"{TARGET}.encryption",
        "not an age public key",
        "age1",
    ),
    (
        "the key that opens backups",
        s3(encryption=["AGE-SECRET-KEY-1QQQ"]),
        f"{TARGET}.encryption",
        "PRIVATE key",
        "age1",
    ),
    (
        "a bucket without its secret",
        s3(secret_access_key=GONE),
        f"{TARGET}.secret_access_key",
        "is missing",
        "TINYKIT_S3",
    ),
    ("a name with blanks", s3(name="Off site"), f"{TARGET}.name", "lower-case", "offsite"),
    (
        "a folder that is relative",
        {"backup": {"targets": [{"kind": "directory", "name": "disk", "path": "backups"}]}},
        f"{TARGET}.path",
        "absolute path",
        "/mnt",
    ),
    ("a lock without a length", s3(lock_mode="governance"), f"{TARGET}.lock_days", "missing", "30"),
    ("a lock without a mode", s3(lock_days=3), f"{TARGET}.lock_mode", "missing", "30"),
    (
        "a key for encryption that is off",
        s3(sse_kms_key_id="alias/one"),
        f"{TARGET}.sse_kms_key_id",
        "aws:kms",
        "set sse",
    ),
    (
        "storage that answers tomorrow",
        s3(storage_class="DEEP_ARCHIVE"),
        f"{TARGET}.storage_class",
        "",
        "STANDARD_IA",
    ),
    (
        "half a key for EBS",
        {"backup": {"targets": [{"kind": "ebs", "name": "v", "access_key_id": {"env": "A"}}]}},
        f"{TARGET}.secret_access_key",
        "is missing",
        "both",
    ),
    (
        "btrfs without a folder",
        {"backup": {"targets": [{"kind": "btrfs", "name": "v"}]}},
        f"{TARGET}.path",
        "is missing",
        "snapshots",
    ),
    (
        "two targets of one name",
        {"backup": {"targets": TWO_FOLDERS}},
        "backup.targets[1].name",
        "is the name of targets[0]",
        "name of its own",
    ),
    # The firewall.
    ("SSH from nowhere", {"firewall": {"ssh_from": []}}, "firewall.ssh_from", "is empty", "203."),
    (
        "the web from nowhere",
        {"firewall": {"mode": "private", "web_from": []}},
        "firewall.web_from",
        "is empty",
        "203.0.113.7",
    ),
    (
        "SSH on the port of the web server",
        {"firewall": {"ssh_port": 443}},
        "firewall.ssh_port",
        "the port of the web server",
        "another",
    ),
    (
        "a private web for nobody",
        {"firewall": {"mode": "private"}},
        "firewall.web_from",
        "lets nobody in",
        "web_from",
    ),
    (
        "a private web for everybody",
        {"firewall": {"mode": "private", "web_from": ["10.0.0.0/8", "::/0"]}},
        "firewall.web_from[1]",
        "nothing would be private",
        "public",
    ),
    (
        "an allowlist of everybody in place of a private web",
        {"firewall": {"mode": "private"}, "access": {"allowlist": ["0.0.0.0/0"]}},
        "firewall.web_from",
        "holds every address",
        "public",
    ),
    (
        "networks of the web in the mode public",
        {"firewall": {"web_from": ["10.0.0.0/8"]}},
        "firewall.web_from",
        'only used with the mode "private"',
        '"mode": "private"',
    ),
    (
        "a mode that nobody keeps",
        {"firewall": {"mode": "private", "web_from": ["10.0.0.0/8"], "enabled": False}},
        "firewall.mode",
        "not enabled",
        '"enabled": True',
    ),
    (
        "a CDN without networks",
        {"firewall": {"mode": "cdn"}},
        "firewall.cdn",
        "needs the networks",
        "source",
    ),
    (
        "a CDN in the mode public",
        {"firewall": {"cdn": {"networks": ["10.0.0.0/8"]}}},
        "firewall.cdn",
        'only used with the mode "cdn"',
        '"mode": "cdn"',
    ),
    (
        "a CDN that is everybody",
        {"firewall": {"mode": "cdn", "cdn": {"networks": ["0.0.0.0/0"]}}},
        "firewall.cdn.networks[0]",
        "every address",
        "name the networks",
    ),
    (
        "a list of networks over a line that anybody can change",
        {"firewall": {"mode": "cdn", "cdn": {"source": ["http://cdn.example.com/ips"]}}},
        "firewall.cdn.source[0]",
        "https://",
        "source",
    ),
    (
        "a header that is none",
        {
            "firewall": {
                "mode": "cdn",
                "cdn": {"networks": ["10.0.0.0/8"], "client_header": "X Real"},
            }
        },
        "firewall.cdn.client_header",
        "header's name",
        "CF-Connecting-IP",
    ),
    (
        "no time to confirm rules",
        {"firewall": {"confirm_seconds": 3}},
        "firewall.confirm_seconds",
        "10",
        "60",
    ),
    (
        "more networks than a firewall should hold",
        {"firewall": {"ssh_from": [f"10.{n // 256}.{n % 256}.0/24" for n in range(20001)]}},
        "firewall.ssh_from",
        "20000",
        "203.0.113.7",
    ),
    ("port 0", {"firewall": {"ssh_port": 0}}, "firewall.ssh_port", "1 or more", "22"),
    ("port 65536", {"firewall": {"ssh_port": 65536}}, "firewall.ssh_port", "65535 or less", "22"),
    ("a port in quotes", {"firewall": {"ssh_port": "22"}}, "firewall.ssh_port", "quotes", "22"),
    ("1 for yes", {"firewall": {"enabled": 1}}, "firewall.enabled", "True or False", "True"),
    ("another runtime", {"runtime": "podman"}, "runtime", "must be one of", "docker"),
    # Docker.
    ("a public subnet", {"docker": {"subnet": "8.8.8.0/24"}}, "docker.subnet", "no private", "/28"),
    (
        "a loopback subnet",
        {"docker": {"subnet": "127.1.0.0/24"}},
        "docker.subnet",
        "private",
        "/28",
    ),
    ("an IPv6 subnet", {"docker": {"subnet": "fd00::/64"}}, "docker.subnet", "IPv4", "/28"),
    ("a subnet of two", {"docker": {"subnet": "10.0.0.0/31"}}, "docker.subnet", "too small", "/28"),
    (
        "an image's name with a blank",
        {"docker": {"base_image": "debian trixie"}},
        "docker.base_image",
        "image's name",
        "debian",
    ),
    (
        "a resolver on the host's loopback",
        {"docker": {"resolvers": ["127.0.0.53"]}},
        "docker.resolvers[0]",
        "cannot reach",
        "network",
    ),
    (
        "a network for a resolver",
        {"docker": {"resolvers": ["192.0.2.0/24"]}},
        "docker.resolvers[0]",
        "no IPv4 address",
        "192.0.2.53",
    ),
    (
        "a model on the host's loopback, out of a container",
        {"runtime": "docker", "llm": {"provider": "custom", "base_url": "http://localhost:11434"}},
        "llm.base_url",
        "a container cannot reach",
        "systemd",
    ),
]


def apply(data: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`data` with the change merged in."""
    changed = dict(data)
    for key, value in change.items():
        if value is GONE:
            del changed[key]
        elif isinstance(value, dict) and isinstance(changed.get(key), dict):
            changed[key] = apply(changed[key], value)
        else:
            changed[key] = value
    return changed
