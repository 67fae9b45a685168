"""The peers, each as it is best run, and as it comes out of the box."""

import os
import shutil

from rig import HERE, VENV


def have(name):
    return shutil.which(name) is not None


def in_venv(name):
    return os.path.exists(os.path.join(VENV, "bin", name)) or os.path.exists(
        os.path.join(VENV, "lib")
    ) and any(os.path.isdir(os.path.join(VENV, "lib", python, "site-packages", name)) for python in os.listdir(os.path.join(VENV, "lib")))


def commands(rig, command, at_once):
    """label -> (argv, environment). Those that are not installed are left out."""
    hosts, listed = ",".join(rig.hosts), rig.list
    env = dict(os.environ, PDSH_RCMD_TYPE="ssh")
    default, fast = rig.default, rig.fast
    pdsh_default = dict(env, PDSH_SSH_ARGS=f"-F {default} -l%u %h")
    pdsh_fast = dict(env, PDSH_SSH_ARGS=f"-F {fast} -l%u %h")
    python = os.path.join(VENV, "bin", "python")
    quoted = command.replace("'", "'\\''")
    all_of_them = {
        "ssh-x": (["sh", "-c", f"xargs -P {at_once} -I{{}} ssh -F {fast} {{}} '{quoted}' < {listed}"], env, have("ssh")),
        "ssh": (["sh", "-c", f"xargs -P 32 -I{{}} ssh -F {default} {{}} '{quoted}' < {listed}"], env, have("ssh")),
        "pdsh-x": (["pdsh", "-l", rig.user, "-f", str(at_once), "-w", hosts, command], pdsh_fast, have("pdsh")),
        "pdsh": (["pdsh", "-l", rig.user, "-f", "32", "-w", hosts, command], pdsh_default, have("pdsh")),
        "clush-x": (
            ["clush", "--nostdin", "-o", f"-F {fast}", "-l", rig.user, "-f", str(2 * at_once), "-w", hosts, command],
            env, have("clush"),
        ),
        "asyncssh": (
            [python, os.path.join(HERE, "asyncssh_fan.py"), listed, fast, str(2 * at_once), command], env, in_venv("asyncssh"),
        ),
        "ansible": (
            [os.path.join(VENV, "bin", "ansible"), "all", "-i", listed, "-m", "raw", "-a", command, "-f", "50"],
            dict(env, ANSIBLE_CONFIG=rig.path("ansible.cfg"), ANSIBLE_LOCAL_TEMP=rig.path("ansible-tmp")), in_venv("ansible"),
        ),
    }
    return {label: (argv, environment) for label, (argv, environment, there) in all_of_them.items() if there}
