"""python-memcached (Debian's python3-memcache)."""
import time

import memcache

from checks import *


def open_client(servers=servers, **options):
    return memcache.Client(servers, socket_timeout=20, **options)


client = open_client(servers[:1])


def storage():
    for name, value in [("text", "some text"), ("bytes", b"\x00\r\n\xff"), ("number", 41), ("big number", 1 << 70), ("true", True), ("float", 1.5), ("object", {"k": [1, "é", None]}), ("empty", "")]:
        equal("set: %s" % name, client.set(key("v"), value), True)
        equal("get: %s" % name, client.get(key("v")), value)
    equal("get: a miss", client.get(key("none")), None)
    equal("add: there", client.add(key("v"), "x"), False)
    equal("add: not there", client.add(key("w"), "x"), True)
    equal("replace: there", client.replace(key("w"), "y"), True)
    equal("replace: not there", client.replace(key("none"), "x"), False)
    equal("append and prepend", [client.append(key("w"), "z"), client.prepend(key("w"), "x"), client.get(key("w"))], [True, True, "xyz"])
    equal("append: not there", client.append(key("none"), "x"), False)
    equal("delete", [client.delete(key("w")), client.get(key("w"))], [1, None])
    equal("a Unicode key", [client.set(key("ключ"), "значение"), client.get(key("ключ"))], [True, "значение"])
    longest = prefix.ljust(250, "k")
    equal("a key of 250 bytes", [client.set(longest, 1), client.get(longest)], [True, 1])
    raises("a key of 251 bytes", memcache.Client.MemcachedKeyLengthError, lambda: client.get(longest + "k"))
    raises("a key with a space", memcache.Client.MemcachedKeyCharacterError, lambda: client.get("a b"))


def counters():
    client.set(key("n"), 41)
    equal("incr", client.incr(key("n")), 42)
    equal("decr", client.decr(key("n"), 2), 40)
    equal("decr stops at 0", client.decr(key("n"), 99), 0)
    equal("incr: a miss", client.incr(key("none")), None)
    equal("get after incr", client.get(key("n")), 0)


def large_values():
    text = "z" * 300_000
    client.set(key("z"), text, min_compress_len=1000)
    equal("compressed", client.get(key("z")), text)
    big = bytes(range(251)) * 4174
    equal("set: almost 1 MiB", client.set(key("big"), big), True)
    equal("get: almost 1 MiB", client.get(key("big")), big)
    # It refuses what is too large by itself, unless told that the server takes more: then the server refuses.
    trusting = open_client(servers[:1], server_max_value_length=1 << 24)
    check("set: too large", not trusting.set(key("big"), b"x" * ((1 << 20) + 1)))
    equal("a set that is too large leaves no old value", trusting.get(key("big")), None)
    equal("and the client goes on", [trusting.set(key("big"), "small"), trusting.get(key("big"))], [True, "small"])


def several_servers():
    shared = open_client()
    items = {key("m%d" % i): i for i in range(300)}
    equal("three servers: set_multi", shared.set_multi(items), [])
    equal("three servers: get_multi", shared.get_multi([*items, key("none")]), items)
    shares = [len(open_client([server]).get_multi(list(items))) for server in servers]
    check("three servers: each key on one of them", sum(shares) == 300 and min(shares) > 30, shares)
    equal("set_multi with a prefix", shared.set_multi({"a": 1, "b": 2}, key_prefix=key("p.")), [])
    equal("get_multi with a prefix", shared.get_multi(["a", "b"], key_prefix=key("p.")), {"a": 1, "b": 2})
    equal("delete_multi", shared.delete_multi(list(items)), 1)
    equal("get_multi: deleted", shared.get_multi(list(items)), {})
    stats = shared.get_stats()
    equal("get_stats", [stats[0][1][name].isdigit() for name in ("pid", "uptime", "curr_items", "get_hits", "bytes")], [True] * 5)
    equal("get_stats settings", [settings["maxbytes"] for _, settings in shared.get_stats("settings")], [str(given["megabytes"] << 20)] * 3)
    # It drops what it would send to a server that is down, and asks the next one of its list instead.
    halved = open_client([servers[0], given["down"]])
    equal("one of two down", [[halved.set(key("d%d" % i), i), halved.get(key("d%d" % i))] for i in range(20)], [[True, i] for i in range(20)])


def compare_and_swap():
    name = key("cas")
    client.set(name, 0)

    def work(_):
        mine = open_client(servers[:1], cache_cas=True)
        for _ in range(20):
            while not mine.cas(name, mine.gets(name) + 1):
                mine.reset_cas()
            mine.reset_cas()
        mine.disconnect_all()

    at_once(6, work)
    equal("gets and cas of six threads lose nothing", client.get(name), 120)
    mine = open_client(servers[:1], cache_cas=True)
    mine.gets(name)
    client.set(name, "other")
    equal("cas: an old token", [mine.cas(name, "mine"), client.get(name)], [False, "other"])


def threads():
    name = key("count")
    client.set(name, 0)
    # One object for all of them: it keeps a connection a thread.
    at_once(8, lambda _: [client.incr(name) for _ in range(50)])
    equal("one client of eight threads: incr", client.get(name), 400)

    def work(index):
        for _ in range(10):
            while not client.add(key("lock"), index, time=60):
                time.sleep(0.001)
            client.set(name, client.get(name) + 1)
            client.delete(key("lock"))

    at_once(6, work)
    equal("a lock by add", client.get(name), 460)


def times_to_live():
    for name, seconds in [("one", 1), ("date", int(time.time()) + 1), ("negative", -1), ("long", 60), ("touched", 1)]:
        client.set(key(name), "v", time=seconds)
    equal("a negative TTL is over at once", client.get(key("negative")), None)
    equal("touch", client.touch(key("touched"), 60), 1)
    wait_for_end_of_second()
    ends = client.get_multi(["one", "date", "long", "touched"], key_prefix=key(""))
    equal("over after its TTL, and not before", ends, {"long": "v", "touched": "v"})


def flush():
    emptied = open_client([given["emptied"]])
    emptied.set(key("gone"), "v")
    emptied.flush_all()
    equal("flush_all", emptied.get(key("gone")), None)


run(storage, counters, large_values, several_servers, compare_and_swap, threads, times_to_live, flush)
