"""The rig: private sshds on loopback addresses, the files of every peer, and a home for Quarterdeck.

Loopback only. As root everything runs in a network namespace that holds nothing but `lo`. Each sshd serves 16
addresses (its own limit), so that neither a listen backlog nor one accept loop stands between the hosts."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time

import meter

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "compare")
VENV = os.path.join(TARGET, "venv")
DEVICE = os.path.join(TARGET, "device")


def addresses(count):
    return [f"127.0.{1 + index // 250}.{1 + index % 250}" for index in range(count)]


def free_port(hosts):
    for port in range(22000, 23000):
        try:
            for host in hosts[:: max(1, len(hosts) // 8)]:
                with socket.socket() as probe:
                    probe.bind((host, port))
            return port
        except OSError:
            continue
    raise SystemExit("no free port on the loopback addresses")


class Rig:
    def __init__(self, count, binary, max_startups="4000:30:6000", max_sessions=4000, one=False):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix="qdc-")
        self.hosts = addresses(1 if one else count)
        self.names = count  # with `one`: so many names for one host
        self.port = free_port(self.hosts)
        self.client, self.server = meter.Group("cli"), meter.Group("srv")
        self.user = getpass.getuser()
        self.sshds = []
        self.serve = None
        self._keys()
        self._peers()
        for start in range(0, len(self.hosts), 16):
            self._sshd(start // 16, self.hosts[start : start + 16], max_startups, max_sessions)
        self._wait()

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        meter.write(path, text)
        os.chmod(path, mode)
        return path

    def _keys(self):
        for name in ("host", "id"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)], check=True, stdin=subprocess.DEVNULL
            )
        shutil.copy(self.path("id.pub"), self.path("authorized_keys"))
        key = " ".join(meter.read(self.path("host.pub")).split()[:2])
        self.put("known_hosts", "".join(f"[{host}]:{self.port} {key}\n" for host in self.hosts))

    def _peers(self):
        common = (
            f"Host *\n  Port {self.port}\n  User {self.user}\n  IdentityFile {self.path('id')}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.path('known_hosts')}\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n  CheckHostIP no\n  BatchMode yes\n  LogLevel ERROR\n"
        )
        self.default = self.put("ssh_config", common)
        self.fast = self.put("ssh_config_fast", common + "  KexAlgorithms curve25519-sha256\n")
        os.makedirs(self.path("cp"), exist_ok=True)
        self.master = self.put(
            "ssh_config_master", common + f"  KexAlgorithms curve25519-sha256\n  ControlPath {self.path('cp')}/%h\n"
        )
        self.list = self.put("hosts.txt", "\n".join(self.hosts) + "\n")
        self.put(
            "ansible.cfg",
            "[defaults]\nhost_key_checking = True\nretry_files_enabled = False\ninterpreter_python = /usr/bin/python3\n"
            "[ssh_connection]\n"
            f"ssh_args = -F {self.default} -o ControlMaster=no -o ControlPersist=no\npipelining = True\n",
        )
        self.put("home/.empty", "")
        self.put("device-home/.empty", "")
        entries = [
            f"web{index + 1:04d} ansible_host={self.hosts[index % len(self.hosts)]} ansible_port={self.port}\n"
            for index in range(self.names)
        ]
        self.put(
            "hosts.ini",
            "[web]\n"
            + "".join(entries)
            + f"\n[web:vars]\nansible_user={self.user}\nansible_ssh_private_key_file={self.path('id')}\n",
        )
        self.config = (
            '[[connection]]\nname = "local"\nkind = "local"\n\n[[connection]]\nname = "lab"\nkind = "ssh"\n'
            f'inventory = ["{self.path("hosts.ini")}"]\nssh_config = "{self.put("empty", "")}"\n'
            f'known_hosts = "{self.path("known_hosts")}"\nhost_keys = "strict"\n'
        )
        self.put("config/quarterdeck/config.toml", self.config)
        os.makedirs(self.path("run"), mode=0o700, exist_ok=True)

    def _sshd(self, number, hosts, max_startups, max_sessions):
        text = (
            f"Port {self.port}\nHostKey {self.path('host')}\nPidFile {self.path(f'sshd-{number}.pid')}\n"
            f"AuthorizedKeysFile {self.path('authorized_keys')}\nSetEnv HOME={self.path('device-home')}\n"
            f"MaxStartups {max_startups}\nMaxSessions {max_sessions}\nPubkeyAuthentication yes\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nUsePAM no\nUseDNS no\n"
            "StrictModes no\nLoginGraceTime 300\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\n"
            + "".join(f"ListenAddress {host}\n" for host in hosts)
        )
        config = self.put(f"sshd-{number}.conf", text)
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin") or "/usr/sbin/sshd"
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        log = open(self.path(f"sshd-{number}.log"), "w")
        environment = {"PATH": os.environ.get("PATH", ""), "QD_COMPARE": self.server.name}
        self.sshds.append(
            subprocess.Popen(
                [sshd, "-D", "-e", "-f", config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self.server.enter, env=environment,
            )
        )

    def _wait(self):
        end = time.monotonic() + 60
        for host in self.hosts:
            while True:
                try:
                    socket.create_connection((host, self.port), 5).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise SystemExit(f"sshd does not listen on {host}: see {self.folder}/sshd-*.log")
                    time.sleep(0.02)

    def settle(self):
        """Until no session is left on the hosts, so that no run pays for the one before."""
        end = time.monotonic() + 20
        while len(self.server.pids()) > len(self.sshds) and time.monotonic() < end:
            time.sleep(0.02)

    # ---- Quarterdeck ----

    @property
    def environment(self):
        environment = {name: os.environ[name] for name in ("PATH", "USER", "LOGNAME") if name in os.environ}
        for name, folder in (
            ("HOME", "home"), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"), ("XDG_RUNTIME_DIR", "run"),
        ):
            environment[name] = self.path(folder)
        environment.update(LANG="C.UTF-8", TERM="xterm-256color", QD_COMPARE=self.client.name)
        return environment

    def verb(self, *arguments, check=True):
        ran = subprocess.run(
            [self.binary, *arguments], env=self.environment, preexec_fn=self.client.enter, capture_output=True,
            stdin=subprocess.DEVNULL, cwd=self.folder,
        )
        if check and ran.returncode != 0:
            raise RuntimeError(f"quarterdeck {' '.join(arguments)}: {ran.returncode}\n{ran.stderr.decode()}")
        return ran

    def engine(self):
        """A fresh engine that holds no connection."""
        self.end_engine()
        self.serve = subprocess.Popen(
            [self.binary, "serve"], env=self.environment, preexec_fn=self.client.enter, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )
        for _ in range(500):
            if self.verb("jobs", "ls", "--json", check=False).returncode == 0:
                return self.serve.pid
            time.sleep(0.01)
        raise RuntimeError("the engine does not answer")

    def end_engine(self):
        for pid in self.client.pids():
            try:
                if b"\0serve" in open(f"/proc/{pid}/cmdline", "rb").read():
                    os.kill(pid, 15)
            except OSError:
                pass
        if self.serve:
            self.serve.wait()
            self.serve = None
        end = time.monotonic() + 20
        while self.client.pids() and time.monotonic() < end:
            time.sleep(0.02)
        self.client.end()
        self.settle()

    def forget(self):
        """As if no job had ever run."""
        shutil.rmtree(self.path("state"), ignore_errors=True)

    def close(self):
        self.end_engine()
        for sshd in self.sshds:
            sshd.terminate()
        for sshd in self.sshds:
            sshd.wait()
        self.server.close()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
