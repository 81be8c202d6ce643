"""A server that stops and starts again while its clients stay: pymemcache, python-memcached, pylibmc (text and binary)."""
import time

import memcache
import pylibmc
from pymemcache.client.base import Client

from checks import *

server = servers[0]
in_a_second = {"retry_timeout": 1}
clients = {
    "pymemcache": Client(host_and_port(server), default_noreply=False, timeout=20),
    "python-memcached": memcache.Client([server], dead_retry=1, socket_timeout=20),
    "pylibmc": pylibmc.Client([server], behaviors=in_a_second),
    "pylibmc binary": pylibmc.Client([server], binary=True, behaviors=in_a_second),
}


def stored(client, name):
    """What a client makes of a server that is not there is its own: it raises, or returns something false."""
    try:
        return bool(client.set(key(name), "v"))
    except Exception:
        return False


def stored_in_time(client, name):
    give_up = time.monotonic() + 60
    while not stored(client, name):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.1)
    return True


def restart():
    for name, client in clients.items():
        equal("%s: before" % name, stored(client, name.replace(" ", "-")), True)
    ask_for("stop")
    for name, client in clients.items():
        equal("%s: while it is down" % name, stored(client, name.replace(" ", "-")), False)
    ask_for("start")
    for name, client in clients.items():
        equal("%s: again" % name, stored_in_time(client, "again"), True)
        equal("%s: nothing is left of before" % name, client.get(key(name.replace(" ", "-"))), None)


def ask_for(what):
    print(what, flush=True)
    sys.stdin.readline()


run(restart)
