"""The agent's installation, run by a real shell in a folder of its own, with a stand-in for pip."""

import base64
import io
import stat
import subprocess
import sys
import tarfile

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy import agent_package


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Runs the script as a host would; `python3 -m venv` makes a bare one."""
    home = tmp_path / "home"
    monkeypatch.setattr(layout, "AGENT_HOME", str(home))
    monkeypatch.setattr(layout, "LOCK_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(layout, "DEPLOY_LOCK", str(tmp_path / "run/deploy"))
    tools = tmp_path / "bin"
    tools.mkdir()
    python = tools / "python3"
    # A venv without pip, whose `python -m pip` and `import click` succeed without a network.
    python.write_text(f"""#!/bin/sh
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/sh
case "$*" in
  *" pip "*|*"-m pip"*) echo pip >>{tmp_path}/pip-calls; [ ! -e {tmp_path}/broken ] ;;
  *"import click"*) exit 0 ;;
  *) exec {sys.executable} "$@" ;;
esac
END
chmod 755 "$3/bin/python"
""")
    python.chmod(0o755)
    # Nobody waits here; what the index does meanwhile is up to the test.
    sleep = tools / "sleep"
    sleep.write_text(f"#!/bin/sh\n[ ! -e {tmp_path}/back-soon ] || rm -f {tmp_path}/broken\n")
    sleep.chmod(0o755)

    def run(build="aaaa", umask=0o022, sent=None):
        monkeypatch.setattr(agent_package, "build_id", lambda: build)
        return subprocess.run(
            ["sh", "-c", agent_package.install_script()],
            input=agent_package.payload()[:sent],
            text=True,
            capture_output=True,
            check=False,
            umask=umask,
            env={"PATH": f"{tools}:/usr/bin:/bin:/usr/sbin"},
        )

    return run


def test_the_payload_is_the_source_and_its_requirements_and_no_cache():
    data = base64.b64decode(agent_package.payload())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
        modes = {member.mode for member in archive}
    assert "requirements.txt" in names
    assert "tinykit_ops/cli/__init__.py" in names
    assert not any("__pycache__" in name for name in names)
    assert modes == {0o644}


def test_an_installation_is_whole_and_linked(install, tmp_path):
    done = install()
    assert done.returncode == 0, done.stderr
    current = tmp_path / "home/current"
    assert str(current.readlink()) == "builds/aaaa"
    assert (current / "tinykit_ops/cli/host/_secrets.py").is_file()
    assert (current / "venv/bin/python").exists()


def test_a_second_installation_fetches_no_package_again(install, tmp_path):
    install()
    install("bbbb")
    assert (tmp_path / "pip-calls").read_text().count("pip") == 1


def test_the_version_before_stays_for_who_still_runs_it_and_older_ones_go(install, tmp_path):
    for build in ("aaaa", "bbbb", "cccc"):
        assert install(build).returncode == 0
    kept = sorted(path.name for path in (tmp_path / "home/builds").iterdir())
    assert kept == ["bbbb", "cccc"]


def test_packages_that_could_not_be_fetched_are_fetched_by_the_next_run(install, tmp_path):
    (tmp_path / "broken").touch()
    assert install().returncode != 0
    assert not (tmp_path / "home/current").exists()
    (tmp_path / "broken").unlink()
    assert install().returncode == 0


def test_an_index_that_has_a_bad_moment_is_asked_again(install, tmp_path):
    (tmp_path / "broken").touch()
    (tmp_path / "back-soon").touch()
    assert install().returncode == 0
    assert (tmp_path / "pip-calls").read_text().count("pip") == 2


def test_half_a_build_of_an_interrupted_run_is_made_anew(install, tmp_path):
    (tmp_path / "home/builds/aaaa.new/tinykit_ops").mkdir(parents=True)
    assert install().returncode == 0
    assert (tmp_path / "home/current/tinykit_ops/cli/host/_secrets.py").is_file()


@pytest.mark.parametrize("part", range(1, 10))
def test_a_part_of_the_agent_is_not_installed_as_if_it_were_whole(install, tmp_path, part):
    blocks = len(agent_package.payload()) * 3 // 4 // 512
    # Between two files, where tar(1) sees nothing wrong, and wherever else this falls.
    done = install(sent=blocks * part // 10 * 512 * 4 // 3)
    assert done.returncode != 0
    assert not (tmp_path / "home/current").is_symlink()
    assert install().returncode == 0
    assert (tmp_path / "home/current/tinykit_ops/cli/host/_secrets.py").is_file()


def test_a_strict_umask_does_not_hide_the_agent(install, tmp_path):
    assert install(umask=0o077).returncode == 0
    assert stat.S_IMODE((tmp_path / "home/builds/aaaa").stat().st_mode) == 0o755


def test_the_lock_can_be_held_by_root_alone(install, tmp_path):
    install()
    assert stat.S_IMODE((tmp_path / "run/deploy").stat().st_mode) == 0o600
