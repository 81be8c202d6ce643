"""Django, set up with its three backends for memcached, each with three servers."""
import warnings

import django
from django.conf import settings

from checks import given, key, servers

backends = {
    "PyMemcacheCache": {"connect_timeout": 20, "timeout": 20},
    "MemcachedCache": {"socket_timeout": 20},
    "PyLibMCCache": {"behaviors": {"ketama": True}, "binary": given["binary"]},
}


def cache(name, locations=servers, version=1):
    return {
        "BACKEND": "django.core.cache.backends.memcached." + name,
        "LOCATION": locations,
        "KEY_PREFIX": key(name),
        "VERSION": version,
        "TIMEOUT": 300,
        "OPTIONS": backends[name],
    }


def set_up():
    chosen = {"default": cache("PyMemcacheCache")}
    for name in backends:
        chosen[name] = cache(name)
        chosen[name + " 2"] = cache(name, version=2)
        chosen[name + " emptied"] = cache(name, [given["emptied"]])
    settings.configure(
        CACHES=chosen,
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        USE_I18N=False,
        SECRET_KEY="for tests",
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
    )
    # MemcachedCache goes with Django 4.1, and says so.
    warnings.simplefilter("ignore")
    django.setup()
