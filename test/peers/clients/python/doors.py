"""Other ways in than plain TCP: a Unix socket (pymemcache, python-memcached, pylibmc), TLS (pymemcache), passwords (pymemcache, pylibmc)."""
import ssl

import memcache
import pylibmc
from pymemcache.client.base import Client, PooledClient
from pymemcache.exceptions import MemcacheError

from checks import *

big = "binary and text " * 60_000


def works(name, client):
    """What differs between the ways in is how bytes go: so short ones, long ones, and many."""
    items = {key("%s.%d" % (name, i)): "value %d" % i for i in range(200)}
    get_many = getattr(client, "get_many", None) or client.get_multi
    set_many = getattr(client, "set_many", None) or client.set_multi
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    equal("%s: set_many" % name, set_many(items), [])
    equal("%s: get_many" % name, {name: text(value) for name, value in get_many(list(items)).items()}, items)
    client.set(key(name), big)
    check("%s: almost 1 MiB" % name, text(client.get(key(name))) == big)
    client.set(key(name), "7")
    equal("%s: incr" % name, int(client.incr(key(name), 1)), 8)


def unix_sockets():
    path = given["socket"]
    works("pymemcache-unix", Client(path, default_noreply=False, timeout=20))
    works("python-memcached-unix", memcache.Client(["unix:" + path], socket_timeout=20))
    works("pylibmc-unix", pylibmc.Client([path]))
    works("pylibmc-unix-binary", pylibmc.Client([path], binary=True))


def tls():
    trusting = ssl.create_default_context(cafile=given["tls"]["ca"])
    address = host_and_port(given["tls"]["server"])
    options = {"default_noreply": False, "timeout": 20}
    works("pymemcache-tls", Client(address, tls_context=trusting, **options))
    pool = PooledClient(address, tls_context=trusting, max_pool_size=8, **options)
    at_once(8, lambda index: [pool.set(key("tls.%d" % index), str(i)) for i in range(50)])
    equal("tls: eight threads", pool.get_many([key("tls.%d" % i) for i in range(8)]), {key("tls.%d" % i): b"49" for i in range(8)})
    raises("tls: a certificate of nobody that is known", ssl.SSLError, lambda: Client(address, tls_context=ssl.create_default_context(), **options).get("a"))
    raises("tls: no TLS", (OSError, MemcacheError), lambda: Client(address, **options).get("a"))


def passwords_by_text():
    """The text protocol has no command for it: a set, the first on its connection, says who one is."""
    login = given["login"]
    client = Client(host_and_port(login["server"]), default_noreply=False, timeout=20)
    raises("first set: nothing before it", MemcacheError, lambda: client.get(key("a")), "unauthenticated")
    raises("first set: a wrong password", MemcacheError, lambda: client.set("any", login["user"] + " x"), "authentication failure")
    equal("first set", client.set("any", "%(user)s %(password)s" % login), True)
    works("pymemcache-password", client)


def passwords():
    login = given["login"]
    open_client = lambda **who: pylibmc.Client([login["server"]], binary=True, **who)
    works("pylibmc-sasl", open_client(username=login["user"], password=login["password"]))
    for name, who in [("a wrong password", {"username": login["user"], "password": "x" + login["password"]}), ("a wrong user", {"username": "nobody", "password": login["password"]}), ("no password", {})]:
        raises("sasl: %s" % name, pylibmc.Error, lambda: open_client(**who).set(key("a"), "v"))
        equal("sasl: %s stores nothing" % name, open_client(username=login["user"], password=login["password"]).get(key("a")), None)


run(unix_sockets, tls, passwords_by_text, passwords)
