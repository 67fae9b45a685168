"""Serves the WebScripts application of this Python for a test: serve.py SITE [--threads] [--json FILE]...

Says `READY PORT` once it listens on a free port of 127.0.0.1, and ends when its standard input does, so that it never
outlives the test that holds the other end. What it leaves out of the command that WebScripts installs is the check of
file permissions and the search for updates; requests are served one at a time unless --threads is given.
"""

import argparse
import base64
import csv
import hashlib
import os
import socketserver
import sys
import threading
from wsgiref import simple_server

ROUNDS = 1000
SALT = b"a test's own salt"


def row(number, name, password, key, groups, categories, scripts):
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), SALT, ROUNDS)
    encoded = [base64.b64encode(part).decode() for part in (digest, SALT)]
    return [number, name, *encoded, ROUNDS, "127.0.*", groups, key, categories, scripts]


def write_users(folder):
    """admin sees everything; user1 … user40 see the category Demo. Password: name and `-pass`."""
    users = [
        ["ID", "name", "password", "salt", "enumerations", "IPs", "groups", "apikey", "categories", "scripts"],
        [0, "Not Authenticated", "", "", "", "*", 0, "", "*", "*"],
        [1, "Unknow", "", "", "", "*", "0,1", "", "*", "*"],
        row(2, "admin", "admin-pass", "key-of-admin-" + "0" * 20, "50,1000", "*", "*"),
    ]
    for number in range(1, 41):
        name = f"user{number}"
        users.append(row(2 + number, name, f"{name}-pass", f"key-of-{name}-" + "0" * 20, "50", "Demo", "-"))
    groups = [["ID", "name"], [0, "Not Authenticated"], [1, "Unknow"], [50, "User"], [1000, "Administrators"]]
    os.makedirs(folder, exist_ok=True)
    for name, rows in (("users.csv", users), ("groups.csv", groups), ("uploads.csv", [])):
        with open(os.path.join(folder, name), "w", newline="") as out:
            csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)


def end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


class Threads(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 64


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("site")
    parser.add_argument("--threads", action="store_true")
    parser.add_argument("--json", action="append", default=[])
    asked = parser.parse_args()
    threading.Thread(target=end_with_the_test, daemon=True).start()
    write_users(os.path.join(asked.site, "data"))
    os.chdir(asked.site)  # the package looks for its configuration here as it is imported
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")

    from WebScripts.WebScripts import Server, default_configuration

    more = [word for file in asked.json for word in ("-j", os.path.abspath(file))]
    server = Server(default_configuration(["WebScripts", *more], False))
    kind = Threads if asked.threads else simple_server.WSGIServer
    http = simple_server.make_server("127.0.0.1", 0, server.app, server_class=kind)
    print(f"READY {http.server_address[1]}", flush=True)
    http.serve_forever()


if __name__ == "__main__":
    main()
