"""The command line tools of libmemcached, with three servers, on the text or the binary protocol; memcaslap as one that puts load on."""
import pathlib
import re
import subprocess
import tempfile

from checks import *

protocol = ["--binary"] if given["binary"] else []


def tool(name, *arguments, places=servers):
    done = subprocess.run([name, "--servers=" + ",".join(places), *arguments], capture_output=True, text=True, timeout=100)
    return done.returncode, done.stdout


def files():
    text = "a line\r\nand another\r\n" * 2000
    name = key("file")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, name)
        path.write_text(text, newline="")
        equal("memccp", tool("memccp", *protocol, str(path)), (0, ""))
    equal("memccat", tool("memccat", *protocol, name), (0, text.replace("\r\n", "\n") + "\n"))
    equal("memcexist", tool("memcexist", *protocol, name)[0], 0)
    equal("memctouch", tool("memctouch", *protocol, "--expire=60", name)[0], 0)
    equal("memcrm", tool("memcrm", *protocol, name)[0], 0)
    equal("memccat, memcexist, memctouch: not there", [tool(each, *protocol, name)[0] for each in ("memccat", "memcexist", "memctouch")], [1, 1, 1])


def servers_asked():
    equal("memcping", tool("memcping")[0], 0)
    equal("memcping: one of three down", tool("memcping", places=[*servers[:2], given["down"]])[0], 1)
    code, words = tool("memcstat", *protocol)
    equal("memcstat", [code, len(re.findall(r"^\s+pid: \d+$", words, re.M))], [0, 3])
    equal("memcstat: versions", len(re.findall(r"^\s+version: 1\.6\.", words, re.M)), 3)
    # memcached shows those keys only that have not been asked for lately: which ones is not said.
    equal("memcdump", tool("memcdump", places=servers[:1])[0], 0)
    equal("memcflush", tool("memcflush", *protocol, places=[given["emptied"]])[0], 0)


def load():
    code, words = tool("memcslap", *protocol, "--concurrency=8", "--execute-number=200", "--initial-load=200", "--test=get")
    check("memcslap", code == 0 and "Time to get" in words, words)
    # Every value that it reads it compares with what it has written.
    protocol_of_this = ["-B"] if given["binary"] else []
    code, words = tool("memcaslap", *protocol_of_this, "-T", "2", "-c", "16", "-x", "8000", "-v", "1.0", places=servers[:1])
    counts = {name: int(count) for name, count in re.findall(r"^(\w+): (\d+)$", words, re.M)}
    equal("memcaslap", [code, *[counts[name] for name in ("get_misses", "verify_misses", "verify_failed")]], [0, 0, 0, 0])
    check("memcaslap: all was asked", counts["cmd_get"] > 6000 and counts["cmd_set"] > 500, counts)


run(files, servers_asked, load)
