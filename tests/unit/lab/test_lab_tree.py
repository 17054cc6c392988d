"""A base tree is made from packages of a mirror, which may be away for a moment."""

import pytest

from tinykit_ops.lab import tree
from tinykit_ops.lab.errors import CommandError


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """mirror(times) → (pauses, what was there as each try began); it is away so many times."""
    pauses: list[float] = []
    found: list[list[str]] = []
    monkeypatch.setattr(tree.time, "sleep", pauses.append)

    def make(times: int, kind: str):
        target = tmp_path / "root"

        def bootstrap(*_: object) -> None:
            found.append([path.name for path in tmp_path.iterdir()])
            if kind == "folder":
                (target / "etc").mkdir(parents=True)
            else:
                target.write_text("half")
            if len(found) <= times:
                raise CommandError("mmdebstrap failed", where="mmdebstrap")

        monkeypatch.setattr(tree, "_bootstrap", bootstrap)
        tree.bootstrap("trixie", target, [], [], "/lab")

    make.pauses, make.found = pauses, found
    return make


@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_mirror_that_comes_back_is_asked_again_from_a_clean_start(mirror, times, kind):
    mirror(times, kind)
    assert mirror.found == [[]] * (times + 1)
    assert mirror.pauses == list(tree.BUILD_PAUSES[:times])


def test_a_mirror_that_stays_away_is_told(mirror):
    with pytest.raises(CommandError, match="mmdebstrap failed"):
        mirror(9, "folder")
    assert len(mirror.found) == 1 + len(tree.BUILD_PAUSES)
