"""What keeps an instance from moving is told before anything is moved."""

import json

import pytest

from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.fleet.ask import Answer
from tinykit_ops.migrate import plan
from tinykit_ops.migrate.here import State

S3 = {
    "kind": "s3",
    "name": "offsite",
    "bucket": "backups",
    "prefix": "apps",
    "endpoint": "https://s3.example.com",
    "access_key_id": {"env": "A"},
    "secret_access_key": {"env": "B"},
    "encryption": "none",
}
SEALED = {
    **S3,
    "encryption": ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
}
EMPTY = State(projects=0)
BARE = "bare"


@pytest.fixture
def look(make_settings, tmp_path):
    """look(old=State, new=State or BARE, new_settings={…}, …) → the move."""

    def run(old=State(projects=3), new=EMPTY, names=("old", "new"), identity=None, **more):  # noqa: B008
        target = more.get("target", S3)
        both = {"backup": {"targets": [target]}}
        settings = [make_settings(**both), make_settings(**{**both, **more.get("differs", {})})]

        def ask(_inventory, words, **_):
            def answer(name, found, state):
                if not words:
                    return Answer(name, found, None)
                if isinstance(state, Answer):
                    return Answer(name, found, state.out, state.err, state.code, state.problem)
                code = plan.NO_AGENT if state == BARE else 0
                return Answer(name, found, "" if code else state.to_json(), code=code)

            return [
                answer(*each) for each in zip(("old", "new"), settings, (old, new), strict=True)
            ]

        return plan.look(tmp_path / "inventory.py", *names, more.get("chosen"), identity, ask)

    return run


def test_an_empty_host_and_a_bare_one_can_be_moved_to(look):
    assert look().target == "offsite"
    assert look(new=BARE).is_bare
    assert "a bare host" in "\n".join(plan.told(look(new=BARE)))


def test_a_move_that_was_interrupted_is_gone_on_with(look):
    move = look(State("new", projects=3), State(comes_from="old", projects=3))
    assert move.window_is_open
    assert not move.is_done
    assert "refuses writes already" in "\n".join(plan.told(move))
    assert look(State("new", projects=3), State("", "old", True, projects=3)).is_done


def test_an_instance_may_go_back_to_where_it_came_from(look):
    assert not look(State("", "new", True, 4), State("old", projects=3)).is_done


def test_agents_that_are_at_work_are_named(look):
    move = look(State(projects=1, agents=("shop",)))
    assert "at work in: shop" in "\n".join(plan.told(move))


def unasked(**more):
    return Answer("", None, None, **more)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"names": ("old", "old")}, "to itself"),
        ({"differs": {"domains": ["other.example.com"]}}, "not the same domains"),
        (
            {"differs": {"backup": {"targets": [{**S3, "prefix": "other"}]}}},
            "no backup target that both hosts reach",
        ),
        ({"chosen": "nowhere"}, "no backup target that both hosts reach"),
        ({"target": SEALED}, "--identity FILE"),
        ({"differs": {"pocketbase": {"version": "0.23.4"}}}, "PocketBase 0.23.4 is older"),
        ({"new": State(projects=2)}, "not empty: it has an instance with 2 projects"),
        ({"old": State("third", projects=2)}, "has moved, to third"),
        ({"old": unasked(code=plan.OLD_AGENT)}, "deploy that host first"),
        ({"old": unasked(code=plan.NO_AGENT)}, "deploy that host first"),
        ({"new": State("", "old", True, projects=2)}, "is not empty"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_what_to_do(look, wanted, words):
    with pytest.raises(UsageError) as refused:
        look(**wanted)
    assert words in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_host_that_does_not_answer_is_named(look, name):
    with pytest.raises(UnavailableError, match="no connection"):
        look(**{name: unasked(problem="no connection to it")})


def test_an_old_host_whose_database_is_down_has_nothing_to_move(look):
    with pytest.raises(UnavailableError, match="PocketBase on old does not answer"):
        look(State(projects=None))


def test_a_state_goes_through_json(look):
    state = State("", "old", True, 2, ("a", "b"))
    assert json.loads(state.to_json())["agents"] == ["a", "b"]
    assert look(new=State("old", projects=2)).new_state == State("old", projects=2)
