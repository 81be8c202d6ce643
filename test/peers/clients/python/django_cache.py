"""Django's backends with three servers: PyMemcacheCache (pymemcache), MemcachedCache (python-memcached), PyLibMCCache (pylibmc)."""
import django_settings
from pymemcache.client.base import Client

from checks import *

django_settings.set_up()

from django.core.cache import InvalidCacheKey, caches

# The field of the binary protocol has no sign: a negative time to live is there a date in the year 2106.
negative_is_far = {name: name == "PyLibMCCache" and given["binary"] for name in django_settings.backends}


class Backend:
    def __init__(self, name):
        self.name = name
        self.cache, self.second, self.emptied = caches[name], caches[name + " 2"], caches[name + " emptied"]

    def equal(self, name, got, wanted):
        equal("%s: %s" % (self.name, name), got, wanted)

    def values(self):
        cache, every_byte = self.cache, bytes(range(256))
        for value in ["", "текст 日本 😀", b"", every_byte, 0, -7, 1 << 70, 1.5, [1, {"a": (2, None)}], {"x"}]:
            cache.set("v", value)
            self.equal("set and get: %.20r" % value, cache.get("v"), value)
        self.equal("get: a miss", cache.get("none"), None)
        self.equal("get: a miss with a default", cache.get("none", "default"), "default")
        cache.set("big", every_byte * 4000)
        self.equal("almost 1 MiB", cache.get("big"), every_byte * 4000)
        # pymemcache and pylibmc raise, each something of its own; python-memcached does not send it.
        self.equal("too large", self.refusal(lambda: cache.set("big", b"x" * (2 << 20))) is not None, self.name != "MemcachedCache")
        self.equal("a value that is too large leaves no old value", cache.get("big"), None)

    def refusal(self, call):
        try:
            call()
        except Exception as error:
            return error

    def keys(self):
        cache = self.cache
        cache.set("ключ-日本", 1)
        self.equal("a Unicode key", cache.get("ключ-日本"), 1)
        raises("%s: a key with a space" % self.name, InvalidCacheKey, lambda: cache.set("a b", 1))
        self.equal("in", ["ключ-日本" in cache, "none" in cache, cache.has_key("none")], [True, False, False])

    def writing(self):
        cache = self.cache
        self.equal("add", [bool(cache.add("a", 1)), bool(cache.add("a", 2)), cache.get("a")], [True, False, 1])
        self.equal("delete", [cache.delete("a"), cache.delete("a"), cache.get("a")], [True, False, None])
        cache.set("n", 40)
        self.equal("incr and decr", [cache.incr("n"), cache.incr("n", 9), cache.decr("n", 8), cache.get("n")], [41, 50, 42, 42])
        raises("%s: incr: a miss" % self.name, ValueError, lambda: cache.incr("none"))
        raises("%s: decr: a miss" % self.name, ValueError, lambda: cache.decr("none"))
        self.equal("get_or_set", [cache.get_or_set("made", lambda: "once"), cache.get_or_set("made", "twice")], ["once", "once"])
        self.equal("touch", [cache.touch("made", 60), cache.touch("none", 60)], [True, False])

    def many(self):
        cache, items = self.cache, {"m%d" % i: {"i": i} for i in range(300)}
        self.equal("set_many", cache.set_many(items), [])
        self.equal("get_many", cache.get_many([*items, "none"]), items)
        names = [cache.make_key(name) for name in items]
        shares = [len(Client(host_and_port(server), timeout=20).get_many(names)) for server in servers]
        check("%s: each key on one of three servers" % self.name, sum(shares) == 300 and min(shares) > 30, shares)
        cache.delete_many([*list(items)[:200], "none"])
        self.equal("delete_many", len(cache.get_many(items)), 100)

    def versions(self):
        cache = self.cache
        cache.set("v", "one")
        self.equal("versions: the second has nothing yet", [self.second.get("v"), cache.get("v", version=2)], [None, None])
        self.second.set("v", "two")
        self.equal("versions", [cache.get("v"), cache.get("v", version=2), self.second.get("v", version=1)], ["one", "two", "one"])
        self.equal("incr_version", [cache.incr_version("v", 4), cache.get("v"), cache.get("v", version=5)], [5, None, "one"])

    def clear(self):
        self.emptied.set("a", 1)
        self.emptied.clear()
        self.equal("clear", self.emptied.get("a"), None)

    def timeouts_begin(self):
        times = {"none": 0, "negative": -1, "short": 1, "long": 60, "month": 40 * 86400, "ever": None, "touched": 1}
        for name, timeout in times.items():
            self.cache.set("t-" + name, name, timeout)
        self.cache.touch("t-touched", 60)
        self.cache.set_many({"t-s1": 1, "t-s2": 2}, 1)

    def timeouts_end(self):
        there = ["long", "month", "ever", "touched", *(["none", "negative"] if negative_is_far[self.name] else [])]
        found = self.cache.get_many(["t-" + name for name in ("none", "negative", "short", "s1", "s2", "long", "month", "ever", "touched")])
        self.equal("timeouts", found, {"t-" + name: name for name in there})


each = [Backend(name) for name in django_settings.backends]
parts = ("timeouts_begin", "values", "keys", "writing", "many", "versions", "clear")
run(*[getattr(one, part) for part in parts for one in each], wait_for_end_of_second, *[one.timeouts_end for one in each])
