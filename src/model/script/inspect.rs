//! A script's bytes: what runs them, what is odd about them, what is sent.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::header::header;
use super::{Finding, Level, ScriptInfo};
use crate::model::nearest::shown;

/// Larger scripts are refused, in bytes. What large scripts carry belongs in a file of its own.
pub const SIZE_MAX: u64 = 16 << 20;

/// Linux cuts a longer first line off.
const SHEBANG_MAX: usize = 255;
const WORDS_MAX: usize = 16;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What runs a script without a shebang, by its ending: ending, language, interpreter.
pub const ENDINGS: [(&str, &str, &[&str]); 8] = [
    ("sh", "sh", &["/bin/sh"]),
    ("bash", "bash", &["/usr/bin/env", "bash"]),
    ("zsh", "zsh", &["/usr/bin/env", "zsh"]),
    ("py", "python3", &["/usr/bin/env", "python3"]),
    ("ps1", "pwsh", &["/usr/bin/env", "pwsh", "-NoProfile", "-File"]),
    ("pl", "perl", &["/usr/bin/env", "perl"]),
    ("rb", "ruby", &["/usr/bin/env", "ruby"]),
    ("js", "node", &["/usr/bin/env", "node"]),
];

/// Everything that is known from name and text alone.
pub fn inspect(name: &str, bytes: &[u8]) -> ScriptInfo {
    examine(name, bytes).0
}

/// What can be said about a script without any tool, in the order of its lines.
pub fn lint_builtin(name: &str, bytes: &[u8]) -> Vec<Finding> {
    examine(name, bytes).1
}

/// First 12 hex digits of the SHA-256.
pub fn version(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).fold(String::with_capacity(12), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A script too large to be read whole, as the library lists it.
pub fn too_large(name: &str, size: u64) -> ScriptInfo {
    let mut info = inspect(name, b"#!/bin/sh\n");
    info.version = String::new();
    info.size = size;
    info.refused = refusal(size, false);
    info
}

/// Both in one reading.
pub fn examine(name: &str, bytes: &[u8]) -> (ScriptInfo, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut say = |level, line, code: &str, text: String| {
        findings.push(Finding::new(level, line, code, text));
    };
    let size = bytes.len() as u64;
    let refused = refusal(size, memchr::memchr(0, bytes).is_some());
    if let Some(why) = &refused {
        say(Level::Error, 0, "refused", format!("it cannot be launched: it {why}"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let line = line_of(bytes, error.valid_up_to());
            say(Level::Info, line, "utf8", "not UTF-8 from here; it is sent as it is".into());
            String::from_utf8_lossy(bytes)
        }
    };
    let bom = bytes.starts_with(BOM);
    let runner = Runner::of(name, &text, &mut say);
    let shell = is_shell(&runner.language);
    if bom {
        let sent = if shell { "; it is left out when sent" } else { "" };
        say(
            Level::Warn,
            1,
            "bom",
            format!("begins with a byte order mark, which hides the shebang when run by hand{sent}"),
        );
    }
    let ends = Ends::of(bytes);
    if ends.crlf > 0 {
        let what = if ends.lf > 0 { format!("{} lines end", ends.crlf) } else { "all lines end".to_owned() };
        let sent = match (shell, ends.windows()) {
            (true, true) => format!("; sent without them, because {} would stumble", runner.language),
            (true, false) => "; sent as they are, because most lines do not".to_owned(),
            (false, _) => String::new(),
        };
        say(Level::Warn, ends.first, "crlf", format!("{what} with CR LF (Windows){sent}"));
    }
    let header = header(&text);
    findings.extend(header.findings);
    findings.sort_by_key(|finding| finding.line);
    let info = ScriptInfo {
        name: name.to_owned(),
        version: version(bytes),
        number: None,
        describe: header.describe,
        language: runner.language,
        interpreter: runner.interpreter,
        params: header.params,
        runbook: header.meta.runbook,
        exits: header.meta.exits,
        dry_run: header.meta.dry_run,
        size,
        path: None,
        modified_at: None,
        last_run: None,
        refused,
        output: header.meta.output,
        connection: None,
        category: String::new(),
        read_only: None,
        switches: Vec::new(),
    };
    (info, findings)
}

/// What is sent: the bytes as they are, but for shells without a byte order mark and, in a file saved
/// with Windows line ends, without the carriage returns that a shell takes for part of the line.
pub fn payload<'a>(info: &ScriptInfo, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    if !is_shell(&info.language) {
        return Cow::Borrowed(bytes);
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if !Ends::of(bytes).windows() {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                plain.extend_from_slice(line);
                plain.push(b'\n');
            }
            None => plain.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line)),
        }
    }
    Cow::Owned(plain)
}

/// The Bourne family: line ends with CR break it, and shellcheck may know it.
pub fn is_shell(language: &str) -> bool {
    matches!(language, "sh" | "bash" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "zsh" | "fish")
}

fn refusal(size: u64, nul: bool) -> Option<String> {
    if size == 0 {
        Some("is empty".into())
    } else if size > SIZE_MAX {
        Some(format!("is {} MiB large; {} MiB are allowed", size.div_ceil(1 << 20), SIZE_MAX >> 20))
    } else if nul {
        Some("holds NUL bytes: is it a binary?".into())
    } else {
        None
    }
}

/// From 1.
fn line_of(bytes: &[u8], at: usize) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1).unwrap_or(u32::MAX)
}

/// How lines end.
#[derive(Default)]
struct Ends {
    lf: usize,
    crlf: usize,
    /// Line of the first CR LF, from 1.
    first: u32,
    on_first_line: bool,
}

impl Ends {
    fn of(bytes: &[u8]) -> Self {
        let mut ends = Self::default();
        if memchr::memchr(b'\r', bytes).is_none() {
            return ends;
        }
        for at in memchr::memchr_iter(b'\n', bytes) {
            if at > 0 && bytes[at - 1] == b'\r' {
                if ends.crlf == 0 {
                    ends.first = u32::try_from(ends.lf + 1).unwrap_or(u32::MAX);
                    ends.on_first_line = ends.lf == 0;
                }
                ends.crlf += 1;
            } else {
                ends.lf += 1;
            }
        }
        ends
    }

    /// Saved with Windows line ends, as against a few that may be meant (in a here-document).
    fn windows(&self) -> bool {
        self.on_first_line || self.crlf > self.lf
    }
}

struct Runner {
    interpreter: Vec<String>,
    language: String,
}

impl Runner {
    fn of(name: &str, text: &str, say: &mut impl FnMut(Level, u32, &str, String)) -> Self {
        let first = text.trim_start_matches('\u{feff}').split('\n').next().unwrap_or_default();
        let Some(shebang) = first.strip_prefix("#!") else {
            return Self::by_ending(name, say);
        };
        if first.len() > SHEBANG_MAX {
            say(Level::Warn, 1, "shebang", format!("longer than {SHEBANG_MAX} bytes: Linux would cut it off"));
        }
        let interpreter: Vec<String> = words(shebang, say);
        let Some(program) = interpreter.first() else {
            say(Level::Warn, 1, "shebang", "names no interpreter: it runs with /bin/sh".into());
            return Self { interpreter: vec!["/bin/sh".into()], language: "sh".into() };
        };
        if !program.starts_with('/') {
            let program = shown(program);
            say(
                Level::Warn,
                1,
                "shebang",
                format!("'{program}' is not an absolute path: write #!/usr/bin/env {program}"),
            );
        }
        let language = language(&interpreter);
        Self { interpreter, language }
    }

    fn by_ending(name: &str, say: &mut impl FnMut(Level, u32, &str, String)) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let found = ENDINGS.iter().find(|(known, _, _)| *known == ending);
        let (language, interpreter, why) = match found {
            Some((ending, language, interpreter)) => (*language, *interpreter, format!(", by its ending .{ending}")),
            None => ("sh", ENDINGS[0].2, String::new()),
        };
        say(Level::Info, 1, "shebang", format!("no shebang: it runs with {}{why}", interpreter.join(" ")));
        Self { interpreter: interpreter.iter().map(|word| (*word).to_owned()).collect(), language: language.into() }
    }
}

/// The words of a shebang. `env -S` is taken apart here: the words go to the interpreter one by one anyway.
fn words(shebang: &str, say: &mut impl FnMut(Level, u32, &str, String)) -> Vec<String> {
    let shebang: String = shebang.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    let mut words: Vec<String> = shebang.split_whitespace().take(WORDS_MAX).map(str::to_owned).collect();
    let env = words.first().is_some_and(|program| base(program) == "env");
    if !env {
        return words;
    }
    let after = shebang.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    let split = after.strip_prefix("-S").or_else(|| after.strip_prefix("--split-string"));
    if let Some(text) = split {
        let text = text.trim_start_matches('=');
        let rest = shlex::split(text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect());
        words.truncate(1);
        words.extend(rest.into_iter().take(WORDS_MAX));
    } else if words.len() > 2 {
        say(Level::Info, 1, "shebang", "several words after env: run by hand on Linux this needs env -S".into());
    }
    words
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The interpreter's own name, `env` and its options passed over.
fn language(interpreter: &[String]) -> String {
    let mut words = interpreter.iter();
    let mut name = words.next().map_or("sh", |program| base(program));
    if name == "env" {
        while let Some(word) = words.next() {
            if matches!(word.as_str(), "-u" | "-C" | "-P" | "-a") {
                words.next();
            } else if !word.starts_with('-') && !word.contains('=') {
                name = base(word);
                break;
            }
        }
    }
    name.strip_suffix(".exe").unwrap_or(name).chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(name: &str, bytes: &[u8]) -> Vec<String> {
        lint_builtin(name, bytes).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn the_shebang_names_the_interpreter() {
        for (text, interpreter, language) in [
            ("#!/bin/bash\n", &["/bin/bash"][..], "bash"),
            ("#! /bin/sh -eu\n", &["/bin/sh", "-eu"], "sh"),
            ("#!/usr/bin/env python3\n", &["/usr/bin/env", "python3"], "python3"),
            ("#!/usr/bin/env -S python3 -u\n", &["/usr/bin/env", "python3", "-u"], "python3"),
            ("#!/usr/bin/env -S 'A=b c' perl -w\n", &["/usr/bin/env", "A=b c", "perl", "-w"], "perl"),
            ("#!/opt/py/bin/python3.12\r\n", &["/opt/py/bin/python3.12"], "python3.12"),
        ] {
            let info = inspect("x", text.as_bytes());
            assert_eq!(info.interpreter, interpreter, "{text}");
            assert_eq!(info.language, language, "{text}");
        }
    }

    #[test]
    fn without_a_shebang_the_ending_counts_and_it_is_said() {
        let (info, findings) = examine("tools/x.PY", b"print()\n");
        assert_eq!((info.language.as_str(), info.interpreter.len()), ("python3", 2));
        assert_eq!(findings[0].text, "no shebang: it runs with /usr/bin/env python3, by its ending .py");
        assert_eq!(inspect("x", b"echo\n").interpreter, ["/bin/sh"]);
        assert_eq!(inspect("a.b/x", b"echo\n").language, "sh");
        assert_eq!(inspect("x.ps1", b"Get-Date\n").language, "pwsh");
    }

    #[test]
    fn the_version_is_the_hash_of_the_text() {
        assert_eq!(inspect("x", b"abc").version, "ba7816bf8f01");
    }

    #[test]
    fn what_cannot_be_a_script_is_refused_with_the_reason() {
        assert_eq!(inspect("x", b"").refused.as_deref(), Some("is empty"));
        assert_eq!(inspect("x", b"\x7fELF\0\0").refused.as_deref(), Some("holds NUL bytes: is it a binary?"));
        assert_eq!(inspect("x", &vec![b'#'; 10 << 20]).refused, None, "10 MB are fine");
        let large = vec![b'#'; (16 << 20) + 1];
        assert_eq!(inspect("x", &large).refused.as_deref(), Some("is 17 MiB large; 16 MiB are allowed"));
        assert_eq!(codes("x", b"#!/bin/sh\n\0"), ["refused"]);
    }

    #[test]
    fn windows_line_ends_are_taken_off_for_shells_alone() {
        let bytes = b"#!/bin/bash\r\necho hi\r\nlast\r";
        let (info, findings) = examine("x", bytes);
        assert_eq!(info.interpreter, ["/bin/bash"]);
        assert_eq!(
            findings[0].text,
            "all lines end with CR LF (Windows); sent without them, because bash would stumble"
        );
        assert_eq!(payload(&info, bytes).as_ref(), b"#!/bin/bash\necho hi\nlast");
        let python = b"#!/usr/bin/env python3\r\nprint()\r\n";
        assert_eq!(payload(&inspect("x", python), python).as_ref(), python);
    }

    #[test]
    fn a_carriage_return_that_may_be_meant_is_kept() {
        let bytes = b"#!/bin/sh\ncat <<E\nGET /\r\n\r\nE\nexit\n";
        let (info, findings) = examine("x", bytes);
        assert_eq!(payload(&info, bytes).as_ref(), bytes);
        assert_eq!((findings[0].line, findings[0].code.as_str()), (3, "crlf"));
    }

    #[test]
    fn other_encodings_are_sent_as_they_are() {
        let bytes = b"#!/bin/sh\n# ok\necho caf\xe9\n";
        let (info, findings) = examine("x", bytes);
        assert_eq!((info.refused, findings[0].line, findings[0].code.as_str()), (None, 3, "utf8"));
        let marked = b"\xef\xbb\xbf#!/bin/sh\necho\n";
        let info = inspect("x", marked);
        assert_eq!((info.language.as_str(), payload(&info, marked).len()), ("sh", marked.len() - 3));
    }

    #[test]
    fn odd_shebangs_are_told() {
        assert_eq!(codes("x", b"#!\necho\n"), ["shebang"]);
        assert_eq!(codes("x", b"#!bash\n"), ["shebang"]);
        assert_eq!(codes("x", format!("#!/bin/sh {}\n", "x".repeat(300)).as_bytes()), ["shebang"]);
        assert_eq!(codes("x", b"#!/bin/sh\necho\n"), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in proptest::collection::vec(0_u8.., 0..200), shebang: bool) {
            let mut text = if shebang { b"#!/usr/bin/env -S ".to_vec() } else { Vec::new() };
            text.extend(bytes);
            let (info, _) = examine("a/b.sh", &text);
            proptest::prop_assert!(payload(&info, &text).len() <= text.len());
            proptest::prop_assert!(!info.interpreter.is_empty());
        }
    }
}
