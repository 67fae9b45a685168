//! Outputs as programs write them when they end, written for the purpose: planted ways to end, and of each as many
//! outputs as are wanted, every one with its own times, ids, addresses, host names, paths and durations. Depends on
//! nothing, so that benchmarks can make theirs of it too.

/// One way to end, of which every output is to be one group, and no other's.
pub struct Plant {
    pub name: &'static str,
    pub code: i32,
    pub out: &'static str,
    pub err: &'static str,
}

/// What differs from output to output. `{w}`: a plain word of very many, the same in all of an output; `{own}`: the
/// device's own name.
const fn plant(name: &'static str, code: i32, out: &'static str, err: &'static str) -> Plant {
    Plant { name, code, out, err }
}

pub const PLANTS: &[Plant] = &[
    // -- it went well ----------------------------------------------------------------------------------------------
    plant("ok: a duration", 0, "patching {own}\n{pct}%\r100%\rrc=0 from={v} to={v} in {dur}\n", ""),
    plant("ok: up to date", 0, "{n} upgraded, {n} newly installed, {n} to remove and {n} not upgraded.\n", ""),
    plant("ok: nothing said", 0, "", ""),
    plant("ok: with a warning", 0, "done\n", "warning: clock skew of {n}.{n}s detected\n"),
    plant("ok: no updates", 0, "Software Update Tool\n\nFinding available software\nNo updates are available.\n", ""),
    plant("ok: deferred", 75, "in work hours ({clock}), deferring\n", ""),
    // -- apt, dpkg -------------------------------------------------------------------------------------------------
    plant(
        "apt: locked",
        100,
        "Reading package lists...\n",
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {n} (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n",
    ),
    plant(
        "apt: no package",
        100,
        "Reading package lists...\nBuilding dependency tree...\n",
        "E: Unable to locate package {w}\n",
    ),
    plant(
        "apt: mirror 404",
        100,
        "Err:{n} http://deb.example.org/debian bookworm/main amd64 {w} amd64 {v}\n",
        "E: Failed to fetch http://deb.example.org/debian/pool/main/{w}_{v}_amd64.deb  404  Not Found [IP: {ip} 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n",
    ),
    plant(
        "apt: interrupted",
        100,
        "",
        "E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a' to correct the problem.\n",
    ),
    plant(
        "apt: signature",
        100,
        "Hit:1 http://deb.example.org stable InRelease\n",
        "W: GPG error: http://deb.example.org stable InRelease: The following signatures couldn't be verified: NO_PUBKEY {HEX16}\nE: The repository 'http://deb.example.org stable InRelease' is not signed.\n",
    ),
    plant(
        "apt: dns",
        100,
        "",
        "W: Failed to fetch http://deb.example.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.example.org'\nW: Some index files failed to download. They have been ignored, or old ones used instead.\n",
    ),
    plant(
        "apt: full",
        100,
        "Unpacking {w} ({v}) ...\n",
        "dpkg: error processing archive /var/cache/apt/archives/{w}_{v}_amd64.deb (--unpack):\n cannot copy extracted data for './usr/lib/{w}.so' to '/usr/lib/{w}.so.dpkg-new': failed to write (No space left on device)\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n",
    ),
    // -- dnf, yum, zypper ------------------------------------------------------------------------------------------
    plant(
        "dnf: metadata",
        1,
        "Last metadata expiration check: {clock} ago on {date}.\n",
        "Error: Failed to download metadata for repo 'appstream': Cannot prepare internal mirrorlist: Curl error (6): Couldn't resolve host name for http://mirrors.example.org/list?arch=x86_64 [Could not resolve host: mirrors.example.org]\n",
    ),
    plant("dnf: no match", 1, "", "No match for argument: {w}\nError: Unable to find a match: {w}\n"),
    plant(
        "dnf: gpg",
        1,
        "Downloading Packages:\n",
        "Public key for {w}-{v}.x86_64.rpm is not installed\nError: GPG check FAILED\n",
    ),
    plant(
        "dnf: transaction",
        1,
        "Running transaction check\n",
        "Error: Transaction test error:\n  installing package {w}-{v}.x86_64 needs {n}MB more space on the / filesystem\n",
    ),
    plant(
        "rpm: database",
        1,
        "",
        "error: rpmdb: BDB0113 Thread/process {n}/{n} failed: BDB1507 Thread died in Berkeley DB library\nerror: cannot open Packages database in /var/lib/rpm\n",
    ),
    // -- macOS -----------------------------------------------------------------------------------------------------
    plant(
        "softwareupdate: space",
        1,
        "Downloading macOS {v}\nDownloaded: {pct}.{n}%\rDownloaded: {pct}.{n}%\r",
        "{iso} softwareupdate[{n}:{n}] Not enough free disk space to install. {n}.{n} GB required, {n}.{n} GB available\n",
    ),
    plant(
        "softwareupdate: server",
        1,
        "Finding available software\n",
        "{iso} softwareupdate[{n}:{n}] Can't connect to the Apple Software Update server (error {n})\n",
    ),
    plant("macos: not found", 127, "", "/bin/sh: line {n}: sw_vers: command not found\n"),
    // -- curl, certificates, network -------------------------------------------------------------------------------
    plant(
        "curl: 503",
        22,
        "  % Total    % Received\n\r{pct} {n}k\r{pct} {n}k\r",
        "curl: (22) The requested URL returned error: 503\n",
    ),
    plant("curl: resolve", 6, "", "curl: (6) Could not resolve host: cdn.example.net\n"),
    plant("curl: refused", 7, "", "curl: (7) Failed to connect to {ip} port {port} after {n} ms: Connection refused\n"),
    plant(
        "curl: slow",
        28,
        "",
        "curl: (28) Operation timed out after {n} milliseconds with {n} out of {n} bytes received\n",
    ),
    plant(
        "curl: expired",
        60,
        "",
        "curl: (60) SSL certificate problem: certificate has expired\nMore details here: https://curl.se/docs/sslcerts.html\n",
    ),
    plant(
        "curl: self-signed",
        60,
        "",
        "curl: (60) SSL certificate problem: self-signed certificate in certificate chain\nMore details here: https://curl.se/docs/sslcerts.html\n",
    ),
    plant(
        "wget: 404",
        8,
        "",
        "--{date} {clock}--  https://cdn.example.net/{w}/{v}.tar.gz\nResolving cdn.example.net... {ip}, {ip}\nConnecting to cdn.example.net|{ip}|:443... connected.\nHTTP request sent, awaiting response... 404 Not Found\n{date} {clock} ERROR 404: Not Found.\n",
    ),
    plant(
        "retries",
        69,
        "",
        "curl: (22) The requested URL returned error: 503\nretry 1/3\nretry 2/3\nretry {n}/3 failed: CDN 503\n",
    ),
    plant(
        "openssl: verify",
        1,
        "CONNECTED({n})\n",
        "depth={n} CN = {w}\nverify error:num=20:unable to get local issuer certificate\n{HEX16}:error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:ssl/statem/statem_clnt.c:{n}:\n",
    ),
    // -- ssh, scp, rsync -------------------------------------------------------------------------------------------
    plant("ssh: key", 255, "", "deploy@{ip}: Permission denied (publickey).\n"),
    plant("ssh: password", 255, "", "deploy@{ip}: Permission denied (publickey,password).\n"),
    plant(
        "ssh: host key",
        255,
        "",
        "@@@@@@@@@@@@@@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nThe fingerprint for the ED25519 key sent by the remote host is\nSHA256:{b64}.\nOffending ED25519 key in /home/{user}/.ssh/known_hosts:{n}\nHost key verification failed.\n",
    ),
    plant("ssh: refused", 255, "", "ssh: connect to host {ip} port 22: Connection refused\n"),
    plant("ssh: timed out", 255, "", "ssh: connect to host {ip} port 22: Connection timed out\n"),
    plant(
        "ssh: reset",
        255,
        "",
        "kex_exchange_identification: read: Connection reset by peer\nConnection reset by {ip} port {port}\n",
    ),
    plant(
        "rsync: partial",
        23,
        "sent {n} bytes  received {n} bytes\n",
        "rsync: [sender] send_files failed to open \"/srv/{w}/{w}\": Permission denied (13)\nrsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c({n}) [sender={v}]\n",
    ),
    // -- tracebacks ------------------------------------------------------------------------------------------------
    plant(
        "python: key",
        1,
        "start\n",
        "Traceback (most recent call last):\n  File \"/home/{user}/deploy/{w}.py\", line {n}, in <module>\n    main()\n  File \"/home/{user}/deploy/{w}.py\", line {n}, in main\n    os = facts['os']\nKeyError: 'os'\n",
    ),
    plant(
        "python: another key",
        1,
        "start\n",
        "Traceback (most recent call last):\n  File \"/home/{user}/deploy/{w}.py\", line {n}, in <module>\n    main()\n  File \"/home/{user}/deploy/{w}.py\", line {n}, in main\n    site = facts['site']\nKeyError: 'site'\n",
    ),
    plant(
        "python: connection",
        1,
        "",
        "Traceback (most recent call last):\n  File \"/usr/lib/python3/dist-packages/urllib3/connection.py\", line {n}, in _new_conn\nConnectionRefusedError: [Errno 111] Connection refused\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"sync.py\", line {n}, in <module>\nrequests.exceptions.ConnectionError: HTTPConnectionPool(host='{ip}', port={port}): Max retries exceeded with url: /v1/{uuid} (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x{hex12}>: Failed to establish a new connection: [Errno 111] Connection refused'))\n",
    ),
    plant(
        "python: json",
        1,
        "",
        "Traceback (most recent call last):\n  File \"sync.py\", line {n}, in <module>\n    json.loads(text)\njson.decoder.JSONDecodeError: Expecting value: line {n} column {n} (char {n})\n",
    ),
    plant(
        "python: module",
        1,
        "",
        "Traceback (most recent call last):\n  File \"/opt/{w}/run.py\", line {n}, in <module>\n    import requests\nModuleNotFoundError: No module named 'requests'\n",
    ),
    plant(
        "java: connect",
        1,
        "",
        "Exception in thread \"main\" java.lang.IllegalStateException: cannot start\n\tat com.example.App.main(App.java:{n})\nCaused by: java.net.ConnectException: Connection refused\n\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n\t... {n} more\n",
    ),
    plant(
        "java: heap",
        1,
        "",
        "Exception in thread \"pool-{n}-thread-{n}\" java.lang.OutOfMemoryError: Java heap space\n\tat java.base/java.util.Arrays.copyOf(Arrays.java:{n})\n",
    ),
    plant(
        "java: class",
        1,
        "",
        "Error: Could not find or load main class com.example.{w}.Main\nCaused by: java.lang.ClassNotFoundException: com.example.{w}.Main\n",
    ),
    plant(
        "go: panic",
        2,
        "",
        "panic: runtime error: index out of range [{n}] with length {n}\n\ngoroutine {n} [running]:\nmain.main()\n\t/home/{user}/go/src/x.go:{n} +0x{hex4}\nexit status 2\n",
    ),
    plant(
        "rust: panic",
        101,
        "",
        "thread 'main' ({n}) panicked at src/main.rs:{n}:{n}:\ncalled `Option::unwrap()` on a `None` value\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
    ),
    plant(
        "perl: module",
        2,
        "",
        "Can't locate JSON/XS.pm in @INC (you may need to install the JSON::XS module) at /home/{user}/{w}.pl line {n}.\nBEGIN failed--compilation aborted at /home/{user}/{w}.pl line {n}.\n",
    ),
    // -- PowerShell ------------------------------------------------------------------------------------------------
    plant(
        "powershell: path",
        1,
        "",
        "Get-Item : Cannot find path 'C:\\Users\\{user}\\{w}' because it does not exist.\nAt C:\\Windows\\Temp\\{w}.ps1:{n} char:{n}\n+ Get-Item C:\\Users\\{user}\\{w}\n+ ~~~~~~~~~~~~~~~~~~~~~\n    + CategoryInfo          : ObjectNotFound: (C:\\Users\\{user}\\{w}:String) [Get-Item], ItemNotFoundException\n    + FullyQualifiedErrorId : PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand\n",
    ),
    plant(
        "powershell: access",
        1,
        "",
        "Stop-Service : Service 'Spooler (Spooler)' cannot be stopped due to the following error: Cannot open Spooler service on computer '.'.\nAt line:{n} char:{n}\n+ Stop-Service Spooler\n+ ~~~~~~~~~~~~~~~~~~~~\n    + CategoryInfo          : CloseError: (System.ServiceProcess.ServiceController:ServiceController) [Stop-Service]\n",
    ),
    plant(
        "powershell: policy",
        1,
        "",
        "File C:\\Temp\\{w}.ps1 cannot be loaded because running scripts is disabled on this system.\n    + CategoryInfo          : SecurityError: (:) [], PSSecurityException\n",
    ),
    // -- services and the kernel -----------------------------------------------------------------------------------
    plant(
        "systemd: failed",
        1,
        "",
        "Job for nginx.service failed because the control process exited with error code.\nSee \"systemctl status nginx.service\" and \"journalctl -xeu nginx.service\" for details.\n",
    ),
    plant("systemd: missing", 5, "", "Failed to start nginx.service: Unit nginx.service not found.\n"),
    plant(
        "systemd: journal",
        1,
        "{syslog} {own} systemd[1]: nginx.service: Main process exited, code=exited, status={n}/FAILURE\n{syslog} {own} systemd[1]: nginx.service: Failed with result 'exit-code'.\n{syslog} {own} systemd[1]: Failed to start nginx.service - A high performance web server.\n",
        "",
    ),
    plant(
        "nginx: bind",
        1,
        "",
        "{date2} {clock} [emerg] {n}#{n}: bind() to 0.0.0.0:80 failed (98: Address already in use)\n",
    ),
    plant("killed", 137, "", "/bin/bash: line {n}: {n} Killed                  ./import --all\n"),
    plant("segfault", 139, "", "/tmp/qd.{rnd}/run.sh: line {n}: {n} Segmentation fault      (core dumped) ./probe\n"),
    plant(
        "sudo",
        1,
        "",
        "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n",
    ),
    // -- disks and files -------------------------------------------------------------------------------------------
    plant(
        "full: tar",
        2,
        "",
        "tar: {w}/{n}.dat: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\n",
    ),
    plant("full: checked", 70, "free {n} MiB\nno space: {n} GiB free, need 12\n", ""),
    plant("full: cp", 1, "", "cp: error writing '/var/backups/{own}-{date}.img': No space left on device\n"),
    plant(
        "full: in German",
        1,
        "",
        "cp: Fehler beim Schreiben von '/var/backups/{own}-{date}.img': Auf dem Gerät ist kein Speicherplatz mehr verfügbar\n",
    ),
    plant("read-only", 1, "", "touch: cannot touch '/etc/{w}.conf': Read-only file system\n"),
    plant(
        "archive",
        2,
        "",
        "\ngzip: stdin: unexpected end of file\ntar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
    ),
    plant("checksum", 1, "/tmp/tmp.{rnd}/{w}.pkg: FAILED\n", "sha256sum: WARNING: 1 computed checksum did NOT match\n"),
    // -- pip, npm, git, docker, databases --------------------------------------------------------------------------
    plant(
        "pip: no version",
        1,
        "Collecting {w}\n",
        "ERROR: Could not find a version that satisfies the requirement {w} (from versions: none)\nERROR: No matching distribution found for {w}\n",
    ),
    plant(
        "pip: then a warning",
        1,
        "Collecting {w}=={v}\n",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\nWARNING: You are using pip version {v}; however, version {v} is available.\nYou should consider upgrading via the '/usr/bin/python3 -m pip install --upgrade pip' command.\n",
    ),
    plant(
        "pip: externally managed",
        1,
        "",
        "error: externally-managed-environment\n\n× This environment is externally managed\n╰─> To install Python packages system-wide, try apt install\n    python3-xyz, where xyz is the package you are trying to\n    install.\n\nnote: If you believe this is a mistake, please contact your Python installation or OS distribution provider.\n",
    ),
    plant(
        "npm: 404",
        1,
        "",
        "npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://registry.npmjs.org/{w} - Not found\nnpm ERR! 404 \nnpm ERR! A complete log of this run can be found in:\nnpm ERR!     /home/{user}/.npm/_logs/{npm}-debug-0.log\n",
    ),
    plant(
        "npm: engine",
        1,
        "",
        "npm error code EBADENGINE\nnpm error engine Unsupported engine\nnpm error notsup Required: {\"node\":\">={n}\"}\nnpm error notsup Actual:   {\"npm\":\"{v}\",\"node\":\"v{v}\"}\nnpm error A complete log of this run can be found in: /root/.npm/_logs/{npm}-debug-0.log\n",
    ),
    plant(
        "git: resolve",
        128,
        "",
        "fatal: unable to access 'https://git.example.org/{w}/{w}.git/': Could not resolve host: git.example.org\n",
    ),
    plant(
        "git: key",
        128,
        "",
        "Cloning into '/srv/{w}'...\ngit@git.example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
    ),
    plant(
        "git: local changes",
        1,
        "Updating {hex7}..{hex7}\n",
        "error: Your local changes to the following files would be overwritten by merge:\n\tconfig/{w}.yml\nPlease commit your changes or stash them before you merge.\nAborting\n",
    ),
    plant(
        "git: diverged",
        128,
        "",
        "From git.example.org:infra/site\n   {hex7}..{hex7}  main       -> origin/main\nfatal: Not possible to fast-forward, aborting.\n",
    ),
    plant(
        "docker: daemon",
        1,
        "",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
    ),
    plant(
        "docker: limit",
        1,
        "{n}: Pulling from library/{w}\n",
        "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit\n",
    ),
    plant(
        "docker: name",
        125,
        "",
        "docker: Error response from daemon: Conflict. The container name \"/agent\" is already in use by container \"{hex64}\". You have to remove (or rename) that container to be able to reuse that name.\n",
    ),
    plant("mysql: denied", 1, "", "ERROR 1045 (28000): Access denied for user 'app'@'{ip}' (using password: YES)\n"),
    plant(
        "mysql: socket",
        1,
        "",
        "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)\n",
    ),
    plant(
        "psql: refused",
        2,
        "",
        "psql: error: connection to server at \"{ip}\", port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
    ),
    plant(
        "ansible",
        2,
        "",
        "fatal: [{own}]: UNREACHABLE! => {\"changed\": false, \"msg\": \"Failed to connect to the host via ssh: ssh: connect to host {ip} port 22: No route to host\", \"unreachable\": true}\n",
    ),
    plant(
        "terraform",
        1,
        "",
        "\u{1b}[31m╷\u{1b}[0m\n\u{1b}[31m│\u{1b}[0m Error: Error acquiring the state lock\n\u{1b}[31m│\u{1b}[0m   ID:        {uuid}\n\u{1b}[31m│\u{1b}[0m   Created:   {date} {clock}.{n} +0000 UTC\n\u{1b}[31m╵\u{1b}[0m\n",
    ),
    plant(
        "agent: token",
        1,
        "",
        "level=error ts={iso} msg=\"enrolment failed\" request_id={uuid} err=\"401 Unauthorized\"\n",
    ),
    plant(
        "agent: json",
        1,
        "",
        "{\"level\":\"error\",\"ts\":\"{iso}\",\"pid\":{n},\"msg\":\"cannot reach controller\",\"attempt\":{n}}\n",
    ),
];

const WORDS: [&str; 40] = [
    "nginx", "redis", "curl", "vim", "htop", "tmux", "jq", "git", "rsync", "samba", "cups", "bind", "squid", "exim",
    "dovecot", "mariadb", "postgres", "ruby", "perl", "golang", "erlang", "scala", "kotlin", "zsh", "fish", "nano",
    "emacs", "grafana", "loki", "consul", "vault", "nomad", "podman", "buildah", "skopeo", "cilium", "calico", "istio",
    "envoy", "kafka",
];

const USERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// Numbers that look thrown, the same each time; and the word that an output is about.
pub struct Dice(u64, &'static str);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, "");
        dice.1 = WORDS[dice.below(40) as usize];
        dice
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    /// A number of one to six digits, each length as likely.
    fn number(&mut self) -> u64 {
        let digits = 1 + self.below(6) as u32;
        self.below(10u64.pow(digits))
    }

    fn hex(&mut self, len: usize) -> String {
        // a letter and a figure among them, as nearly every hash has
        let mut text = String::from("a7");
        while text.len() < len {
            text.push_str(&format!("{:x}", self.below(16)));
        }
        text.truncate(len);
        text
    }

    fn clock(&mut self) -> String {
        format!("{:02}:{:02}:{:02}", self.below(24), self.below(60), self.below(60))
    }

    fn date(&mut self, between: char) -> String {
        format!("2026{between}{:02}{between}{:02}", 1 + self.below(12), 1 + self.below(28))
    }

    /// One output of a plant, from the device of this name.
    pub fn fill(&mut self, template: &str, own: &str) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let Some((word, after)) = behind.split_once('}').filter(|(word, _)| self.knows(word)) else {
                text.push('{');
                rest = behind;
                continue;
            };
            text.push_str(&self.word(word, own));
            rest = after;
        }
        text + rest
    }

    fn knows(&self, word: &str) -> bool {
        !word.is_empty() && word.len() <= 6 && word.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    fn word(&mut self, word: &str, own: &str) -> String {
        match word {
            "own" => own.to_owned(),
            "n" => self.number().to_string(),
            "pct" => self.below(100).to_string(),
            "port" => (1024 + self.below(60_000)).to_string(),
            "v" => format!("{}.{}.{}", self.below(30), self.below(20), self.below(100)),
            "ip" => format!("10.{}.{}.{}", self.below(256), self.below(256), 1 + self.below(254)),
            "dur" => match self.below(3) {
                0 => format!("{}m{:02}s", 1 + self.below(59), self.below(60)),
                1 => format!("{}m{:02}s", 1 + self.below(9), self.below(60)),
                _ => format!("{}m{:02}s", 100 + self.below(900), self.below(60)),
            },
            "clock" => self.clock(),
            "date" => self.date('-'),
            "date2" => self.date('/'),
            "iso" => format!("{}T{}.{:03}Z", self.date('-'), self.clock(), self.below(1000)),
            "npm" => format!("{}T{}_{:03}Z", self.date('-'), self.clock().replace(':', "_"), self.below(1000)),
            "syslog" => format!("Nov {:2} {}", 1 + self.below(28), self.clock()),
            "uuid" => format!("{}-{}-4{}-8{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12)),
            "hex4" => self.hex(4),
            "hex7" => self.hex(7),
            "hex12" => self.hex(12),
            "hex64" => self.hex(64),
            "HEX16" => self.hex(16).to_uppercase(),
            "b64" | "rnd" => {
                let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
                let len = if word == "rnd" { 10 } else { 43 };
                (0..len).map(|_| char::from(alphabet[self.below(62) as usize])).collect()
            }
            "w" => self.1.to_owned(),
            "user" => USERS[self.below(6) as usize].to_owned(),
            other => panic!("the corpus knows no {{{other}}}"),
        }
    }
}
