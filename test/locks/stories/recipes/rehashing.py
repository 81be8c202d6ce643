"""Django's cache lock, repaired (only the owner deletes), on python-memcached: told what to do line by line."""
import sys
import uuid

import memcache

key = sys.argv[1]
token = uuid.uuid4().hex
client = memcache.Client(sys.argv[2:])

for line in sys.stdin:
    if line == "acquire\n":
        print("held" if client.add(key, token, time=60) else "busy", flush=True)
    elif line == "holds\n":
        print("held" if client.get(key) == token else "lost", flush=True)
    elif line == "release\n":
        if client.get(key) == token:
            client.delete(key)
        print("released", flush=True)
