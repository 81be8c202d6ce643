"""pylibmc, which is libmemcached: one client on one connection, on the text or the binary protocol."""
import time

import pylibmc

from checks import *

binary = given["binary"]


def open_client(server=servers[0], **behaviors):
    return pylibmc.Client([server], binary=binary, behaviors={"tcp_nodelay": True, **behaviors})


client = open_client(cas=True)


def not_there(call, name):
    """The text protocol says NOT_STORED, of which pylibmc makes False, and the binary protocol says that the key was not found."""
    if binary:
        raises(name, pylibmc.NotFound, call)
    else:
        equal(name, call(), False)


def storage():
    for name, value in [("text", "some text 日本"), ("bytes", b"\x00\r\n\xff"), ("number", 41), ("float", 1.5), ("object", {"k": [1, "é", None]}), ("empty", "")]:
        equal("set: %s" % name, client.set(key("v"), value), True)
        equal("get: %s" % name, client.get(key("v")), value)
    equal("get: a miss", client.get(key("none")), None)
    equal("get: a miss with a default", client.get(key("none"), 7), 7)
    equal("add: there", client.add(key("v"), "x"), False)
    equal("add: not there", client.add(key("w"), "x"), True)
    equal("replace: there", client.replace(key("w"), "y"), True)
    not_there(lambda: client.replace(key("none"), "x"), "replace: not there")
    equal("append and prepend", [client.append(key("w"), "z"), client.prepend(key("w"), "x"), client.get(key("w"))], [True, True, "xyz"])
    equal("append: not there", client.append(key("none"), "x"), False)
    equal("delete", [client.delete(key("w")), client.get(key("w")), client.delete(key("w"))], [True, None, False])
    check("in", key("v") in client and key("none") not in client)
    client[key("item")] = "v"
    equal("as a mapping", client[key("item")], "v")
    del client[key("item")]
    raises("as a mapping: a miss", KeyError, lambda: client[key("item")])


def counters():
    client.set(key("n"), 10)
    equal("incr", client.incr(key("n"), 5), 15)
    equal("decr", client.decr(key("n"), 6), 9)
    equal("decr stops at 0", client.decr(key("n"), 1000), 0)
    raises("incr: a miss", pylibmc.NotFound, lambda: client.incr(key("none")))
    raises("decr: a miss", pylibmc.NotFound, lambda: client.decr(key("none")))
    client.set(key("word"), "abc")
    raises("incr: no number", pylibmc.Error, lambda: client.incr(key("word")))
    equal("get after an error", client.get(key("word")), "abc")
    client.set_multi({key("n1"): 1, key("n2"): 2})
    client.incr_multi([key("n1"), key("n2")], delta=10)
    equal("incr_multi", client.get_multi([key("n1"), key("n2")]), {key("n1"): 11, key("n2"): 12})


def tokens():
    client.set(key("c"), "one")
    value, token = client.gets(key("c"))
    equal("gets and cas", [value, client.cas(key("c"), "two", token), client.get(key("c"))], ["one", True, "two"])
    equal("cas: an old token", [client.cas(key("c"), "three", token), client.get(key("c"))], [False, "two"])
    raises("cas: not there", pylibmc.NotFound, lambda: client.cas(key("none"), "x", token))
    equal("gets: a miss", client.gets(key("none")), (None, None))


def many():
    items = {key("m%d" % i): "value %d" % i for i in range(500)}
    equal("set_multi", client.set_multi(items), [])
    equal("get_multi", client.get_multi([*items, key("none")]), items)
    equal("add_multi: those that are there", sorted(client.add_multi({key("m1"): "x", key("new"): "x"})), [key("m1")])
    equal("set_multi with a prefix", client.set_multi({"a": 1, "b": 2}, key_prefix=key("p.")), [])
    equal("get_multi with a prefix", client.get_multi(["a", "b", "c"], key_prefix=key("p.")), {"a": 1, "b": 2})
    equal("delete_multi", client.delete_multi(list(items)), True)
    equal("get_multi: deleted", client.get_multi(list(items)), {})


def large_values():
    text = "z" * 300_000
    client.set(key("z"), text, min_compress_len=1000, compress_level=6)
    equal("compressed", client.get(key("z")), text)
    big = bytes(range(251)) * 4174
    equal("set: almost 1 MiB", client.set(key("big"), big), True)
    equal("get: almost 1 MiB", client.get(key("big")), big)
    raises("set: too large", pylibmc.TooBig, lambda: client.set(key("big"), b"x" * ((1 << 20) + 1)))
    equal("a set that is too large leaves no old value", client.get(key("big")), None)
    equal("and the client goes on", [client.set(key("big"), "small"), client.get(key("big"))], [True, "small"])


def keys():
    longest = prefix.ljust(250, "k")
    equal("a key of 250 bytes", [client.set(longest, 1), client.get(longest)], [True, 1])
    raises("a key of 251 bytes", Exception, lambda: client.set(longest + "k", 1))
    equal("a Unicode key", [client.set(key("ключ"), "значение"), client.get(key("ключ"))], [True, "значение"])


def without_replies():
    quiet = open_client(_noreply=True)
    for i in range(500):
        quiet.set(key("quiet"), "%d" % i)
    # It has no answer to wait for, but the connection has an order.
    equal("500 sets with noreply, then get", quiet.get(key("quiet")), "499")
    quiet.delete(key("quiet"))
    equal("delete with noreply", quiet.get(key("quiet")), None)


def times_to_live():
    for name, seconds in [("one", 1), ("date", int(time.time()) + 1), ("negative", -1), ("long", 60), ("touched", 1)]:
        client.set(key(name), "v", time=seconds)
    # The field of the binary protocol has no sign: there, −1 is a date in the year 2106.
    equal("a negative TTL", client.get(key("negative")), "v" if binary else None)
    equal("touch", client.touch(key("touched"), 60), True)
    equal("touch: not there", client.touch(key("none"), 60), False)
    wait_for_end_of_second()
    ends = client.get_multi(["one", "date", "long", "touched"], key_prefix=key(""))
    equal("over after its TTL, and not before", ends, {"long": "v", "touched": "v"})


def about_the_server():
    [(_, stats)] = client.get_stats()
    check("get_stats", all(name in stats for name in ("pid", "uptime", "curr_items", "get_hits", "bytes")), stats)
    equal("get_stats: -m", stats["limit_maxbytes"], b"%d" % (given["megabytes"] << 20))
    emptied = open_client(given["emptied"])
    emptied.set(key("gone"), "v")
    equal("flush_all", [emptied.flush_all(), emptied.get(key("gone"))], [True, None])
    client.disconnect_all()
    equal("a client that has disconnected connects again", client.set(key("again"), "v"), True)


run(storage, counters, tokens, many, large_values, keys, without_replies, times_to_live, about_the_server)
