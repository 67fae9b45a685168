//! What is asked of past jobs, and what is found: which jobs touched a device, where a text appeared, which runs ended
//! with a code or a signature. Owns the words in which it is asked, the same in the shell (`search --device web1`) and
//! on the console's command line; finding is the engine's affair.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::job::JobId;
use super::moment;
use super::nearest::hint;
use super::output::{Place, Which};
use super::search::{Kind, Pattern};
use super::state::{Counts, RunState};
use super::target::Left;

/// What is found at most when nobody says how much.
pub const USUAL: usize = 100;
/// What may be asked for.
pub const MOST: usize = 100_000;

/// `POST /api/v1/search`: everything that is said must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// A line of the output has it.
    pub text: Option<Pattern>,
    pub which: Which,
    pub job: Option<JobId>,
    /// A target expression; devices that the inventory has forgotten are known by their names.
    pub device: Option<String>,
    pub script: Option<String>,
    pub exit_code: Option<Codes>,
    /// One of these; none: any.
    pub state: Vec<RunState>,
    /// ... or failed as far as anybody knows: the outcome is unknown.
    pub unknown: bool,
    /// A signature, or the beginning of one.
    pub signature: Option<String>,
    /// Launched from then on, and up to then.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// One answer a job, with the runs in it that fit counted; else one a run.
    pub jobs: bool,
    pub limit: usize,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            text: None,
            which: Which::All,
            job: None,
            device: None,
            script: None,
            exit_code: None,
            state: Vec::new(),
            unknown: false,
            signature: None,
            since: None,
            until: None,
            jobs: false,
            limit: USUAL,
        }
    }
}

/// A word of the question.
#[derive(Debug)]
pub struct Word {
    pub name: &'static str,
    /// Empty: it stands alone.
    pub takes: &'static str,
    pub doc: &'static str,
}

const fn word(name: &'static str, takes: &'static str, doc: &'static str) -> Word {
    Word { name, takes, doc }
}

/// As they are written, with `--` before them.
pub static WORDS: [Word; 12] = [
    word("device", "EXPR", "runs on these devices: a name, a node set, a group, any target expression"),
    word("script", "NAME", "runs of this script"),
    word("exit-code", "N", "that ended so: 70, 69-79, 1,2 or !0"),
    word("state", "STATE", "that are in this state: failed, timeout, offline …; unknown: the outcome is"),
    word("signature", "v1:…", "that ended like this, in any job"),
    word("job", "ID", "of this job alone"),
    word("since", "WHEN", "launched from then on: 30m, 7d, 2026-11-20"),
    word("until", "WHEN", "launched before then"),
    word("regex", "RE", "a line of the output matches"),
    word("stream", "out|err", "where the text is looked for"),
    word("jobs", "", "one row a job instead of one a run"),
    word("limit", "N", "so many at most"),
];

/// When and where a question is asked: what `7d` and `2026-11-20` mean.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

impl Past {
    /// What is written behind `search`, word by word: `--NAME VALUE`, and the rest is the text.
    ///
    /// # Errors
    /// Which word is wrong, and what may have been meant.
    pub fn read(words: &[String], here: Here<'_>) -> Result<Self, String> {
        let mut asked = Self::default();
        let (mut text, mut words, mut plain): (Vec<&str>, _, bool) = (Vec::new(), words.iter(), false);
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--").filter(|_| !plain) else {
                text.push(word);
                continue;
            };
            if flag.is_empty() {
                plain = true;
                continue;
            }
            let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            let known = WORDS.iter().find(|known| known.name == name);
            let known = known
                .ok_or_else(|| format!("there is no --{name}{}", hint(name, WORDS.iter().map(|known| known.name))))?;
            let value = match (known.takes, value) {
                ("", None) => "",
                ("", Some(_)) => return Err(format!("--{name} takes nothing behind it")),
                (_, Some(value)) => value,
                (takes, None) => words.next().ok_or_else(|| format!("--{name} what? write --{name} {takes}"))?,
            };
            asked.set(name, value, here)?;
        }
        asked.set_text(&text.join(" "))?;
        asked.check()?;
        Ok(asked)
    }

    /// One of [`WORDS`].
    ///
    /// # Errors
    /// Why it cannot mean anything.
    pub fn set(&mut self, name: &str, value: &str, here: Here<'_>) -> Result<(), String> {
        let wrong = |why: String| format!("--{name} {value}: {why}");
        if value.trim().is_empty() && name != "jobs" {
            return Err(format!("--{name} is empty"));
        }
        let given = || Some(value.trim().to_owned());
        match name {
            "device" => self.device = given(),
            "script" => self.script = given(),
            "signature" => self.signature = given(),
            "exit-code" => self.exit_code = Some(value.parse().map_err(wrong)?),
            "state" => {
                for word in value.split(',').map(str::trim) {
                    let unknown = Left::Unknown.word();
                    if word == unknown {
                        self.unknown = true;
                        continue;
                    }
                    let state = RunState::from_word(word).ok_or_else(|| {
                        let words: Vec<&str> = RunState::ALL.map(RunState::word).into_iter().chain([unknown]).collect();
                        wrong(format!("no state{} (known: {})", hint(word, words.iter().copied()), words.join(", ")))
                    })?;
                    if !self.state.contains(&state) {
                        self.state.push(state);
                    }
                }
            }
            "job" => {
                let number = value.trim().trim_start_matches('#').parse();
                self.job = Some(number.map_err(|_| wrong("a job's number is expected".to_owned()))?);
            }
            "since" => self.since = Some(moment::read(value, here.now, here.zone).map_err(wrong)?),
            "until" => self.until = Some(moment::read(value, here.now, here.zone).map_err(wrong)?),
            "regex" => {
                if self.text.is_some() {
                    return Err("one text, or one regular expression: not two".to_owned());
                }
                let pattern = Pattern::smart(Kind::Regex, value);
                pattern.compile().map_err(wrong)?;
                self.text = Some(pattern);
            }
            "stream" => {
                self.which = match value {
                    "out" => Which::Out,
                    "err" => Which::Err,
                    "all" => Which::All,
                    _ => return Err(wrong("out, err or all is expected".to_owned())),
                }
            }
            "jobs" => self.jobs = true,
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                self.limit = limit.ok_or_else(|| wrong(format!("a number from 1 to {MOST} is expected")))?;
            }
            _ => return Err(format!("there is no --{name}{}", hint(name, WORDS.iter().map(|known| known.name)))),
        }
        Ok(())
    }

    /// The text to look for; empty: none. `re:` before it makes an expression of it, as in every search.
    ///
    /// # Errors
    /// Why it is no pattern.
    pub fn set_text(&mut self, text: &str) -> Result<(), String> {
        let Some(pattern) = Pattern::typed(text) else { return Ok(()) };
        if self.text.is_some() {
            return Err("one text, or one regular expression: not two".to_owned());
        }
        pattern.compile().map_err(|why| format!("{text}: {why}"))?;
        self.text = Some(pattern);
        Ok(())
    }

    /// Whether it asks for anything, and for nothing that contradicts itself.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.since.zip(self.until).is_some_and(|(since, until)| since >= until) {
            return Err("--since is not before --until: no job was launched between them".to_owned());
        }
        let any = self.text.is_some()
            || self.job.is_some()
            || self.device.is_some()
            || self.script.is_some()
            || self.exit_code.is_some()
            || !self.state.is_empty()
            || self.unknown
            || self.signature.is_some()
            || self.since.is_some()
            || self.until.is_some();
        if any { Ok(()) } else { Err("search for what? a text, --device, --script, --exit-code …".to_owned()) }
    }
}

/// Exit codes: `70`, `1,2`, `69-79`, and `!` before them for all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Codes {
    /// From and to, both meant.
    pub ranges: Vec<(i32, i32)>,
    pub not: bool,
}

impl Codes {
    pub fn takes(&self, code: i32) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&code)) != self.not
    }
}

impl FromStr for Codes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (text, not) = text.trim().strip_prefix('!').map_or((text.trim(), false), |rest| (rest, true));
        let number = |text: &str| text.trim().parse::<i32>().ok();
        let range = |part: &str| {
            // (a minus at the beginning is the number's own)
            let cut = part.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
            match cut {
                Some(at) => number(&part[..at]).zip(number(&part[at + 1..])).filter(|(from, to)| from <= to),
                None => number(part).map(|code| (code, code)),
            }
        };
        let ranges: Option<Vec<_>> = text.split(',').map(|part| range(part.trim())).collect();
        let ranges = ranges.ok_or_else(|| "exit codes are written 70, 1,2, 69-79 or !0".to_owned())?;
        Ok(Self { ranges, not })
    }
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.not { "!" } else { "" })?;
        for (n, (from, to)) in self.ranges.iter().enumerate() {
            f.write_str(if n > 0 { "," } else { "" })?;
            if from == to { write!(f, "{from}")? } else { write!(f, "{from}-{to}")? }
        }
        Ok(())
    }
}

impl TryFrom<String> for Codes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Codes> for String {
    fn from(codes: Codes) -> Self {
        codes.to_string()
    }
}

/// A run that was found, or a job by the runs in it that fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    pub job: JobId,
    pub script: String,
    pub version: String,
    /// When the job was launched, and by whom.
    pub at: Timestamp,
    pub by: String,
    /// The run; of several the worst.
    pub run: u32,
    /// Device id, and name.
    pub device: String,
    pub name: String,
    pub state: RunState,
    pub exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The first line that matches; where no text is looked for why the run ended, or the last line that it printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// Where that line stands, where a text is looked for, and how many lines match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Spot>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines: u64,
    /// Of a job: its runs that fit, by how they ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
}

/// (By reference, as serde asks for it.)
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A line of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// From 0.
    pub number: u64,
    pub at: Timestamp,
}

impl Hit {
    pub fn place(&self) -> Option<Place> {
        self.line.map(|line| Place { at_ms: line.at.as_millisecond(), run: self.run, line: line.number })
    }
}

/// Something that is kept and names what is asked for: a template, a saved target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// `template`, `target`
    pub what: String,
    pub name: String,
    /// The expression, or script and target.
    pub says: String,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Runs that were looked at, and bytes of their outputs.
    pub runs: u64,
    pub bytes: u64,
    pub found: u64,
    /// Everything launched since then has been looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<Timestamp>,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    #[serde(flatten)]
    pub progress: Progress,
    /// There is more than was asked for.
    #[serde(default)]
    pub more: bool,
    /// It was given up, for it took too long.
    #[serde(default)]
    pub late: bool,
    /// Runs whose outputs could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// Why it ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One item of the answer: what is found, the newest first, and in between how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Told {
    Hit(Box<Hit>),
    Mention(Mention),
    Progress(Progress),
    End(End),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Result<Past, String> {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        Past::read(&words, Here { now, zone: &TimeZone::UTC })
    }

    #[test]
    fn what_is_no_flag_is_the_text() {
        let asked =
            read(&["no", "space", "--device", "web[1-3]", "left", "--exit-code=70", "--state", "failed,timeout"]);
        let asked = asked.unwrap();
        assert_eq!(asked.text, Pattern::typed("no space left"));
        assert_eq!(asked.device.as_deref(), Some("web[1-3]"));
        assert_eq!(asked.exit_code, Some("70".parse().unwrap()));
        assert_eq!(asked.state, [RunState::Failed, RunState::Timeout]);
        let asked = read(&["--state", "unknown,timeout"]).unwrap();
        assert_eq!((asked.state.as_slice(), asked.unknown), (&[RunState::Timeout][..], true));
        assert_eq!(read(&["re:^rc=7"]).unwrap().text, read(&["--regex", "^rc=7"]).unwrap().text);
        assert_eq!(read(&["--", "--device"]).unwrap().text, Pattern::typed("--device"));
        let times = read(&["--since", "7d", "--until", "2026-11-20"]).unwrap();
        assert_eq!(times.since.unwrap().to_string(), "2026-11-15T12:00:00Z");
        assert_eq!(times.until.unwrap().to_string(), "2026-11-20T00:00:00Z");
        assert_eq!((times.jobs, times.limit), (false, USUAL));
        assert!(
            read(&["--job", "#12", "--jobs", "--limit", "7"]).is_ok_and(|asked| asked.job == Some(12) && asked.jobs)
        );
    }

    #[test]
    fn the_wrong_word_is_named() {
        for (line, says) in [
            (&["--devcie", "web1"][..], "there is no --devcie; did you mean 'device'?"),
            (&["--device"], "--device what? write --device EXPR"),
            (&["--device", " "], "--device is empty"),
            (&["--jobs=3"], "--jobs takes nothing behind it"),
            (&["--exit-code", "seventy"], "--exit-code seventy: exit codes are written 70, 1,2, 69-79 or !0"),
            (&["--exit-code", "9-3"], "--exit-code 9-3: exit codes are written 70, 1,2, 69-79 or !0"),
            (&["--regex", "("], "--regex (: not a regular expression: unclosed group"),
            (&["x", "--regex", "y"], "one text, or one regular expression: not two"),
            (&["--job", "twelve"], "--job twelve: a job's number is expected"),
            (&["--stream", "meta", "x"], "--stream meta: out, err or all is expected"),
            (&["--limit", "0", "x"], "--limit 0: a number from 1 to 100000 is expected"),
            (&["--since", "1d", "--until", "2d"], "--since is not before --until: no job was launched between them"),
            (&[], "search for what? a text, --device, --script, --exit-code …"),
            (&["--limit", "3"], "search for what? a text, --device, --script, --exit-code …"),
        ] {
            assert_eq!(read(line).unwrap_err(), says, "{line:?}");
        }
        assert!(
            read(&["--state", "faild"]).unwrap_err().starts_with("--state faild: no state; did you mean 'failed'?")
        );
        assert!(read(&["--since", "soon"]).unwrap_err().starts_with("--since soon: expected how long ago"));
    }

    #[test]
    fn exit_codes_are_numbers_ranges_and_what_they_are_not() {
        for (text, takes, passes) in [
            ("70", &[70][..], &[0, 7, 71][..]),
            ("1,2,69-79", &[1, 2, 69, 75, 79], &[0, 3, 68, 80]),
            ("!0", &[1, 255, -1], &[0]),
            ("-5--3", &[-5, -3], &[3, -2]),
        ] {
            let codes: Codes = text.parse().unwrap();
            assert!(takes.iter().all(|code| codes.takes(*code)) && !passes.iter().any(|code| codes.takes(*code)));
            assert_eq!(codes.to_string(), text);
        }
        for wrong in ["", "!", "1,", "x", "1-", "99999999999"] {
            assert!(wrong.parse::<Codes>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_question_survives_the_way_to_the_engine() {
        let asked = read(&["Err", "--exit-code", "!0", "--state", "ok", "--since", "7d", "--jobs"]).unwrap();
        let json = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<Past>(&json).unwrap(), asked);
        let end = Told::End(End { more: true, ..End::default() });
        assert_eq!(serde_json::from_str::<Told>(&serde_json::to_string(&end).unwrap()).unwrap(), end);
        assert!(serde_json::from_str::<Past>(r#"{"exit_code": "x"}"#).is_err());
    }
}
