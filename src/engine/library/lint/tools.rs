//! Which tools are asked about which language, and what their answers mean. Not asked: `perl -c`, which runs the
//! script's BEGIN blocks; `ruby -c` with the script's own shebang, whose `-r` would load files; PSScriptAnalyzer about
//! a script with `using module`, which the parser itself loads.

use std::borrow::Cow;

use serde_json::Value;

use super::NOTE;
use crate::model::nearest::shown;
use crate::model::script::{Finding, Level, Replacement, fix};

/// Longer pieces are no mending; more of them neither.
const FIX: usize = 10_000;
const PIECES: usize = 64;

/// Compiles without running or writing anything.
const COMPILE: &str = "\
import sys
try:
    compile(sys.stdin.buffer.read(), 'script', 'exec', dont_inherit=True)
except SyntaxError as error:
    print(error.lineno or 0, error.offset or 0, error.msg, sep='\\t')
except ValueError as error:
    print(0, 0, error, sep='\\t')
";

const ANALYZE: &str = "\
$ErrorActionPreference = 'Stop'
if (-not (Get-Module -ListAvailable -Name PSScriptAnalyzer)) { '{\"missing\":true}'; exit }
$text = [Console]::In.ReadToEnd()
Invoke-ScriptAnalyzer -ScriptDefinition $text | ForEach-Object {
    [pscustomobject]@{ rule = $_.RuleName; level = \"$($_.Severity)\"; line = $_.Line; column = $_.Column
        message = $_.Message; fix = @($_.SuggestedCorrections | Where-Object { $_ } | ForEach-Object {
            [pscustomobject]@{ line = $_.StartLineNumber; column = $_.StartColumnNumber
                endLine = $_.EndLineNumber; endColumn = $_.EndColumnNumber; replacement = $_.Text } }) }
} | ConvertTo-Json -Depth 4 -Compress -AsArray
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

pub(super) struct Tool {
    /// As people know it.
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    pub(super) args: Vec<String>,
    /// Where it speaks.
    pub(super) stream: Stream,
    /// What it is given for a text.
    pub(super) text: fn(&[u8]) -> Cow<'_, [u8]>,
    read: fn(&[u8]) -> Vec<Finding>,
    /// Asked where this one is not installed.
    pub(super) instead: Option<Box<Tool>>,
}

impl Tool {
    fn new(name: &'static str, program: &'static str, args: &[&str], read: fn(&[u8]) -> Vec<Finding>) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name, program, args, stream: Stream::Out, text: |text| Cow::Borrowed(text), read, instead: None }
    }

    /// One that speaks on stderr.
    fn loud(name: &'static str, program: &'static str, args: &[&str], read: fn(&[u8]) -> Vec<Finding>) -> Self {
        Self { stream: Stream::Err, ..Self::new(name, program, args, read) }
    }

    pub(super) fn findings(&self, output: &[u8]) -> Vec<Finding> {
        let mut findings = (self.read)(output);
        for finding in findings.iter_mut().filter(|finding| finding.code != NOTE) {
            finding.tool = self.name.to_owned();
        }
        findings
    }
}

/// What is asked about a script. `Err`: nothing, and why.
pub(super) fn tools(language: &str, name: &str, text: &[u8]) -> Result<Vec<Tool>, String> {
    let dialect = match language {
        "sh" | "bash" | "dash" | "ksh" => language,
        "ash" => "dash",
        "ksh93" | "mksh" => "ksh",
        "zsh" => return Ok(vec![Tool::loud("zsh -n", "zsh", &["-f", "-n"], shell)]),
        "ruby" => {
            let tool = Tool::loud("ruby -c", "ruby", &["--disable=gems,rubyopt", "-c", "-"], ruby);
            return Ok(vec![Tool { text: without_shebang, ..tool }]);
        }
        "perl" => return Err("perl -c is not asked: it would run the script's BEGIN blocks".to_owned()),
        "pwsh" | "powershell" => {
            if loads_modules(text) {
                return Err("PSScriptAnalyzer is not asked: `using module` would load code".to_owned());
            }
            let args = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", ANALYZE];
            return Ok(vec![Tool::new("PSScriptAnalyzer", "pwsh", &args, analyzer)]);
        }
        _ if language.starts_with("python") && !language.starts_with("python2") => {
            let name = format!("--stdin-filename={}", name.rsplit('/').next().unwrap_or(name));
            return Ok(vec![
                Tool::new("python3", "python3", &["-I", "-S", "-c", COMPILE], compiled),
                Tool::new(
                    "ruff",
                    "ruff",
                    &["check", "--quiet", "--no-cache", "--output-format=json", &name, "-"],
                    ruff,
                ),
            ]);
        }
        _ => return Ok(Vec::new()),
    };
    let syntax = match dialect {
        "bash" => Tool::loud("bash -n", "bash", &["-n"], shell),
        "ksh" => Tool::loud("ksh -n", "ksh", &["-n"], shell),
        _ => Tool::loud("sh -n", "sh", &["-n"], shell),
    };
    let shellcheck = Tool::new("shellcheck", "shellcheck", &["--format=json1", "--shell", dialect, "-"], shellcheck);
    Ok(vec![Tool { instead: Some(Box::new(syntax)), ..shellcheck }])
}

fn without_shebang(text: &[u8]) -> Cow<'_, [u8]> {
    match text.strip_prefix(b"#!") {
        Some(rest) => Cow::Owned([b"##", rest].concat()),
        None => Cow::Borrowed(text),
    }
}

fn loads_modules(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&[u8]> = lower
        .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b'`'))
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).any(|pair| pair[0].ends_with(b"using") && matches!(pair[1], b"module" | b"assembly"))
}

pub(super) fn note(text: String) -> Finding {
    Finding::new(Level::Info, 0, NOTE, text)
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

fn finding(level: Level, place: (&Value, &Value), code: &str, text: &Value) -> Option<Finding> {
    let (line, column) = (number(place.0), number(place.1));
    Some(Finding { column, ..Finding::new(level, line, &shown(code), text.as_str().map(message)?) })
}

/// A tool's words, on one line.
fn message(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

/// What a fix replaces. One with a piece that cannot be read is no fix.
fn pieces(items: &Value, read: impl Fn(&Value) -> Option<Replacement>) -> Vec<Replacement> {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    let sound = |piece: &Replacement| {
        let (from, to) = ((piece.line, piece.column), (piece.end_line, piece.end_column));
        piece.line > 0 && piece.column > 0 && from <= to && piece.text.len() <= FIX
    };
    let read: Option<Vec<Replacement>> = items.iter().take(PIECES + 1).map(|item| read(item).filter(sound)).collect();
    let mut read = read.filter(|read| read.len() <= PIECES).unwrap_or_default();
    fix::order(&mut read);
    read
}

/// As shellcheck writes a piece.
fn piece(item: &Value) -> Option<Replacement> {
    Some(Replacement {
        line: number(&item["line"]),
        column: number(&item["column"]),
        end_line: number(&item["endLine"]),
        end_column: number(&item["endColumn"]),
        text: item["replacement"].as_str()?.to_owned(),
    })
}

fn json(output: &[u8]) -> Value {
    serde_json::from_slice(output).unwrap_or_default()
}

fn each(items: &Value, read: impl Fn(&Value) -> Option<Finding>) -> Vec<Finding> {
    items.as_array().map(|items| items.iter().filter_map(read).collect()).unwrap_or_default()
}

fn shellcheck(output: &[u8]) -> Vec<Finding> {
    each(&json(output)["comments"], |item| {
        let level = match item["level"].as_str() {
            Some("error") => Level::Error,
            Some("warning") => Level::Warn,
            _ => Level::Info,
        };
        let code = format!("SC{}", item["code"]);
        let found = finding(level, (&item["line"], &item["column"]), &code, &item["message"])?;
        // several pieces at one place: the one that binds tighter stands nearer
        let mut items = item["fix"]["replacements"].as_array().cloned().unwrap_or_default();
        items.sort_by_key(|item| item["precedence"].as_u64());
        Some(Finding { fix: pieces(&Value::Array(items), piece), ..found })
    })
}

fn ruff(output: &[u8]) -> Vec<Finding> {
    each(&json(output), |item| {
        // syntax errors have no rule of their own, and are told by python3 already
        let code = item["code"].as_str().filter(|code| *code != "invalid-syntax")?;
        let place = &item["location"];
        let found = finding(Level::Warn, (&place["row"], &place["column"]), code, &item["message"])?;
        // what may change the meaning is not offered
        let edits = if item["fix"]["applicability"] == "safe" { &item["fix"]["edits"] } else { &Value::Null };
        let edit = |item: &Value| {
            Some(Replacement {
                line: number(&item["location"]["row"]),
                column: number(&item["location"]["column"]),
                end_line: number(&item["end_location"]["row"]),
                end_column: number(&item["end_location"]["column"]),
                text: item["content"].as_str()?.to_owned(),
            })
        };
        Some(Finding { fix: pieces(edits, edit), ..found })
    })
}

fn analyzer(output: &[u8]) -> Vec<Finding> {
    let said = json(output);
    if said["missing"] == true {
        let how = "Install-Module PSScriptAnalyzer";
        return vec![note(format!("PSScriptAnalyzer is not installed here ({how}): its checks were not made"))];
    }
    each(&said, |item| {
        let level = match item["level"].as_str() {
            Some("Error" | "ParseError") => Level::Error,
            Some("Warning") => Level::Warn,
            _ => Level::Info,
        };
        let code = item["rule"].as_str()?;
        let found = finding(level, (&item["line"], &item["column"]), code, &item["message"])?;
        Some(Finding { fix: pieces(&item["fix"], piece), ..found })
    })
}

fn syntax(line: &str, column: &str, text: &str) -> Finding {
    let column = column.parse().unwrap_or(0);
    Finding { column, ..Finding::new(Level::Error, line.parse().unwrap_or(0), "syntax", message(text)) }
}

fn compiled(output: &[u8]) -> Vec<Finding> {
    let output = String::from_utf8_lossy(output);
    let mut fields = output.trim_end().splitn(3, '\t');
    match (fields.next(), fields.next(), fields.next()) {
        (Some(line), Some(column), Some(text)) => vec![syntax(line, column, text)],
        _ => Vec::new(),
    }
}

/// `-:3: syntax error, …`
fn ruby(output: &[u8]) -> Vec<Finding> {
    let output = String::from_utf8_lossy(output);
    let read = |line: &str| {
        let (number, text) = line.trim_start_matches("-: ").strip_prefix("-:")?.split_once(':')?;
        Some(syntax(number, "", text))
    };
    output.lines().filter_map(read).take(20).collect()
}

/// `bash: line 3: …`, `sh: 3: …`, `zsh:3: …`: the first, which the others follow from.
fn shell(output: &[u8]) -> Vec<Finding> {
    let output = String::from_utf8_lossy(output);
    let read = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let rest = rest.trim_start().trim_start_matches("line ");
        let (number, text) = rest.split_once(':')?;
        number.parse::<u32>().ok().map(|_| syntax(number, "", text))
    };
    output.lines().find_map(read).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_say_is_understood() {
        let said = shellcheck(
            br#"{"comments":[{"file":"-","line":3,"endLine":3,"column":7,"level":"warning","code":2155,"message":"Declare\nand"}]}"#,
        );
        assert_eq!(
            (said[0].level, said[0].line, said[0].column, said[0].code.as_str(), said[0].text.as_str()),
            (Level::Warn, 3, 7, "SC2155", "Declare and")
        );
        let said = ruff(
            br#"[{"code":"F401","location":{"row":2,"column":8},"message":"unused"},{"code":null,"message":"x"}]"#,
        );
        assert_eq!((said.len(), said[0].code.as_str(), said[0].line), (1, "F401", 2));
        assert_eq!((compiled(b"7\t3\tinvalid syntax\n")[0].line, compiled(b"7\t3\tx")[0].column), (7, 3));
        assert_eq!(
            shell(b"bash: line 4: syntax error near unexpected token `done'\nbash: line 4: `done'\n")[0].line,
            4
        );
        assert_eq!(shell(b"sh: 2: Syntax error: end of file unexpected\n")[0].line, 2);
        assert_eq!(shell(b"zsh:5: parse error near `done'\n")[0].text, "parse error near `done'");
        assert_eq!(ruby(b"-: -:3: syntax error found (SyntaxError)\n  1 | x\n")[0].line, 3);
        assert_eq!(ruby(b"-:9: syntax error, unexpected end-of-input\n")[0].line, 9);
        let said = analyzer(
            br#"[{"rule":"PSAvoidUsingCmdletAliases","level":"Warning","line":1,"column":1,"message":"'gci' is an alias",
                "fix":[{"line":1,"column":1,"endLine":1,"endColumn":4,"replacement":"Get-ChildItem"}]}]"#,
        );
        assert_eq!(fix::apply("gci\n", &said[0].fix).as_deref(), Some("Get-ChildItem\n"));
        assert!(analyzer(br#"{"missing":true}"#)[0].text.contains("not installed"));
    }

    #[test]
    fn fixes_come_along_and_can_be_applied() {
        let said = shellcheck(
            br#"{"comments":[{"line":2,"column":4,"level":"info","code":2086,"message":"quote","fix":{"replacements":[
                {"column":4,"endColumn":4,"endLine":2,"insertionPoint":"afterEnd","line":2,"precedence":7,"replacement":"\""},
                {"column":6,"endColumn":6,"endLine":2,"insertionPoint":"beforeStart","line":2,"precedence":7,"replacement":"\""}]}}]}"#,
        );
        assert_eq!(fix::apply("#!/bin/sh\ncd $1\n", &said[0].fix).as_deref(), Some("#!/bin/sh\ncd \"$1\"\n"));
        let edit = |safe: &str| {
            let said = format!(
                r#"[{{"code":"F401","location":{{"row":1,"column":8}},"message":"unused","fix":{{"applicability":"{safe}",
                "edits":[{{"content":"","location":{{"row":1,"column":1}},"end_location":{{"row":2,"column":1}}}}]}}}}]"#
            );
            ruff(said.as_bytes()).remove(0).fix
        };
        assert_eq!(fix::apply("import os\nx = 1\n", &edit("safe")).as_deref(), Some("x = 1\n"));
        assert_eq!(edit("unsafe"), [], "what may change the meaning");
    }

    #[test]
    fn nonsense_from_a_tool_is_nothing() {
        for output in [&b""[..], b"{", b"[1, {}]", b"\xff\t\xff", b"{\"comments\":[{\"fix\":7}]}"] {
            let _ = (shellcheck(output), ruff(output), compiled(output), ruby(output), shell(output), analyzer(output));
        }
        assert!(shellcheck(b"[{}]").is_empty());
        let backwards = br#"{"comments":[{"line":1,"level":"info","code":1,"message":"x","fix":{"replacements":[
            {"line":2,"column":1,"endLine":1,"endColumn":1,"replacement":"x"}]}}]}"#;
        assert_eq!(shellcheck(backwards)[0].fix, [], "a fix that ends before it begins");
    }

    #[test]
    fn no_tool_is_asked_that_would_run_the_script() {
        assert!(tools("perl", "x.pl", b"BEGIN { unlink glob '*' }").is_err_and(|why| why.contains("BEGIN")));
        assert!(tools("pwsh", "x.ps1", b"Using\tModule ./evil.psm1").is_err_and(|why| why.contains("load code")));
        let ruby = &tools("ruby", "x.rb", b"").unwrap_or_default()[0];
        assert_eq!(*(ruby.text)(b"#!ruby -r./evil\nputs 1\n"), *b"##ruby -r./evil\nputs 1\n");
    }
}
