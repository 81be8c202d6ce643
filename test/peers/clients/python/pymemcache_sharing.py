"""pymemcache: serializers, pools, threads that race, several servers, and a server that is down."""
import json
import time
import zlib

from pymemcache import serde
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient
from pymemcache.exceptions import MemcacheUnexpectedCloseError

from checks import *

address = host_and_port(servers[0])


def open_client(**options):
    return Client(address, default_noreply=False, connect_timeout=20, timeout=20, **options)


def serializers():
    class Json:
        def serialize(self, _, value):
            return (value, 1) if isinstance(value, str) else (json.dumps(value), 2)

        def deserialize(self, _, value, flags):
            return value.decode() if flags == 1 else json.loads(value)

    class Compressed(Json):
        def serialize(self, _, value):
            data, flags = super().serialize(_, value)
            return zlib.compress(data.encode()), flags

        def deserialize(self, _, value, flags):
            return super().deserialize(_, zlib.decompress(value), flags)

    for name, how in [("json", Json()), ("pickle", serde.pickle_serde), ("compressed", Compressed())]:
        client = open_client(serde=how)
        value = {"text": "日本", "list": [1, 2.5, None, True], "long": "hello world " * 1000}
        client.set(key(name), value)
        equal("%s: an object" % name, client.get(key(name)), value)
        client.set(key(name), "text")
        equal("%s: text" % name, client.get(key(name)), "text")
        client.close()


def compare_and_swap():
    name = key("cas")
    client = open_client()
    client.set(name, "0")

    def work(_):
        mine = open_client()
        for _ in range(100):
            while True:
                value, token = mine.gets(name)
                if mine.cas(name, str(int(value) + 1), token):
                    break
        mine.close()

    at_once(4, work)
    equal("gets and cas of four threads lose nothing", client.get(name), b"400")
    client.close()


def lock_by_add():
    client = open_client()
    client.set(key("count"), "0")

    def work(index):
        mine = open_client()
        for _ in range(15):
            while not mine.add(key("lock"), str(index), expire=60):
                time.sleep(0.001)
            mine.set(key("count"), str(int(mine.get(key("count"))) + 1))
            mine.delete(key("lock"))
        mine.close()

    at_once(6, work)
    equal("what a lock by add guards loses nothing", client.get(key("count")), b"90")
    barrier, winners = threading.Barrier(16), []

    def race(index):
        mine = open_client()
        mine.version()
        barrier.wait()
        if mine.add(key("race"), str(index)):
            winners.append(b"%d" % index)
        mine.close()

    at_once(16, race)
    equal("of sixteen adds one wins", winners, [client.get(key("race"))])
    client.close()


def pool():
    client = PooledClient(address, max_pool_size=8, default_noreply=False, connect_timeout=20, timeout=20)
    client.set(key("pool"), "0")
    at_once(8, lambda _: [client.incr(key("pool"), 1) for _ in range(100)])
    equal("a pool, used by eight threads", client.get(key("pool")), b"800")
    client.close()


def retries():
    client = RetryingClient(open_client(), attempts=3, retry_for=[MemcacheUnexpectedCloseError])
    client.set(key("retried"), "v")
    equal("a client that retries", client.get(key("retried")), b"v")
    client.quit()


def several_servers():
    items = {key("h%d" % i): b"value %d" % i for i in range(300)}
    places = [host_and_port(server) for server in servers]
    for pooled in (False, True):
        client = HashClient(places, default_noreply=False, use_pooling=pooled, connect_timeout=20, timeout=20)
        equal("three servers: set_many", client.set_many(items), [])
        equal("three servers: get_many", client.get_many(list(items)), items)
        client.close()
    shares = [len(Client(place, timeout=20).get_many(list(items))) for place in places]
    check("three servers: each key on one of them", sum(shares) == 300 and min(shares) > 50, shares)


def one_server_down():
    names = [key("d%d" % i) for i in range(60)]
    places = [host_and_port(server) for server in [servers[0], servers[1], given["down"]]]
    client = HashClient(places, default_noreply=False, retry_attempts=0, dead_timeout=600, ignore_exc=True, timeout=20)
    stored = [name for name in names if client.set(name, "v")]
    check("one of three down: some keys fail before it is given up", 0 < 60 - len(stored) < 60, len(stored))
    check("one of three down: the others take all keys from then on", all(client.set(name, "w") for name in names))
    equal("one of three down: all are found", client.get_many(names), {name: b"w" for name in names})
    client.close()


def flush():
    client = Client(host_and_port(given["emptied"]), default_noreply=False, timeout=20)
    client.set(key("gone"), "v")
    equal("flush_all", client.flush_all(), True)
    equal("flush_all: gone", client.get(key("gone")), None)
    client.set(key("later"), "v")
    equal("flush_all with a delay", client.flush_all(1), True)
    client.flush_all(0, noreply=True)
    equal("flush_all with noreply", client.get(key("later")), None)
    client.close()


run(serializers, compare_and_swap, lock_by_add, pool, retries, several_servers, one_server_down, flush)
