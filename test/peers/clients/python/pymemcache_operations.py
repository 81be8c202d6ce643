"""pymemcache: one client on one connection."""
import time

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError, MemcacheIllegalInputError, MemcacheServerError

from checks import *

address = host_and_port(servers[0])
client = Client(address, default_noreply=False, connect_timeout=20, timeout=20)
mebibyte = 1 << 20


def storage():
    equal("get: a miss", client.get(key("none")), None)
    equal("get: a miss with a default", client.get(key("none"), default=7), 7)
    equal("set", client.set(key("a"), "hello"), True)
    equal("get", client.get(key("a")), b"hello")
    equal("add: there", client.add(key("a"), "x"), False)
    equal("add: not there", client.add(key("b"), "x"), True)
    equal("replace: there", client.replace(key("b"), "y"), True)
    equal("replace: not there", client.replace(key("none"), "y"), False)
    equal("append", client.append(key("b"), "z"), True)
    equal("prepend", client.prepend(key("b"), "w"), True)
    equal("append and prepend: the value", client.get(key("b")), b"wyz")
    equal("append: not there", client.append(key("none"), "z"), False)
    equal("prepend: not there", client.prepend(key("none"), "z"), False)
    equal("delete", client.delete(key("a")), True)
    equal("delete: not there", client.delete(key("a")), False)


def tokens():
    client.set(key("c"), "one")
    value, token = client.gets(key("c"))
    equal("gets: the value", value, b"one")
    check("gets: a token of digits", token.isdigit(), token)
    equal("cas", client.cas(key("c"), "two", token), True)
    equal("cas: an old token", client.cas(key("c"), "three", token), False)
    equal("cas: an old token changes nothing", client.get(key("c")), b"two")
    equal("cas: not there", client.cas(key("none"), "x", token), None)
    equal("gets: a miss", client.gets(key("none")), (None, None))


def counters():
    client.set(key("n"), "10")
    equal("incr", client.incr(key("n"), 5), 15)
    equal("decr", client.decr(key("n"), 6), 9)
    equal("decr stops at 0", client.decr(key("n"), 1000), 0)
    equal("incr: a miss", client.incr(key("none"), 1), None)
    equal("decr: a miss", client.decr(key("none"), 1), None)
    client.set(key("most"), "18446744073709551615")
    equal("incr goes round at 2^64", client.incr(key("most"), 1), 0)
    client.set(key("word"), "abc")
    raises("incr: no number", MemcacheClientError, lambda: client.incr(key("word"), 1), "non-numeric")
    equal("get after an error", client.get(key("word")), b"abc")


def many():
    items = {key("m%d" % i): b"value %d" % i for i in range(500)}
    equal("set_many", client.set_many(items), [])
    equal("get_many", client.get_many([*items, key("none")]), items)
    found = client.gets_many(list(items)[:50])
    equal("gets_many: the values", {name: value for name, (value, _) in found.items()}, dict(list(items.items())[:50]))
    equal("gets_many: fifty tokens", len({token for _, token in found.values()}), 50)
    equal("delete_many", client.delete_many(list(items)), True)
    equal("get_many: deleted", client.get_many(list(items)), {})


def values():
    every_byte = bytes(range(256)) * 16
    for name, value in [("empty", b""), ("every byte", every_byte), ("line ends", b"\r\nEND\r\n" * 9)]:
        equal("set: %s" % name, client.set(key("v"), value), True)
        equal("get: %s" % name, client.get(key("v")), value)
    big = bytes(range(251)) * 4174
    equal("set: 1 MiB less a few hundred bytes", client.set(key("big"), big), True)
    equal("get: 1 MiB less a few hundred bytes", client.get(key("big")), big)
    raises("set: more than 1 MiB", MemcacheServerError, lambda: client.set(key("big"), b"x" * (mebibyte + 1)), "too large")
    equal("a set that is too large leaves no old value", client.get(key("big")), None)


def keys():
    longest = prefix.ljust(250, "k")
    equal("set: a key of 250 bytes", client.set(longest, "v"), True)
    equal("get: a key of 250 bytes", client.get(longest), b"v")
    raises("a key of 251 bytes", MemcacheIllegalInputError, lambda: client.get(longest + "k"))
    raises("a key with a space", MemcacheIllegalInputError, lambda: client.get("a b"))
    unicode = Client(address, default_noreply=False, allow_unicode_keys=True, encoding="utf8", key_prefix=prefix.encode())
    equal("set: a Unicode key and value", unicode.set("ключ-日本", "значение 😀"), True)
    equal("get: a Unicode key", unicode.get("ключ-日本"), "значение 😀".encode())
    equal("get_many: a prefix and Unicode", unicode.get_many(["ключ-日本", "v"]), {"ключ-日本": "значение 😀".encode(), "v": client.get(key("v"))})
    unicode.close()


def without_replies():
    for i in range(500):
        client.set(key("quiet"), str(i), noreply=True)
    equal("500 sets with noreply, then get", client.get(key("quiet")), b"499")
    client.incr(key("quiet"), 1, noreply=True)
    client.append(key("quiet"), "!", noreply=True)
    equal("incr and append with noreply", client.get(key("quiet")), b"500!")
    client.add(key("quiet"), "x", noreply=True)
    client.touch(key("quiet"), 60, noreply=True)
    client.delete(key("quiet"), noreply=True)
    equal("delete with noreply", client.get(key("quiet")), None)


def times_to_live():
    now = int(time.time())
    for name, seconds in [("one", 1), ("date", now + 1), ("past", now - 60), ("negative", -1), ("long", 60), ("touched", 1)]:
        client.set(key(name), "v", expire=seconds)
    equal("a negative TTL is over at once", client.get(key("negative")), None)
    equal("a date in the past is over at once", client.get(key("past")), None)
    equal("touch", client.touch(key("touched"), 60), True)
    equal("touch: not there", client.touch(key("none"), 60), False)
    wait_for_end_of_second()
    equal("a TTL of 1 s", client.get(key("one")), None)
    equal("a date in one second", client.get(key("date")), None)
    equal("a TTL of 60 s", client.get(key("long")), b"v")
    equal("touched in time", client.get(key("touched")), b"v")
    equal("add after the end", client.add(key("one"), "new"), True)


def about_the_server():
    check("version", client.version().startswith(b"1.6."), client.version())
    stats = client.stats()
    check("stats", all(stats[name] >= 0 for name in (b"pid", b"uptime", b"curr_items", b"get_hits", b"limit_maxbytes")))
    check("stats: the types that pymemcache makes", isinstance(stats[b"rusage_user"], float) and stats[b"version"])
    equal("stats settings: -m", client.stats("settings")[b"maxbytes"], given["megabytes"] * mebibyte)
    check("stats items, slabs", any(b"number" in name for name in client.stats("items")) and client.stats("slabs"))
    equal("verbosity by hand", client._misc_cmd([b"verbosity 0\r\n"], b"verbosity", False), [b"OK"])
    raises("an unknown command", Exception, lambda: client._misc_cmd([b"nonsense\r\n"], b"nonsense", False))
    client.quit()
    equal("a client that has quit connects again", client.set(key("again"), "v"), True)


run(storage, tokens, counters, many, values, keys, without_replies, times_to_live, about_the_server)
