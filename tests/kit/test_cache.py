"""The memory of looked-up things: full of what is true, and never of what was."""

from authsrv.kit.cache import LookupCache


class Shelf:
    """What is looked up, and how often."""

    def __init__(self, **things: str) -> None:
        self.things = things
        self.looks: list[str] = []

    def find(self, key: str) -> str | None:
        self.looks.append(key)
        return self.things.get(key)


def test_a_thing_is_looked_up_once() -> None:
    cache: LookupCache[str] = LookupCache()
    shelf = Shelf(a="1")
    assert [cache.get("a", shelf.find) for _ in range(3)] == ["1"] * 3
    assert [cache.get("b", shelf.find) for _ in range(3)] == [None] * 3
    assert shelf.looks == ["a", "b"]


def test_a_forgotten_thing_is_looked_up_anew() -> None:
    cache: LookupCache[str] = LookupCache()
    shelf = Shelf(a="1")
    cache.get("a", shelf.find)
    cache.get("b", shelf.find)
    shelf.things = {"a": "2", "b": "3"}
    cache.forget("a")
    cache.forget("b")
    assert cache.get("a", shelf.find) == "2"
    assert cache.get("b", shelf.find) == "3"


def test_what_was_read_before_the_news_is_used_once_and_not_kept() -> None:
    cache: LookupCache[str] = LookupCache()
    shelf = Shelf(a="old")

    def look_while_it_changes(key: str) -> str | None:
        found = shelf.find(key)
        shelf.things["a"] = "new"
        cache.forget(key)
        return found

    assert cache.get("a", look_while_it_changes) == "old"
    assert cache.get("a", shelf.find) == "new"


def test_the_same_holds_when_everything_is_forgotten() -> None:
    cache: LookupCache[str] = LookupCache()

    def look_while_all_is_cleared(_: str) -> str | None:
        cache.clear()
        return None

    assert cache.get("a", look_while_all_is_cleared) is None
    assert cache.get("a", Shelf(a="1").find) == "1"


def test_made_up_keys_cannot_push_out_the_real_ones() -> None:
    cache: LookupCache[str] = LookupCache(found=2, missing=2)
    shelf = Shelf(a="1", b="2")
    cache.get("a", shelf.find)
    cache.get("b", shelf.find)
    for number in range(100):
        cache.get(f"made-up-{number}", shelf.find)
    shelf.looks.clear()
    assert (cache.get("a", shelf.find), cache.get("b", shelf.find)) == ("1", "2")
    assert shelf.looks == []
