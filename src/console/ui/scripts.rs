//! The scripts of screen 1: the local library's, and below them the branches of each system with a library of its own;
//! and what the preview says of such a branch.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{ago, left, nth, pane, paragraph, right, row, title, words};
use super::table::{self, Table};
use super::{overview, states};
use crate::console::app::branches::{Branch, Row};
use crate::console::app::columns::Col;
use crate::console::app::list::ListId;
use crate::console::app::{App, Load, Pane};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::rows::Scripts;
use crate::model::script::{Param, ScriptInfo, remote};

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (list, look) = (ListId::Scripts, &app.overview.script_look);
    let focused = table::focused(app, list);
    let (len, at) = (app.overview.branches.rows.len(), app.overview.scripts.at);
    let count = if app.library == Load::Ready { text::count(app.scripts.len() as u64) } else { String::new() };
    let foot = table::foot(app, list, at, len, area.width);
    let inside = pane(app, buf, area, table::head(app, list, "1", "Scripts", &count, area.width), &foot, focused);
    let said = states::absent(app, "scripts", &app.library).or_else(|| match len {
        0 if app.scripts.is_empty() && app.libraries.is_empty() => Some(states::no_scripts(app)),
        0 => Some(states::none_passes(app, list, look)),
        _ => None,
    });
    if let Some(said) = said {
        return said.draw(app, inside, buf);
    }
    let tree = Hung { app, narrow: inside.width < table::NARROW };
    let order: Vec<u32> = app.overview.branches.rows.iter().map(|row| tree.script(*row)).collect();
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let key = |row: usize| app.scripts.get(row).map_or_else(String::new, |script| script.name.clone());
    let style = |row: usize, col: &Col, _: &str| {
        let script = &app.scripts[row];
        let last = script.last_run.as_ref();
        let role = if script.refused.is_some() { theme.style(Role::LevelError) } else { plain };
        match (col.name, &script.connection) {
            // the branch it hangs on says whose it is
            ("name", Some(_)) => (remote::split(&script.name).map(|(_, name)| text::plain(name)), role),
            ("name", None) => (None, role),
            ("last", _) => (Some(last.map_or("-".into(), |run| ago(app.now, run.at))), muted),
            ("ok", _) => match last.and_then(|run| run.ok_percent) {
                Some(percent) => (Some(percent.to_string()), overview::trust(theme, percent)),
                None => (Some("-".into()), muted),
            },
            ("history", _) => (None, theme.style(Role::Spark)),
            _ => (None, muted),
        }
    };
    let rows = Scripts { all: &app.scripts, now: app.now, besides: Some(&app.besides) };
    let signs =
        |row: usize| SIGNS.iter().filter(|(_, _, has)| has(app, &app.scripts[row])).map(|sign| sign.0).collect();
    let table = Table {
        list,
        look,
        rows: &rows,
        order: &order,
        cursor: app.overview.scripts,
        focused,
        first: None,
        key: &key,
        signs: &signs,
        tree: Some(&tree),
        heads: &[],
        style,
    };
    table.draw(theme, inside, buf);
    legend(app, spare(inside, len), buf);
}

/// How the rows hang, as the table asks for it.
struct Hung<'a> {
    app: &'a App,
    narrow: bool,
}

impl Hung<'_> {
    /// Its index; that of a branch is no script's.
    fn script(&self, row: Row) -> u32 {
        match row {
            Row::Script(at, _) => at,
            Row::System { .. } | Row::Category { .. } => u32::MAX,
        }
    }

    /// In a narrow pane a guide is one cell wide: the names need the others.
    fn guide(&self, guide: &'static str) -> String {
        guide.chars().take(if self.narrow { 1 } else { 2 }).collect()
    }
}

impl table::Tree for Hung<'_> {
    fn branch(&self, at: usize) -> Option<Line<'static>> {
        let (theme, branches) = (&self.app.theme, &self.app.overview.branches);
        let glyphs = &theme.glyphs;
        let (guide, open, branch) = match *branches.rows.get(at)? {
            Row::Script(..) => return None,
            Row::System { at, open } => {
                (String::new(), open, self.app.branch(branches.systems.get(at as usize)?, None))
            }
            Row::Category { at, open, last } => {
                let category = branches.categories.get(at as usize)?;
                let system = branches.systems.get(category.system as usize)?;
                let guide = self.guide(if last { glyphs.branch_last() } else { glyphs.branch() });
                (guide, open, self.app.branch(system, Some(category)))
            }
        };
        let fold = match branch.system.scripts {
            0 => ' ',
            _ if open => glyphs.expanded(),
            _ => glyphs.collapsed(),
        };
        let name = branch.category.map_or(&branch.system.name, |category| &category.name);
        let (said, role) = said(self.app, &branch);
        let strong = match (branch.category, role) {
            (_, Role::LevelWarn) => Role::LevelWarn,
            (Some(_), _) => Role::Text,
            (None, _) => Role::TextStrong,
        };
        let spans = vec![
            Span::styled(guide, theme.style(Role::Border)),
            Span::styled(format!("{fold} {}", text::plain(name)), theme.style(strong)),
            Span::styled(format!("  {said}"), theme.style(role)),
        ];
        Some(Line::from(spans))
    }

    fn lead(&self, at: usize) -> String {
        let glyphs = &self.app.theme.glyphs;
        let Some(Row::Script(_, hang)) = self.app.overview.branches.rows.get(at) else { return String::new() };
        let own = self.guide(if hang.last { glyphs.branch_last() } else { glyphs.branch() });
        match hang.depth {
            0 => String::new(),
            1 => own,
            _ => {
                let through = if hang.category_last { "  " } else { glyphs.branch_through() };
                format!("{}{own}", self.guide(through))
            }
        }
    }
}

/// A branch in a word or two: how many scripts it has, or what is wrong.
fn said(app: &App, branch: &Branch<'_>) -> (String, Role) {
    let branches = &app.overview.branches;
    let narrowed = app.overview.script_look.narrowed();
    let count = |passing: usize, all: usize| match narrowed {
        true => format!("{} of {}", text::count(passing as u64), text::count(all as u64)),
        false => text::count(all as u64),
    };
    if let Some(category) = branch.category {
        let at = branches.categories.iter().position(|other| std::ptr::eq(other, category)).unwrap_or_default();
        return (count(branches.passing.get(at).copied().unwrap_or_default(), category.scripts), Role::TextMuted);
    }
    let at = branches.systems.iter().position(|other| std::ptr::eq(other, branch.system)).unwrap_or_default();
    let own = count(branches.passing_of(at as u32), branch.system.scripts);
    let (problem, reading, read) = branch
        .shelf
        .map_or((false, false, true), |shelf| (shelf.problem.is_some(), shelf.reading, shelf.read_at.is_some()));
    let sign = if branch.system.read_only.is_some() && branch.system.scripts > 0 { " S" } else { "" };
    match (read, problem, reading) {
        (false, true, _) => ("! not read".to_owned(), Role::LevelWarn),
        (true, true, _) => (format!("{own}{sign} !"), Role::LevelWarn),
        (false, false, true) => ("reading…".to_owned(), Role::TextMuted),
        (false, false, false) => ("not read yet".to_owned(), Role::TextMuted),
        (true, false, _) => (format!("{own}{sign}"), Role::TextMuted),
    }
}

/// What stands behind a script's name, what it means, and which scripts have it.
type Sign = (char, &'static str, fn(&App, &ScriptInfo) -> bool);
const SIGNS: [Sign; 6] = [
    ('!', "cannot be run", |_, script| script.refused.is_some()),
    ('M', "edited here, not saved", |app, script| app.shelf.edited(&script.name)),
    ('L', "lint errors", |app, script| script.refused.is_none() && app.besides.errors_of(script) > 0),
    ('*', "favourite", |app, script| app.besides.favourites.contains(&script.name)),
    (OF_A_SERVER.0, OF_A_SERVER.1, |app, script| script.read_only.is_some() && !all_read_only(app, script)),
    ('$', "asks for a secret", |_, script| script.params.iter().any(|param| param.secret)),
];

/// Stands behind the name of the system where it is so of all its scripts.
const OF_A_SERVER: (char, &str) = ('S', "of a server: cannot be changed here");

fn all_read_only(app: &App, script: &ScriptInfo) -> bool {
    let mut systems = app.overview.branches.systems.iter();
    systems.any(|system| Some(&system.name) == script.connection.as_ref() && system.read_only.is_some())
}

/// The rows below a list that is shorter than its pane, one of them left blank.
pub fn spare(inside: Rect, len: usize) -> Rect {
    let used = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(2).min(inside.height);
    Rect { y: inside.y + used, height: inside.height - used, ..inside }
}

/// The signs that some script has, where there is room for them.
fn legend(app: &App, room: Rect, buf: &mut Buffer) {
    let of_systems = app.overview.branches.systems.iter().any(|system| system.read_only.is_some());
    let present = SIGNS.iter().filter(|(sign, _, has)| {
        (*sign == OF_A_SERVER.0 && of_systems) || app.scripts.iter().any(|script| has(app, script))
    });
    let lines: Vec<String> = present.map(|(sign, meaning, _)| format!("  {sign} {meaning}")).collect();
    let height = lines.len() as u16;
    if height <= room.height && lines.iter().all(|text| text::width(text) <= usize::from(room.width)) {
        for (n, text) in lines.iter().enumerate() {
            let place = nth(Rect { y: room.bottom() - height, height, ..room }, n as u16);
            words(buf, place, text, app.theme.style(Role::TextMuted));
        }
    }
}

/// The preview of a branch: what is so, what to do where something is wrong, and the scripts in it.
pub fn preview(app: &App, branch: &Branch<'_>, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let focused = app.overview.focus == Pane::Preview && app.layers.is_empty();
    let name = text::plain(&branch.name());
    let inside = pane(app, buf, area, title(theme, "4", "Preview", &name), "", focused);
    let mut y = 0;
    let mut say = |said: &str, style: Style| {
        let rest = Rect { y: inside.y + y, height: inside.height.saturating_sub(y), ..inside };
        y += paragraph(buf, rest, said, style);
    };
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    for (said, role) in about(app, branch) {
        say(&said, theme.style(role));
    }
    let rest = Rect { y: inside.y + y + 1, height: inside.height.saturating_sub(y + 1), ..inside };
    let mine = app.overview.script_order.iter().filter_map(|at| app.scripts.get(*at)).filter(|script| {
        script.connection.as_ref() == Some(&branch.system.name)
            && branch.category.is_none_or(|category| category.name == script.category)
    });
    let widths = [24.min(inside.width / 2), 0];
    for (n, script) in mine.take(usize::from(rest.height)).enumerate() {
        let own = remote::split(&script.name).map_or(script.name.as_str(), |(_, name)| name);
        let cells = [left(text::plain(own), plain), left(text::plain(&script.describe), muted)];
        row(buf, nth(rest, n as u16), &widths, &cells);
    }
}

/// What stands where the text of a script would, of one whose system keeps that to itself: why, and what it takes.
pub fn definition(app: &App, info: &ScriptInfo, inside: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let mut y = 0;
    let mut say = |said: &str, style: Style| {
        let rest = Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y), ..inside };
        y += paragraph(buf, rest, &text::plain(said), style);
    };
    if !info.describe.is_empty() {
        say(&info.describe, plain);
    }
    if let Some(why) = &info.read_only {
        say(&format!("read-only: {why}"), muted);
    }
    say(&ran(app, info), muted);
    if info.params.is_empty() {
        return say("no parameters", muted);
    }
    let rest = Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y), ..inside };
    let names = info.params.iter().map(|param| text::width(&text::plain(&param.name))).max().unwrap_or_default();
    let widths = [(names as u16).clamp(4, 24), 8, 0];
    for (n, param) in info.params.iter().take(usize::from(rest.height)).enumerate() {
        let cells = [
            left(text::plain(&param.name), theme.style(Role::TextStrong)),
            left(param.field().word(), muted),
            left(text::plain(&takes(param)), plain),
        ];
        row(buf, nth(rest, n as u16), &widths, &cells);
    }
}

/// What is known of its runs from here, in a line.
fn ran(app: &App, info: &ScriptInfo) -> String {
    match &info.last_run {
        Some(run) => {
            let ok = run.ok_percent.map_or_else(String::new, |ok| format!(", {ok}% ok"));
            format!("runs {}  last {} ago, job {}{ok}", run.history, ago(app.now, run.at), run.job)
        }
        None => "never run from here".to_owned(),
    }
}

/// `how often it is tried; 3 unless said otherwise`
fn takes(param: &Param) -> String {
    let parts = [
        (!param.describe.is_empty()).then(|| param.describe.clone()),
        (!param.choices.is_empty()).then(|| param.choices.join("|")),
        param.multiple.then(|| "several".to_owned()),
        param.default.as_ref().map(|default| format!("{default} unless said otherwise")),
        param.example.as_ref().map(|example| format!("such as {example}")),
        param.advanced.then(|| "rarely needed".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn about(app: &App, branch: &Branch<'_>) -> Vec<(Cow<'static, str>, Role)> {
    let mut said: Vec<(Cow<'static, str>, Role)> = Vec::new();
    let system = branch.system;
    let refresh = app.key_of("global", "refresh");
    let name = text::plain(&system.name);
    if let Some(shelf) = branch.shelf {
        if let Some(problem) = &shelf.problem {
            said.push((format!("its scripts could not be read: {}", text::plain(problem)).into(), Role::LevelError));
            let old =
                shelf.read_at.map_or_else(String::new, |at| format!("what is shown is {} old; ", ago(app.now, at)));
            let next = match shelf.reading {
                true => format!("{old}it is tried again by itself"),
                false => format!(
                    "{old}{refresh} reads them again; `quarterdeck doctor {name}` says step by step what is wrong"
                ),
            };
            said.push((next.into(), Role::TextMuted));
        } else if shelf.reading && shelf.read_at.is_none() {
            said.push(("its scripts are being read…".into(), Role::Text));
            return said;
        }
    }
    let read = branch.shelf.and_then(|shelf| shelf.read_at.filter(|_| shelf.problem.is_none()));
    let read =
        read.map_or_else(String::new, |at| format!(", read {} ago; {refresh} reads them again", ago(app.now, at)));
    let many = |n: usize, word: &str| text::number(n as u64, word);
    match branch.category {
        Some(category) => said.push((format!("{} of {name}", many(category.scripts, "script")).into(), Role::Text)),
        None if system.scripts == 0 && said.is_empty() => {
            said.push((format!("It has no script that may be run from here{read}").into(), Role::Text));
        }
        None if system.scripts == 0 => {}
        None => {
            let mine = app.overview.branches.categories.iter();
            let categories = mine.filter(|category| {
                let of = app.overview.branches.systems.get(category.system as usize);
                of.is_some_and(|of| of.name == system.name) && !category.name.is_empty()
            });
            let categories = match categories.count() {
                0 => String::new(),
                1 => " in 1 category".to_owned(),
                n => format!(" in {n} categories"),
            };
            said.push((format!("{}{categories}{read}", many(system.scripts, "script")).into(), Role::Text));
        }
    }
    if let Some(why) = &system.read_only {
        said.push((format!("read-only: {}", text::plain(why)).into(), Role::TextMuted));
    }
    said
}

/// What has the place of recent runs beside a branch: what was run of it lately.
pub fn recent(app: &App, branch: &Branch<'_>, inside: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let prefix = format!("{}:", branch.system.name);
    let of = |name: &str| {
        let known = || app.scripts.iter().find(|script| script.name == name).map(|script| script.category.as_str());
        name.starts_with(&prefix) && branch.category.is_none_or(|category| known() == Some(category.name.as_str()))
    };
    let mut jobs = app.jobs.iter().filter(|job| of(&job.script)).take(usize::from(inside.height)).peekable();
    if jobs.peek().is_none() {
        return states::Said::so("Nothing of it was run from here yet.", "").draw(app, inside, buf);
    }
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    for (n, job) in jobs.enumerate() {
        let cells = [
            right(job.id.to_string(), theme.style(Role::TextStrong)),
            right(ago(app.now, job.created_at), muted),
            right(overview::done(job), overview::done_style(theme, job)),
            left(text::plain(job.script.strip_prefix(&prefix).unwrap_or(&job.script)), plain),
        ];
        row(buf, nth(inside, n as u16), &[5, 4, 5, 0], &cells);
    }
}
