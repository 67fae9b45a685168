"""A fan-out with asyncssh, the fastest of the peers in one process: hosts file, config, how many at once, command."""

import asyncio
import sys

import asyncssh


async def one(host, config, gate, command):
    async with gate:
        async with asyncssh.connect(host, config=[config], kex_algs=["curve25519-sha256"]) as connection:
            async with connection.create_process(command, stdin=asyncssh.DEVNULL) as process:
                async for line in process.stdout:
                    sys.stdout.write(f"{host}: {line}")
                    sys.stdout.flush()


async def main(hosts, config, at_once, command):
    gate = asyncio.Semaphore(int(at_once))
    names = [line.strip() for line in open(hosts) if line.strip()]
    await asyncio.gather(*(one(name, config, gate, command) for name in names))


asyncio.run(main(*sys.argv[1:5]))
