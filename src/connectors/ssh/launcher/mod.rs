//! What runs on the device: a POSIX-sh launcher that starts the script, ends it when told, and leaves nothing.
//!
//! Closing an SSH channel kills nothing (contracts/ssh.md, 2). So the launcher forks a watcher that reads the
//! channel's stdin for its end and then ends the whole process group: TERM, five seconds, KILL. The launcher
//! itself becomes the interpreter (`exec`), or is it already, so that exit status and signal are the script's own.
//!
//! [`command`] is one string that every login shell runs (sh, bash, zsh, fish, csh): one line, in single quotes,
//! without quote, backslash or exclamation mark. All that differs from run to run follows on stdin: a line with
//! two counts, a header of shell statements, the script. `read` never takes more than its line, so bytes are
//! read by the one they are meant for.
//!
//! Server time is what a fan-out costs, hence: no program but the interpreter is started for a small script,
//! which goes through a pipe (a here-document) and never touches the disk. A larger one goes to a private file,
//! which is removed before the script starts where the interpreter can read an open descriptor.
//!
//! The launcher's one line on stderr ([`Preamble`]) says that the script starts now, as which process group, and
//! under which login shell; whatever a login shell's own files print before it on stderr is not the script's.

mod preamble;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

pub use self::preamble::{Heard, Preamble, Said};
use crate::connectors::Payload;
use crate::model::secret::Secret;

/// A here-document up to PIPE_BUF (4,096) is written without a process of its own.
const SMALL: usize = 3_500;

/// `_n` a newline · `t COUNT` reads lines into `_v` · `k SIGNAL` to the group · `w` the watcher · `g` says that the script
/// starts · `s` says so, and leaves stdin to a watcher. `_f` is the file to remove, if any; `_e`, last thing before a
/// script that the launcher runs itself: nothing of the launcher is left to be seen. The first line: how many lines the
/// header has, how many the script, the run's token. Names that no environment has. What can stand here does: a shell
/// takes a system call for each byte that it reads from a pipe.
const BOOT: &str = concat!(
    "_n=${IFS#??}; _f=; ",
    "t() { _v=; _i=0; while [ $_i -lt $1 ]; do IFS= read -r _l || exit 125; _v=$_v$_l$_n; _i=$((_i+1)); done; }; ",
    "k() { kill -s $1 -- -$$ || kill -$1 -$$ || kill -$1 $$; }; ",
    // `exec`, since a redirected function keeps a copy of what it will restore, the script's stdout among it. csh leaves
    // copies of its own behind.
    "w() { exec <&4 >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; ",
    "trap \"\" HUP INT TERM; while read -r _l; do :; done; ",
    "if kill -0 $$; then k TERM; _i=0; while [ $_i -lt 5 ] && kill -0 $$; do sleep 1; _i=$((_i+1)); done; ",
    "[ -z \"$_f\" ] || rm -f \"$_f\"; k KILL; fi; [ -z \"$_f\" ] || rm -f \"$_f\"; }; ",
    // The watcher is no job of the script's own shell, which may `wait`.
    "g() { echo \"$_t:go:$$:$SHELL\" >&2; }; s() { g; ( w & ); exec 4<&-; }; ",
    "_e=\"unset _n _f _v _i _l _a _b _h _s _p _t _e; unset -f t k w g s\"; ",
    "IFS=\" \" read -r _a _b _t || exit 125; t $_a; _h=$_v; t $_b; _s=${_v%?}; exec 4<&0 </dev/null; eval \"$_h\"",
);

/// The exec request. `posix`: the login shell is known to be a plain POSIX shell, one `exec` is saved.
pub fn command(posix: bool) -> String {
    if posix { BOOT.to_owned() } else { format!("exec /bin/sh -c '{BOOT}'") }
}

/// Login shells that run [`BOOT`] as it is, and read no file of the user's first.
pub fn is_posix(shell: &str) -> bool {
    matches!(shell.rsplit('/').next(), Some("sh" | "dash" | "ash"))
}

/// How the script gets to its interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Read by the launcher, handed over through a here-document.
    Small,
    /// A private file.
    File,
    /// Where no folder takes the file: through memory, as [`Way::Small`], read by `head`.
    Memory,
}

/// One launch: the same for every device but for its environment, the token and the way.
pub struct Launch<'a> {
    pub payload: &'a Arc<Payload>,
    pub args: &'a [String],
    pub secrets: &'a [Secret],
    /// Exported by the launcher itself: no server has to accept it.
    pub environment: &'a [(&'static str, String)],
}

impl Launch<'_> {
    /// The way to try first.
    pub fn way(&self) -> Way {
        let small = self.payload.bytes.len() <= SMALL && !self.payload.bytes.contains(&0);
        if small && self.reads_descriptors() { Way::Small } else { Way::File }
    }

    /// The interpreter opens `/dev/fd/3` like any other file.
    pub fn reads_descriptors(&self) -> bool {
        let interpreter = self.interpreter();
        let name = interpreter.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "perl" | "ruby")
            || name.strip_prefix("python").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    }

    /// Without `/usr/bin/env`: the launcher's own `exec` looks in PATH, and saves starting a program.
    fn interpreter(&self) -> &[String] {
        match self.payload.interpreter.as_slice() {
            [env, rest @ ..] if env.ends_with("/env") => match rest {
                [flag, rest @ ..] if flag == "-S" && plain_program(rest) => rest,
                rest if plain_program(rest) => rest,
                _ => &self.payload.interpreter,
            },
            whole => whole,
        }
    }

    fn is_shell(&self) -> bool {
        let name = self.interpreter().first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh")
    }

    /// What goes to the launcher's stdin, in pieces: a large script is not copied for each of 500 devices.
    /// `full`: folders that had no room for the file.
    pub fn stdin(&self, token: &str, way: Way, full: &[String]) -> Vec<Bytes> {
        let script = &self.payload.bytes;
        let ending: &'static [u8] =
            if way != Way::File && script.last().is_some_and(|last| *last != b'\n') { b"\n" } else { b"" };
        let header = self.header(token, way, full, script.len() + ending.len());
        let mut head = Vec::with_capacity(header.len() + SMALL + 64);
        let lines = if way == Way::Small { newlines(script) + ending.len() } else { 0 };
        head.extend_from_slice(format!("{} {lines} {token}\n", newlines(header.as_bytes())).as_bytes());
        head.extend_from_slice(header.as_bytes());
        if way == Way::Small {
            head.extend_from_slice(script);
            head.extend_from_slice(ending);
        }
        for secret in self.secrets {
            head.extend_from_slice(secret.expose().as_bytes());
            head.push(b'\n');
        }
        if way == Way::Small {
            return vec![Bytes::from(head)];
        }
        // Last: some `head` reads further than it needs.
        vec![Bytes::from(head), Bytes::from_owner(Body(Arc::clone(self.payload))), Bytes::from_static(ending)]
    }

    fn header(&self, token: &str, way: Way, full: &[String], length: usize) -> String {
        let mut header = String::with_capacity(256);
        if !self.environment.is_empty() {
            header.push_str("export");
            for (name, value) in self.environment {
                let _ = write!(header, " {name}={}", quoted(value));
            }
            header.push('\n');
        }
        let secret_lines = self.secrets.iter().map(|secret| newlines(secret.expose().as_bytes()) + 1).sum::<usize>();
        if secret_lines > 0 {
            let _ = writeln!(header, "t {secret_lines} <&4; _p=${{_v%?}}");
        }
        if way == Way::Small && self.is_plain_sh() {
            self.in_place(&mut header, secret_lines > 0);
            return header;
        }
        match way {
            Way::Small => {
                let _ = writeln!(header, "[ -e /dev/fd/4 ] || {{ echo {token}:nofd: >&2; exit 123; }}; _q=/dev/fd/3");
            }
            Way::Memory => {
                let _ = writeln!(header, "_q=/dev/fd/3; _s=$(head -c {length} <&4; echo .); _s=${{_s%??}}");
            }
            Way::File => {
                self.file(&mut header, token, full, length);
                header.push_str("_q=$_f");
                if self.reads_descriptors() {
                    header.push_str("; [ -e /dev/fd/4 ] && { exec 3<\"$_f\"; rm -f \"$_f\"; _f=; _q=/dev/fd/3; }");
                }
                header.push('\n');
            }
        }
        header.push_str("set --");
        push_words(&mut header, self.interpreter());
        if self.is_powershell() {
            header.push_str(" -File");
        }
        header.push_str(" \"$_q\"");
        push_words(&mut header, self.args);
        header.push('\n');
        // A shell waits for its own jobs only, any other program perhaps for every child: the watcher is none.
        header.push_str(if self.is_shell() { "g; w &\n" } else { "g; ( w & )\n" });
        header.push_str("exec \"$@\" 4<&-");
        let small = way != Way::File;
        if small {
            header.push_str(" 3<<E");
        }
        if secret_lines > 0 {
            header.push_str(" <<P");
        }
        header.push('\n');
        if small {
            header.push_str("$_s\nE\n");
        }
        if secret_lines > 0 {
            header.push_str("$_p\nP\n");
        }
        header
    }

    /// The launcher is a `/bin/sh`, and that is what the script asks for: starting another one is a third of
    /// what a small script costs the device.
    fn in_place(&self, header: &mut String, secrets: bool) {
        if !self.args.is_empty() {
            header.push_str("set --");
            push_words(header, self.args);
            header.push('\n');
        }
        header.push_str(if secrets { "s; exec <<P\n$_p\nP\n" } else { "s\n" });
        header.push_str("eval \"$_e; $_s\"\n");
    }

    fn is_plain_sh(&self) -> bool {
        matches!(self.interpreter(), [only] if matches!(only.as_str(), "sh" | "/bin/sh" | "/usr/bin/sh"))
    }

    fn is_powershell(&self) -> bool {
        let name = self.interpreter().first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        matches!(name, "pwsh" | "powershell") && self.interpreter().len() == 1
    }

    /// Statements that put the script into a new private file `$f`, whole, or say why not and exit.
    fn file(&self, header: &mut String, token: &str, full: &[String], length: usize) {
        let name = format!(".{token}{}", self.suffix());
        header.push_str("c() { case $_d in ''");
        for folder in full {
            let _ = write!(header, "|{}", quoted(folder));
        }
        header.push_str(") return 1;; esac; [ -d \"$_d\" ] && [ -w \"$_d\" ]; }\n");
        let _ = write!(
            header,
            "for _d in \"$XDG_RUNTIME_DIR\" \"$TMPDIR\" /tmp /var/tmp /dev/shm \"$HOME\"; do\n\
             c || continue\n\
             _f=$_d/{name}\n\
             if ( umask 077; set -C; exec head -c {length} >\"$_f\" ) <&4 2>/dev/null; then break; fi\n\
             [ -e \"$_f\" ] || {{ _f=; continue; }}\n\
             rm -f \"$_f\"; echo \"{token}:full:$_d\" >&2; exit 123\n\
             done\n\
             [ -n \"$_f\" ] || {{ echo {token}:nowhere: >&2; exit 123; }}\n\
             _c=$(wc -c <\"$_f\"); [ \"$_c\" -eq {length} ] || {{ rm -f \"$_f\"; echo {token}:short: >&2; exit 123; }}\n",
        );
    }

    /// PowerShell wants `.ps1`; others show the name in their messages.
    fn suffix(&self) -> String {
        let name = self.payload.name.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let plain = !ending.is_empty() && ending.len() <= 8 && ending.bytes().all(|b| b.is_ascii_alphanumeric());
        match (self.is_powershell(), plain) {
            (true, _) => ".ps1".to_owned(),
            (false, true) => format!(".{ending}"),
            (false, false) => String::new(),
        }
    }
}

/// The script's bytes, shared.
struct Body(Arc<Payload>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// A program name and its arguments, as against an option of `env` or an assignment.
fn plain_program(words: &[String]) -> bool {
    words.first().is_some_and(|word| !word.is_empty() && !word.starts_with('-') && !word.contains('='))
}

fn newlines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

fn push_words(header: &mut String, words: &[String]) {
    for word in words {
        let _ = write!(header, " {}", quoted(word));
    }
}

/// One word for a POSIX shell, whatever is in it. NUL cannot be in an argument and is left out.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\0', "").replace('\'', r"'\''"))
}

/// A word no other run has: it marks the launcher's line, and names the file.
pub fn token() -> String {
    format!("qd{:016x}", fastrand::u64(..))
}

/// Ends what is left of a group whose leader has exited by itself: its number, and nothing that took it over since.
pub fn end_group(group: u32) -> String {
    format!(
        "exec /bin/sh -c 'kill -0 {group} 2>/dev/null && exit; kill -s TERM -- -{group} && sleep 2 && kill -s KILL -- -{group}'"
    )
}
