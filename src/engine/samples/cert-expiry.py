#!/usr/bin/env python3
# @describe When a server's TLS certificate ends, and whether it is trusted here
# @arg host=localhost            Server to ask, as seen from the device
# @option --port=443 <PORT>
# @option --days=21 <DAYS>       Fail when it ends in fewer days
# @option --name <NAME>          Name to ask for, where it is not the host's
#
# Needs nothing but Python. Exit code 0: fine. 1: ends soon, or has ended. 2: no certificate to be had.
import argparse
import datetime
import socket
import ssl
import sys


def der(data):
    """Splits DER into (tag, content) pairs."""
    items = []
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(data[2:start], "big")
        items.append((tag, data[start : start + length]))
        data = data[start + length :]
    return items


def moment(tag, content):
    text = content.decode("ascii")
    if tag == 0x17:  # UTCTime: two digits of the year, 1950 to 2049
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    parsed = datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc)


def validity(certificate):
    """From and until, read from the certificate itself: an untrusted one has dates too."""
    fields = der(der(der(certificate)[0][1])[0][1])
    if fields[0][0] == 0xA0:  # the version, which is optional
        fields = fields[1:]
    begin, end = der(fields[3][1])
    return moment(*begin), moment(*end)


def ask(host, port, name, context):
    with socket.create_connection((host, port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=name) as secured:
            return secured.getpeercert(binary_form=True)


def main():
    parser = argparse.ArgumentParser(description="When a server's TLS certificate ends")
    parser.add_argument("host", nargs="?", default="localhost")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--name")
    options = parser.parse_args()
    name = options.name or options.host
    where = f"{options.host}:{options.port}"

    anyone = ssl.create_default_context()
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    try:
        begin, end = validity(ask(options.host, options.port, name, anyone))
    except (OSError, ValueError, IndexError) as error:
        print(f"{where}: no certificate: {error}", file=sys.stderr)
        return 2

    try:
        ask(options.host, options.port, name, ssl.create_default_context())
        trust = "trusted here"
    except ssl.SSLCertVerificationError as error:
        trust = f"not trusted here: {error.verify_message}"
    except OSError as error:
        trust = f"trust not known: {error}"

    left = (end - datetime.datetime.now(datetime.timezone.utc)).days
    print(f"{where}: {begin:%Y-%m-%d} to {end:%Y-%m-%d}, {left} days left, {trust}")
    return 1 if left < options.days else 0


if __name__ == "__main__":
    sys.exit(main())
