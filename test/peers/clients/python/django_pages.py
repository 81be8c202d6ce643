"""Django's sessions and whole cached pages, which it keeps in its default cache."""
import django_settings

from checks import *

django_settings.set_up()

from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory
from django.views.decorators.cache import cache_page


def sessions():
    session = SessionStore()
    session["user"] = {"id": 7, "name": "Ada"}
    session.save()
    first = session.session_key
    equal("a session, read by another", SessionStore(first)["user"], {"id": 7, "name": "Ada"})
    check("exists", session.exists(first) and not session.exists("a" * 32))
    session.cycle_key()
    second = session.session_key
    check("cycle_key: another key", second != first and not session.exists(first))
    equal("cycle_key: the same session", SessionStore(second)["user"]["id"], 7)
    session.flush()
    equal("flush", SessionStore(second).get("user"), None)


def pages():
    calls = []

    @cache_page(60, key_prefix=key("page"))
    def view(request):
        calls.append(request.path)
        return HttpResponse("page %d" % len(calls))

    fetched = [view(RequestFactory().get(path)).content for path in ("/a", "/a", "/b", "/a")]
    equal("cache_page", fetched, [b"page 1", b"page 1", b"page 2", b"page 1"])


run(sessions, pages)
