"""
What the Python scripts share. Each is started with one argument, a JSON object that names the servers (../given.ts), and
prints a line PASS or FAIL for each thing that it checks.
"""
import json
import os
import sys
import threading
import time
import traceback

given = json.loads(sys.argv[1])
servers = given["servers"]
# Scripts run at the same time against the same servers, each in a key space of its own.
prefix = "%s.%d." % (os.path.basename(sys.argv[0]).removesuffix(".py"), os.getpid())
failures = 0


def key(name):
    return prefix + str(name)


def host_and_port(server):
    host, port = server.rsplit(":", 1)
    return host, int(port)


def check(name, good, detail=""):
    global failures
    failures += 0 if good else 1
    print("PASS" if good else "FAIL", name, "" if good else detail, flush=True)


def equal(name, got, wanted):
    check(name, type(got) is type(wanted) and got == wanted, "got %.200r, not %.200r" % (got, wanted))


def raises(name, kind, call, words=""):
    try:
        check(name, False, "nothing raised, but %.200r" % (call(),))
    except kind as error:
        check(name, words in str(error), "raised %.200r" % error)


def at_once(count, work):
    """Runs work(0) to work(count - 1) in threads; what one of them raises fails the script."""
    broken = []

    def guarded(index):
        try:
            work(index)
        except Exception:
            broken.append(traceback.format_exc())

    threads = [threading.Thread(target=guarded, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise Exception("\n".join(broken))


def in_processes(count, work):
    """As `at_once`, in processes of their own."""

    def child(index):
        ended = 1
        try:
            work(index)
            ended = 0
        except Exception:
            traceback.print_exc()
        os._exit(ended)

    children = [os.fork() or child(index) for index in range(count)]
    if any([os.waitpid(process, 0)[1] for process in children]):
        raise Exception("a process failed: see stderr")


def wait_for_end_of_second():
    """Outlives every TTL of one second, also one that a server counts in ticks of its clock."""
    time.sleep(2.2)


def run(*parts):
    """Ends the process: 0 when every check passed."""
    for part in parts:
        try:
            part()
        except Exception:
            check(part.__name__, False, traceback.format_exc())
    sys.exit(1 if failures else 0)
