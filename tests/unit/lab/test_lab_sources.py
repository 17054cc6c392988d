from pathlib import Path

from tinykit_ops.lab.sources import debian_sources

DEBIAN_12 = 'ID=debian\nVERSION_CODENAME="bookworm"\n'
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def machine(tmp_path: Path, files: dict[str, str], release: str = DEBIAN_12) -> Path:
    for name, text in {"etc/os-release": release, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_another_release_comes_from_this_machines_own_mirror(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/apt/sources.list.d/debian.sources": (
                "Types: deb deb-src\n# a comment\nURIs: http://mirror.example/debian\n"
                "Suites: bookworm bookworm-updates\nComponents: main contrib\n"
                f"Signed-By: {KEYRING}\n"
                "\nTypes: deb\nURIs: http://mirror.example/security\n"
                f"Suites: bookworm-security\nComponents: main\nSigned-By: {KEYRING}\n"
            )
        },
    )
    assert debian_sources("trixie", root) == [
        f"deb [signed-by={KEYRING}] http://mirror.example/debian trixie main",
        f"deb [signed-by={KEYRING}] http://mirror.example/debian trixie-updates main",
        f"deb [signed-by={KEYRING}] http://mirror.example/security trixie-security main",
    ]


def test_the_old_style_is_read_too(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/apt/sources.list": (
                "# deb http://off.example/debian bookworm main\n"
                "deb http://mirror.example/debian bookworm main non-free # ours\n"
                "deb [arch=amd64] http://mirror.example/debian bookworm-updates main\n"
            )
        },
    )
    assert debian_sources("bookworm", root) == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
    ]


def test_other_peoples_repositories_stay_out(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/apt/sources.list.d/a.sources": (
                "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n"
                "Components: main\n"
                "\nTypes: deb\nURIs: http://engine.example/linux\nSuites: bookworm\n"
                "Components: main\nSigned-By: /etc/apt/keyrings/engine.gpg\n"
                "\nEnabled: no\nTypes: deb\nURIs: http://off.example/debian\n"
                "Suites: bookworm\nComponents: main\n"
            ),
            "etc/apt/sources.list.d/b.list": "deb http://node.example nodistro main\n",
        },
    )
    assert debian_sources("trixie", root) == ["deb http://mirror.example/debian trixie main"]


def test_without_debian_sources_mmdebstrap_decides(tmp_path: Path) -> None:
    assert debian_sources("trixie", machine(tmp_path, {})) == []
    ubuntu = 'ID=ubuntu\nVERSION_CODENAME="noble"\n'
    other = machine(
        tmp_path / "other",
        {"etc/apt/sources.list": "deb http://mirror.example/ubuntu noble main\n"},
        ubuntu,
    )
    assert debian_sources("trixie", other) == []
    assert debian_sources("trixie", tmp_path / "nowhere") == []


def test_security_fixes_alone_do_not_make_a_release(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {"etc/apt/sources.list": "deb http://mirror.example/debian bookworm-security main\n"},
    )
    assert debian_sources("trixie", root) == []
