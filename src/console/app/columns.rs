//! How the columns of `model::rows` are shown: heading, width, and from which pane width on. Owns what the operator may
//! choose from, and what fits; refuses to draw.

use super::list::{ListId, Look};

/// A column as it is drawn.
#[derive(Debug)]
pub struct Col {
    /// As filter and order know it.
    pub name: &'static str,
    pub head: &'static str,
    /// In a narrow pane and in a wider one.
    pub width: (u16, u16),
    /// Takes what is left, if it is the last such.
    pub flex: bool,
    /// Numbers stand at the right.
    pub right: bool,
    /// Shown by default from this width on; [`NEVER`]: only when chosen.
    pub from: u16,
    /// Only where the list says that it is of use now.
    pub extra: bool,
}

const NEVER: u16 = u16::MAX;
const FULL: u16 = 90;

const fn col(name: &'static str, head: &'static str, width: (u16, u16), from: u16) -> Col {
    Col { name, head, width, flex: false, right: false, from, extra: false }
}

const fn flex(name: &'static str, head: &'static str, width: u16, from: u16) -> Col {
    Col { name, head, width: (width, width), flex: true, right: false, from, extra: false }
}

const fn right(name: &'static str, head: &'static str, width: (u16, u16), from: u16) -> Col {
    Col { name, head, width, flex: false, right: true, from, extra: false }
}

static SCRIPTS: [Col; 11] = [
    flex("name", "name", 28, 0),
    col("lang", "lang", (7, 7), 40),
    col("version", "ver", (4, 5), 40),
    right("last", "last", (4, 4), 0),
    right("ok", "ok%", (3, 4), 0),
    col("history", "history", (16, 16), FULL),
    flex("what", "what it does", 30, FULL),
    right("size", "size", (6, 6), NEVER),
    right("changed", "chg", (4, 4), NEVER),
    col("connection", "connection", (10, 10), NEVER),
    col("category", "category", (10, 12), NEVER),
];

static JOBS: [Col; 14] = [
    right("id", "id", (2, 2), 0),
    flex("script", "script", 24, 0),
    col("by", "by", (10, 10), FULL),
    right("age", "age", (3, 4), 44),
    right("dev", "dev", (5, 5), 44),
    right("done", "done", (4, 4), 0),
    right("ok", "ok", (5, 5), 44),
    right("bad", "bad", (3, 4), 0),
    right("off", "off", (4, 4), 44),
    Col { extra: true, ..col("flag", "", (1, 1), 0) },
    flex("target", "target", 20, FULL),
    col("state", "state", (11, 11), NEVER),
    right("took", "took", (5, 6), NEVER),
    flex("reason", "reason", 20, NEVER),
];

static DEVICES: [Col; 12] = [
    flex("device", "device", 8, 0),
    // The fact by which the devices are told apart best.
    col("fact", "fact", (10, 10), 64),
    col("state", "st", (2, 11), 0),
    right("rc", "rc", (4, 4), 0),
    Col { extra: true, ..right("ring", "ring", (4, 4), 64) },
    right("took", "took", (5, 6), 0),
    flex("last", "last line", 20, 0),
    right("bytes", "bytes", (6, 7), NEVER),
    right("lines", "lines", (6, 7), NEVER),
    right("tries", "try", (3, 3), NEVER),
    col("signal", "signal", (6, 6), NEVER),
    col("connection", "connection", (10, 10), NEVER),
];

static GROUPS: [Col; 12] = [
    col("sig", "sig", (5, 5), 0),
    right("dev", "dev", (4, 6), 0),
    right("share", "share", (6, 6), FULL),
    col("state", "st", (2, 11), 0),
    right("rc", "rc", (4, 4), 0),
    col("first", "first seen", (10, 10), FULL),
    col("vs", "before", (9, 12), 0),
    Col { width: (28, 36), ..flex("says", "what it says", 28, 0) },
    Col { extra: true, ..col("ack", "ack", (6, 8), 130) },
    Col { extra: true, ..flex("note", "note", 14, 64) },
    right("texts", "texts", (5, 5), NEVER),
    col("signature", "signature", (19, 19), NEVER),
];

static MEMBERS: [Col; 9] = [
    flex("device", "device", 8, 0),
    col("fact", "fact", (8, 8), 36),
    col("fact2", "fact", (10, 10), 40),
    right("took", "took", (5, 6), 0),
    col("before", "before", (6, 9), 30),
    col("state", "st", (2, 11), NEVER),
    right("rc", "rc", (4, 4), NEVER),
    flex("last", "last line", 20, 80),
    right("tries", "try", (3, 3), NEVER),
];

static FOUND: [Col; 11] = [
    right("job", "job", (3, 5), 0),
    flex("script", "script", 16, 46),
    right("age", "age", (4, 4), 0),
    Col { width: (10, 20), ..flex("device", "device", 14, 0) },
    col("state", "st", (2, 11), 0),
    right("rc", "rc", (3, 4), 0),
    right("lines", "lines", (5, 6), 70),
    flex("says", "line", 20, 0),
    col("signature", "signature", (15, 15), NEVER),
    col("by", "by", (10, 10), NEVER),
    col("connection", "connection", (10, 10), NEVER),
];

static CHANGES: [Col; 7] = [
    flex("device", "device", 12, 0),
    col("change", "change", (11, 11), 0),
    col("was", "was", (8, 13), 0),
    col("is", "is", (8, 13), 0),
    flex("says", "what it says", 20, 50),
    col("signature", "signature", (15, 15), NEVER),
    col("connection", "connection", (10, 10), NEVER),
];

static PLANNED: [Col; 3] = [
    flex("device", "device", 30, 0),
    col("state", "state", (8, 8), 0),
    flex("about", "facts, or why it is left out", 30, 40),
];

static TARGETS: [Col; 4] = [
    flex("group", "group", 20, 0),
    right("dev", "dev", (4, 6), 0),
    right("online", "online", (6, 7), 34),
    right("prob", "prob", (3, 5), 17),
];

/// All there are, in their usual order. The first of them all is always shown.
pub fn columns(list: ListId) -> &'static [Col] {
    match list {
        ListId::Scripts => &SCRIPTS,
        ListId::Targets => &TARGETS,
        ListId::Jobs => &JOBS,
        ListId::Devices => &DEVICES,
        ListId::Groups => &GROUPS,
        ListId::Members => &MEMBERS,
        ListId::Planned => &PLANNED,
        ListId::Found => &FOUND,
        ListId::Changes => &CHANGES,
    }
}

/// From this width of a pane on, columns have their wider form.
pub const fn wide(list: ListId, width: u16) -> bool {
    width
        >= match list {
            ListId::Scripts => 40,
            ListId::Targets => 34,
            ListId::Jobs => 44,
            ListId::Groups => FULL,
            ListId::Devices | ListId::Members | ListId::Planned => 60,
            ListId::Found | ListId::Changes => FULL,
        }
}

/// The columns to show in a pane of this width: those chosen, else those that have room by themselves. What does not
/// fit gives way from the end.
pub fn shown(list: ListId, look: &Look, width: u16) -> Vec<&'static Col> {
    let all = columns(list);
    let mut shown: Vec<&Col> = if look.columns.is_empty() {
        all.iter().filter(|col| col.from <= width && (!col.extra || look.extra.contains(&col.name))).collect()
    } else {
        look.columns.iter().filter_map(|name| all.iter().find(|col| col.name == *name)).collect()
    };
    if !shown.iter().any(|col| col.name == all[0].name) {
        shown.insert(0, &all[0]);
    }
    let wide = wide(list, width);
    let least = |col: &Col| match (col.flex, wide) {
        (true, _) => 6,
        (false, false) => col.width.0,
        (false, true) => col.width.1,
    };
    while shown.len() > 1 && shown.iter().map(|col| least(col) + 1).sum::<u16>() + 1 > width {
        let last = shown.iter().rposition(|col| col.name != all[0].name);
        match last {
            Some(last) => drop(shown.remove(last)),
            None => break,
        }
    }
    shown
}

/// Their widths; `first` is how wide the first of all columns would like to be, where it follows the data. 0: the rest.
pub fn widths(list: ListId, shown: &[&Col], width: u16, first: Option<u16>) -> Vec<u16> {
    let wide = wide(list, width);
    let rest = shown.iter().rposition(|col| col.flex);
    let name = columns(list)[0].name;
    let mut widths: Vec<u16> = shown
        .iter()
        .enumerate()
        .map(|(at, col)| match (Some(at) == rest, wide) {
            (true, _) => 0,
            _ if col.name == name && first.is_some() => first.unwrap_or_default(),
            (false, false) => col.width.0,
            (false, true) => col.width.1,
        })
        .collect();
    // The other flexible ones give way where all is narrow.
    if let Some(rest) = rest {
        let used: u16 = widths.iter().map(|width| width + 1).sum::<u16>() + 1;
        let mut missing = (used + 6).saturating_sub(width);
        for at in (0..rest).filter(|at| shown[*at].flex) {
            let given = missing.min(widths[at].saturating_sub(6));
            widths[at] -= given;
            missing -= given;
        }
    }
    widths
}

/// Cells of one of them; 0: it is not shown.
pub fn width_of(name: &str, list: ListId, shown: &[&Col], width: u16, first: Option<u16>) -> u16 {
    let widths = widths(list, shown, width, first);
    let used = widths.iter().map(|width| width + 1).sum::<u16>().saturating_sub(1);
    let at = shown.iter().position(|col| col.name == name);
    at.map_or(0, |at| if widths[at] == 0 { width.saturating_sub(used) } else { widths[at] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: ListId, look: &Look, width: u16) -> Vec<&'static str> {
        shown(list, look, width).iter().map(|col| col.name).collect()
    }

    #[test]
    fn what_fits_is_shown_and_what_was_chosen_comes_first() {
        let mut look = Look::default();
        assert_eq!(names(ListId::Scripts, &look, 26), ["name", "last", "ok"]);
        assert_eq!(names(ListId::Scripts, &look, 44), ["name", "lang", "version", "last", "ok"]);
        assert_eq!(names(ListId::Scripts, &look, 120).len(), 7);
        look.columns = ["lang", "size", "no such"].map(str::to_owned).into();
        assert_eq!(names(ListId::Scripts, &look, 26), ["name", "lang", "size"], "what a row is stays");
        assert_eq!(names(ListId::Scripts, &look, 18), ["name", "lang"]);
        assert_eq!(names(ListId::Scripts, &look, 3), ["name"]);
    }

    #[test]
    fn the_last_flexible_column_takes_the_rest() {
        for width in 10..160 {
            for list in [
                ListId::Scripts,
                ListId::Jobs,
                ListId::Devices,
                ListId::Targets,
                ListId::Groups,
                ListId::Members,
                ListId::Found,
                ListId::Changes,
            ] {
                let shown = shown(list, &Look::default(), width);
                let widths = widths(list, &shown, width, None);
                assert!(widths.iter().filter(|width| **width == 0).count() <= 1);
                assert!(
                    shown.len() == 1 || widths.iter().map(|width| width + 1).sum::<u16>() <= width,
                    "{list:?} {width}"
                );
            }
        }
    }
}
