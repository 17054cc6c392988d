"""Wrong copies whose hashes all fit, stale papers, and other keys; verify has to name them."""

from __future__ import annotations

import random
from collections.abc import Callable

from backup_kit import Instance, snapshots
from campaign_bench import make_key, tell
from fault_cases import Case, must_fail, must_work, restored
from fault_damage import Store, changed
from resealing import Reseal


class CopyFaults:
    """Makes cases of wrong copies; each is taken back."""

    def __init__(self, instance: Instance, stores: list[Store], rng: random.Random) -> None:
        self.instance, self.stores, self.rng = instance, stores, rng
        self.other, self.other_public = make_key(instance.root, "other.txt")
        (instance.root / "no-key.txt").write_text("this is no key\n")

    def makers(self) -> list[Callable[[], Case]]:
        resealed = (
            self.row_deleted,
            self.row_added,
            self.table_lost,
            self.empty,
            self.no_tables,
            self.page_overwritten,
            self.upload_unknown,
            self.stale_manifest,
            self.copied_index,
            self.upload_not_stored,
            self.rows_miscounted,
        )
        both = [
            lambda make=make, store=store: make(store)  # type: ignore[misc]
            for make in resealed
            for store in self.stores
        ]
        return [*both, self.other_key, self.no_key, self.key_file_of_nonsense, self.sealed_to_other]

    # The database ------------------------------------------------------------------------------

    def row_deleted(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            table = self.rng.choice([name for name, rows in one.manifest["rows"].items() if rows])
            count = one.manifest["rows"][table]
            one.sql(
                f"DELETE FROM {table} WHERE rowid = (SELECT rowid FROM {table}"
                f" LIMIT 1 OFFSET {self.rng.randrange(count)})"
            )
            return (f"collection {table}: {count - 1} rows instead of {count}",)

        return self._case("rows deleted or added", "a row deleted", store, change)

    def row_added(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            one.sql("INSERT INTO notes (title) VALUES ('slipped in')")
            return ("collection notes: ",)

        return self._case("rows deleted or added", "a row added", store, change)

    def table_lost(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            table = self.rng.choice(["notes", "users", "_superusers", "_params", "_collections"])
            one.sql(f"DROP TABLE {table}")
            return (table,)

        return self._case("wrong databases", "a table lost", store, change)

    def empty(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            one.database.write_bytes(b"")
            return ("not a PocketBase database",)

        return self._case("wrong databases", "empty", store, change)

    def no_tables(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            one.database.unlink()
            one.sql("CREATE TABLE other (name TEXT)")
            return ("not a PocketBase database",)

        return self._case("wrong databases", "another one", store, change)

    def page_overwritten(self, store: Store) -> Case:
        """The head of a page of a table or an index: 2, 5, 10, 13 are SQLite's kinds of these."""

        def change(one: Reseal) -> tuple[str, ...]:
            content = bytearray(one.database.read_bytes())
            size = int.from_bytes(content[16:18], "big")
            pages = [at for at in range(size, len(content), size) if content[at] in (2, 5, 10, 13)]
            at = self.rng.choice(pages)
            content[at : at + 12] = self.rng.randbytes(12)
            one.database.write_bytes(bytes(content))
            return ("integrity", "cannot be read", "can be read", "malformed")

        return self._case("wrong databases", "a page overwritten", store, change)

    # Papers ------------------------------------------------------------------------------------

    def upload_unknown(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            one.sql(
                "UPDATE notes SET picture = 'gone.png' WHERE rowid = (SELECT max(rowid) FROM notes)"
            )
            return ("gone.png",)

        return self._case("wrong papers", "a record names an unknown upload", store, change)

    def upload_not_stored(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            one.index["uploads"].pop(self.rng.randrange(len(one.index["uploads"])))
            return ("lacks 1 upload",)

        return self._case("wrong papers", "the index lacks an upload", store, change)

    def rows_miscounted(self, store: Store) -> Case:
        def change(one: Reseal) -> tuple[str, ...]:
            table = self.rng.choice(sorted(one.manifest["rows"]))
            one.manifest["rows"][table] += self.rng.randint(1, 9)
            return (f"collection {table}: ",)

        return self._case("wrong papers", "the manifest counts other rows", store, change)

    def stale_manifest(self, store: Store) -> Case:
        """Of an older snapshot, with the index's hash of it made to fit."""

        def change(one: Reseal) -> tuple[str, ...]:
            older = Reseal(store, snapshots(store.folder)[0], self.instance.root)
            one.manifest = older.manifest
            one.database.write_bytes(one.open(one.path("data.db")))
            return ("do not belong together",)

        return self._case("wrong papers", "a stale manifest", store, change)

    def copied_index(self, store: Store) -> Case:
        """An older snapshot's papers and parts, under this one's name."""

        def change(one: Reseal) -> tuple[str, ...]:
            older = Reseal(store, snapshots(store.folder)[0], self.instance.root)
            one.manifest, one.index = older.manifest, {**older.index, "id": one.index["id"]}
            return ("do not belong together",)

        return self._case("wrong papers", "an older index", store, change)

    def _case(
        self, kind: str, name: str, store: Store, change: Callable[[Reseal], tuple[str, ...]]
    ) -> Case:
        snapshot = snapshots(store.folder)[-1]

        def try_it() -> list[str]:
            one = Reseal(store, snapshot, self.instance.root)
            names = change(one)
            with changed(one.written()):
                wrong = must_fail(store.verify(self.instance, snapshot), *names)
            return wrong + must_work(store.verify(self.instance, snapshot))

        return Case(kind, f"{store.name}: {name}", try_it)

    # Keys --------------------------------------------------------------------------------------

    def other_key(self) -> Case:
        return self._key_case("another key", ("--identity", str(self.other)), 77, "does not open")

    def no_key(self) -> Case:
        return self._key_case("no key", (), 64, "--identity")

    def key_file_of_nonsense(self) -> Case:
        path = self.instance.root / "no-key.txt"
        return self._key_case("a file that is no key", ("--identity", str(path)), 64, path.name)

    def _key_case(self, name: str, words: tuple[str, ...], code: int, said: str) -> Case:
        def try_it() -> list[str]:
            target = ("--target", "sealed", *words)
            wrong = must_fail(tell(self.instance, "verify", *target), said, codes=(code,))
            to, text, files = restored(self.instance, "latest", *target)
            wrong += must_fail((to, text), said, codes=(code,))
            return wrong + (["something was restored"] if files else [])

        return Case("wrong keys", name, try_it)

    def sealed_to_other(self) -> Case:
        """By somebody who put his own key in place of ours."""
        store = self.stores[1]

        def try_it() -> list[str]:
            snapshot = self.rng.choice(snapshots(store.folder))
            one = Reseal(store, snapshot, self.instance.root)
            one.recipients = [self.other_public]
            with changed(one.written()):
                answer = store.verify(self.instance, snapshot)
                wrong = must_fail(answer, "does not open", codes=(77,))
            return wrong + must_work(store.verify(self.instance, snapshot))

        return Case("wrong keys", "sealed to another key", try_it)
