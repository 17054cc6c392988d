"""One instance with its agent, moved into a temporary folder, and a real S3 server."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from pocketbase_kit import Server
from ports import free_port
from waiting import PATIENCE, until_it_listens

from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.artifacts import local_binary
from tinykit_ops.backup.places import Places
from tinykit_ops.cli.backup import command
from tinykit_ops.errors import TinykitOpsError

#: Every secret of these tests carries it, so that a leak anywhere is found by one search.
CANARY = "canary7f3a"
ACCESS_KEY = f"AK{CANARY.upper()}"


class S3Server:
    """`rclone serve s3`: real signatures, real multipart; objects are files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.secret = f"{CANARY}-s3-{secrets.token_hex(12)}"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.with_name("rclone.log")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> S3Server:
        self.folder.mkdir(exist_ok=True)
        # The key travels in the environment: argv is searched for secrets by the tests.
        self.process = subprocess.Popen(
            [
                *(str(local_binary("rclone")), "serve", "s3"),
                *("--addr", f"127.0.0.1:{self.port}", str(self.folder)),
            ],
            env={
                **os.environ,
                "RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{self.secret}"',
                "RCLONE_CONFIG": str(self.folder.with_name("rclone.conf")),
            },
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        until_it_listens(self.port, self.process, self.log.read_text)
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def make_bucket(self) -> str:
        name = f"bucket-{secrets.token_hex(4)}"
        boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}),
        ).create_bucket(Bucket=name)
        return name


class Instance:
    """What a provisioned host has, in one temporary folder."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root = root
        self.server = server
        self.places = Places(
            pocketbase_url=server.url,
            pocketbase_unit="tinykit-ops-tests-have-no-unit.service",
            data=server.data,
            snapshots=server.snapshots,
            hooks=server.hooks,
            migrations=server.migrations,
            pocketbase=server.binary,
            release=root / "release-0123456789ab",
            state=root / "state",
            lock=root / "run" / "backup.lock",
            metrics=root / "node-exporter",
        )
        self.places.release.mkdir(parents=True)
        self.places.metrics.mkdir()
        self.etc = root / "etc"
        (self.etc / "secrets").mkdir(parents=True, mode=0o700)
        self.secret("hook-token", server.token)
        self.secret("backup-dedup-key", f"{CANARY}-dedup-{secrets.token_hex(16)}")
        self.targets: list[dict[str, Any]] = []
        self.retention: dict[str, int] = {}

    def secret(self, name: str, text: str) -> None:
        path = self.etc / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(text + "\n")

    def add_directory(self, name: str = "disk", encryption: Any = "none") -> Path:
        folder = self.root / f"target-{name}"
        folder.mkdir()
        self.targets.append(
            {"kind": "directory", "name": name, "path": str(folder), "encryption": encryption}
        )
        self.write_config()
        return folder

    def add_s3(self, s3: S3Server, name: str = "offsite", encryption: Any = "none") -> Path:
        """Returns the folder that holds the bucket's objects."""
        bucket = s3.make_bucket()
        for kind, text in (("access-key-id", ACCESS_KEY), ("secret-access-key", s3.secret)):
            self.secret(f"backup-{name}-{kind}", text)
        self.targets.append(
            {
                "kind": "s3",
                "name": name,
                "bucket": bucket,
                "prefix": "apps",
                "endpoint": s3.endpoint,
                "access_key_id": {"file": str(self.etc / f"secrets/backup-{name}-access-key-id")},
                "secret_access_key": {
                    "file": str(self.etc / f"secrets/backup-{name}-secret-access-key")
                },
                "encryption": encryption,
            }
        )
        self.write_config()
        return s3.folder / bucket / "apps"

    def write_config(self) -> None:
        (self.etc / "config.json").write_text(
            json.dumps(
                {
                    "domains": ["apps.example.com"],
                    "admin_email": "admin@example.com",
                    "app": {"archive": "/srv/app.tar.zst", "sha256": "0" * 64},
                    "access": {"allowlist": ["127.0.0.0/8"]},
                    "backup": {"targets": self.targets, "retention": self.retention},
                }
            )
        )

    def config(self) -> AgentConfig:
        return load_agent_config(self.etc / "config.json")

    def run(self, *words: str) -> int:
        """A `tinykit-ops backup` command in this process. Raises the errors that it prints."""
        result = command.main(
            ["--config", str(self.etc / "config.json"), *words],
            prog_name="tinykit-ops backup",
            obj=self.places,
            standalone_mode=False,
        )
        return int(result or 0)

    def failure(self, *words: str) -> TinykitOpsError:
        """The error that a command ends with."""
        try:
            code = self.run(*words)
        except TinykitOpsError as error:
            return error
        raise AssertionError(f"it did not fail: {code}")

    def spawn(self, *words: str, **how: Any) -> subprocess.Popen[str]:
        """The same in a process of its own, which can be killed and looked at."""
        driver = Path(__file__).with_name("backup_driver.py")
        places = json.dumps({name: str(value) for name, value in vars(self.places).items()})
        return subprocess.Popen(
            [sys.executable, str(driver), places, str(self.etc / "config.json"), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **how,
        )


def objects(folder: Path) -> dict[str, int]:
    """Keys and sizes of everything in a target's folder."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def snapshots(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("snapshots/*/index.json"))
