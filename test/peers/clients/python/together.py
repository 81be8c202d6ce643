"""
One client of many that work on one server at once: its own keys are as it left them, a counter that all raise loses nothing, and
of a lock by add there is one holder.
"""
import random
import string
import time

from checks import *

# Made by the test, for all of them.
counter, lock, inside = "together.counter", "together.lock", "together.inside"


def pymemcache():
    from pymemcache import serde
    from pymemcache.client.base import Client

    return Client(host_and_port(servers[0]), serde=serde.pickle_serde, default_noreply=False, timeout=60)


def python_memcached():
    import memcache

    return memcache.Client(servers[:1], socket_timeout=60)


def pylibmc():
    import pylibmc

    return pylibmc.Client(servers[:1], binary=given["binary"], behaviors={"tcp_nodelay": True})


def django():
    from django.conf import settings

    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    plain = lambda name, prefix, version: name
    settings.configure(CACHES={"default": {"BACKEND": backend, "LOCATION": servers[0], "KEY_FUNCTION": plain}})
    from django.core.cache import cache

    return cache


def text():
    return "".join(random.choices(string.ascii_letters, k=random.choice([0, 1, 50, 2000, 30_000])))


def work(client):
    get_many = getattr(client, "get_many", None) or client.get_multi
    names, model, wrong, raised = [key(i) for i in range(30)], {}, [], 0
    started = time.monotonic()
    while time.monotonic() < started + given["seconds"] and not wrong:
        name, does = random.choice(names), random.choice(["set", "set", "get", "get", "add", "delete", "many", "count", "lock"])
        there = name in model
        if does == "set" or (does == "add" and not there):
            model[name] = text()
            good = bool(getattr(client, does)(name, model[name])) or given["client"] == "django"
        elif does == "add":
            good = not client.add(name, "x")
        elif does == "get":
            good = client.get(name) == model.get(name)
        elif does == "delete":
            client.delete(name)
            model.pop(name, None)
            good = client.get(name) is None
        elif does == "many":
            good = get_many(names) == model
        elif does == "count":
            good = client.incr(counter, 1) > raised
            raised += 1
        else:
            good = held_alone(client)
        if not good:
            wrong.append((does, name, there))
    equal("what it did came back", wrong, [])
    check("it has kept some, and counted", len(model) > 0 and raised > 0)
    print("RAISED", raised)


def held_alone(client):
    if not client.add(lock, "mine"):
        return True
    alone = client.incr(inside, 1) == 1 and client.decr(inside, 1) == 0
    client.delete(lock)
    return alone


run(lambda: work({"pymemcache": pymemcache, "memcache": python_memcached, "pylibmc": pylibmc, "django": django}[given["client"]]()))
