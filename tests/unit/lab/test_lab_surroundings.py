from pathlib import Path

from tinykit_ops.lab.surroundings import CA_BUNDLE, of_this_machine


def machine(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_plain_machine_needs_nothing_copied(tmp_path: Path) -> None:
    root = machine(tmp_path, {"etc/apt/apt.conf.d/01autoremove": 'APT::NeverAutoRemove "x";'})
    assert of_this_machine(root, {}).files == {}


def test_extra_authorities_are_copied_and_pip_is_told_of_them(tmp_path: Path) -> None:
    root = machine(tmp_path, {"usr/local/share/ca-certificates/corp/our.crt": "PEM"})
    files = of_this_machine(root, {}).files
    assert files["usr/local/share/ca-certificates/corp/our.crt"] == b"PEM"
    assert files["etc/pip.conf"].decode() == f"[global]\ncert = {CA_BUNDLE}\n"


def test_of_apt_only_what_says_how_to_fetch_is_copied(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/apt/apt.conf": 'Acquire::http::Proxy "http://proxy.example:3128";',
            "etc/apt/apt.conf.d/20times": 'Acquire::Check-Valid-Until "false";',
            "etc/apt/apt.conf.d/50clean": 'Dir::Cache::pkgcache "";',
        },
    )
    found = of_this_machine(root, {})
    assert found.apt_files == ["etc/apt/apt.conf.d/00controller", "etc/apt/apt.conf.d/20times"]
    assert found.private == frozenset()


def test_what_may_hold_a_password_is_private(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/apt/apt.conf.d/proxy": 'Acquire::https::Proxy "http://me:secret@proxy.example";',
            "etc/apt/auth.conf.d/ours": "machine mirror.example login me password secret",
            "etc/pip.conf": "[global]\nindex-url = https://me:secret@index.example/simple\n",
        },
    )
    found = of_this_machine(root, {"http_proxy": "http://me:secret@proxy.example"})
    assert found.private == {
        "etc/apt/apt.conf.d/proxy",
        "etc/apt/auth.conf.d/ours",
        "etc/pip.conf",
        "etc/environment",
    }
    assert "secret" not in repr(found.private)


def test_pip_variables_win_over_its_files_and_local_folders_are_left_out(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "etc/pip.conf": "[global]\nindex-url = https://old.example/simple\ntimeout = 9\n",
            "root/.config/pip/pip.conf": "[global]\nextra-index-url = file:///opt/pypi "
            "https://more.example/simple\nfind-links = /opt/wheels\n",
        },
    )
    pip = of_this_machine(root, {"PIP_INDEX_URL": "https://new.example/simple"}).files
    lines = pip["etc/pip.conf"].decode().splitlines()
    assert lines == [
        "[global]",
        "index-url = https://new.example/simple",
        "extra-index-url = https://more.example/simple",
        "timeout = 9",
    ]


def test_a_broken_pip_configuration_does_not_stop_the_lab(tmp_path: Path) -> None:
    root = machine(tmp_path, {"etc/pip.conf": "no section\n"})
    assert "etc/pip.conf" not in of_this_machine(root, {}).files


def test_proxy_variables_reach_the_hosts_and_no_other_variable_does(tmp_path: Path) -> None:
    environ = {"https_proxy": "http://proxy.example:3128", "NO_PROXY": "local", "TOKEN": "secret"}
    text = of_this_machine(tmp_path, environ).files["etc/environment"].decode()
    assert text == 'https_proxy="http://proxy.example:3128"\nNO_PROXY="local"\n'
