//! One list to choose from: a theme, a keymap, the column a list is sorted by, the columns it shows, the value of a
//! field. What is typed filters it, in the language of every list. Moving puts the theme under the cursor on the whole
//! screen at once; esc puts the old one back, enter keeps the new one. Owns the rows and what was on before.

use crossterm::event::KeyEvent;

use super::commands::Do;
use super::form::Text;
use super::layers::Next;
use super::list::{Cursor, ListId, Sort};
use super::looks::Looks;
use super::{App, Effect, columns, layout, tree};
use crate::console::keymap::Keymap;
use crate::console::theme::{Depth, Ground, Theme};
use crate::model::filter::{self, Column, Filter, Kind, Rows, Wrong};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Theme,
    Keymap,
    /// By which column a list is sorted.
    Sort(ListId),
    /// Which columns it shows.
    Columns(ListId),
    /// The value of a field of the launch dialog.
    Field,
    /// What an output is compared with.
    Beside,
}

impl What {
    pub const fn word(self) -> &'static str {
        match self {
            What::Theme => "Theme",
            What::Keymap => "Keymap",
            What::Sort(_) => "Sort",
            What::Columns(_) => "Columns",
            What::Field => "Choose",
            What::Beside => "Compare with",
        }
    }

    /// Of a list that is seen below.
    pub const fn of_list(self) -> bool {
        matches!(self, What::Sort(_) | What::Columns(_))
    }
}

#[derive(Debug)]
pub struct Chooser {
    pub what: What,
    pub title: String,
    /// Letters are the filter's; else they are commands, until one asks for the filter.
    pub typing: bool,
    pub filter: Text,
    /// The last filter that was understood, and what is wrong with the one that is written.
    pub sift: Filter,
    pub wrong: Option<Wrong>,
    pub all: Vec<Row>,
    /// Rows of `all` that the filter leaves.
    pub shown: Vec<usize>,
    pub cursor: Cursor,
    /// What was on before, and is again when nothing is chosen.
    before: String,
}

/// One to choose.
#[derive(Debug, Default)]
pub struct Row {
    pub name: String,
    /// Where it comes from, or what it is.
    pub source: String,
    /// It is the one in force, or shown.
    pub on: bool,
    /// `None`: as the terminal.
    pub ground: Option<Ground>,
    /// Of running text on its ground.
    pub contrast: Option<f32>,
    /// To show its colours; with all of them, whatever the terminal has.
    pub sample: Option<Theme>,
}

impl Row {
    fn named(name: impl Into<String>, on: bool) -> Self {
        Self { name: name.into(), on, ..Self::default() }
    }

    /// What stands for the ground.
    pub fn ground(&self) -> &'static str {
        self.ground.map_or("terminal", Ground::word)
    }
}

/// The rows as the filter sees them.
struct Picks<'a>(&'a [Row]);

static PICKS: [Column; 4] = [
    Column::new("name", Kind::Text),
    Column::new("about", Kind::Text),
    Column::new("ground", Kind::Text),
    Column::new("contrast", Kind::Number),
];

impl Rows for Picks<'_> {
    fn columns(&self) -> &[Column] {
        &PICKS
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let row = &self.0[row];
        match column {
            0 => &row.name,
            1 => &row.source,
            2 if row.sample.is_some() => row.ground(),
            2 => "",
            _ => {
                *room = row.contrast.map(|contrast| format!("{contrast:.1}")).unwrap_or_default();
                room
            }
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        if column == 3 { self.0[row].contrast.map(f64::from) } else { None }
    }
}

impl Chooser {
    pub fn themes(looks: &Looks) -> Self {
        let rows = looks.shelf.names().into_iter().map(|name| {
            let (theme, _) = looks.shelf.theme(name, Depth::True, false);
            let source = looks.shelf.file(name).unwrap_or("comes with the program").to_owned();
            let (ground, contrast) = (theme.ground(), theme.contrast());
            Row { name: name.to_owned(), source, on: false, ground, contrast, sample: Some(theme) }
        });
        Self::new(What::Theme, rows.collect(), &looks.worn)
    }

    pub fn keymaps(looks: &Looks) -> Self {
        let about = |name: &str| match name {
            "vi" => "hjkl, less and readline; the default",
            "arrows" => "arrows, home, end and named keys alone",
            "emacs" => "^n ^p ^v, ^x ^c, alt-x",
            _ => "",
        };
        let (asked, now) = (looks.asked_keys(), looks.keys_in_force());
        let place = |name: &str| match (name == now, name == asked) {
            (true, true) => "; in use",
            (true, false) => "; in use, chosen in the console",
            (false, true) => "; what settings and keymap.toml ask for",
            (false, false) => "",
        };
        let rows = Keymap::presets()
            .map(|name| Row { source: format!("{}{}", about(name), place(name)), ..Row::named(name, false) });
        Self::new(What::Keymap, rows.collect(), &now)
    }

    /// The choices of a field.
    pub fn field(label: &str, of: &[String], at: Option<usize>) -> Self {
        let rows = of.iter().enumerate().map(|(n, choice)| Row::named(choice, Some(n) == at));
        let mut chooser = Self::new(What::Field, rows.collect(), "");
        chooser.title = label.to_owned();
        chooser.cursor.at = at.unwrap_or(0);
        chooser
    }

    /// What an output can be compared with.
    pub(super) fn beside(rows: impl Iterator<Item = Row>) -> Self {
        Self::new(What::Beside, rows.collect(), "")
    }

    fn new(what: What, all: Vec<Row>, now: &str) -> Self {
        let at = all.iter().position(|row| row.name == now || (row.on && !matches!(what, What::Columns(_))));
        let shown = (0..all.len()).collect();
        Self {
            what,
            title: String::new(),
            typing: !what.of_list(),
            filter: Text::default(),
            sift: Filter::default(),
            wrong: None,
            all,
            shown,
            cursor: Cursor { at: at.unwrap_or(0), ..Cursor::default() },
            before: now.to_owned(),
        }
    }

    /// Which of `all` the cursor is on.
    pub fn chosen_at(&self) -> Option<usize> {
        self.shown.get(self.cursor.at).copied()
    }

    pub fn chosen(&self) -> Option<&Row> {
        self.all.get(self.chosen_at()?)
    }

    /// `true`: the key was text for the filter.
    pub(super) fn key(&mut self, key: &KeyEvent) -> bool {
        let used = self.typing && self.filter.key(key);
        if used {
            self.find();
        }
        used
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.typing = true;
        self.filter.paste(text);
        self.find();
    }

    /// Rows for what has been typed; the cursor stays on its row where that is still there.
    fn find(&mut self) {
        let on = self.chosen_at();
        match filter::parse(self.filter.text(), &PICKS) {
            Ok(sift) => (self.sift, self.wrong) = (sift, None),
            Err(wrong) => self.wrong = Some(wrong),
        }
        self.shown = filter::passing(&self.sift, &Picks(&self.all)).into_iter().map(|row| row as usize).collect();
        self.cursor.at = self.shown.iter().position(|at| Some(*at) == on).unwrap_or(0);
    }

    /// Out of the filter, where one is on in a list of commands. `true`: there was one.
    fn leave_filter(&mut self) -> bool {
        let on = self.what.of_list() && (self.typing || !self.filter.is_empty());
        if on {
            (self.typing, self.filter) = (false, Text::default());
            self.find();
        }
        on
    }

    pub(super) fn go(&mut self, verb: Do, page: usize) {
        let verb = match verb {
            Do::NextField => Do::Down,
            Do::PreviousField => Do::Up,
            verb => verb,
        };
        self.cursor.go(verb, self.shown.len(), page);
    }
}

impl App {
    /// By which column a list is sorted.
    pub(super) fn sorts(&self, list: ListId) -> Option<Chooser> {
        let sort = self.look(list)?.sort;
        let rows = self.sort_columns(list).into_iter().enumerate().map(|(at, name)| {
            let on = at == sort.column;
            Row { source: if on && sort.reverse { "reversed".into() } else { String::new() }, ..Row::named(name, on) }
        });
        Some(Chooser::new(What::Sort(list), rows.collect(), ""))
    }

    /// Which columns it shows.
    pub(super) fn column_choice(&self, list: ListId) -> Option<Chooser> {
        let look = self.look(list)?;
        let all = columns::columns(list);
        let shown: Vec<&str> = columns::shown(list, look, self.area.width).iter().map(|col| col.name).collect();
        let others = all.iter().map(|col| col.name).filter(|name| !shown.contains(name));
        let rows = shown.iter().map(|name| Row::named(*name, true));
        Some(Chooser::new(What::Columns(list), rows.chain(others.map(|name| Row::named(name, false))).collect(), ""))
    }

    /// What a list can be sorted by.
    pub(super) fn sort_columns(&self, list: ListId) -> Vec<String> {
        match list {
            ListId::Targets => tree::COLUMNS.map(str::to_owned).into(),
            list => self.columns_of(list).iter().map(|column| column.name.to_string()).collect(),
        }
    }

    /// What the border says of the order.
    pub fn sorted_by(&self, list: ListId) -> String {
        let Some(look) = self.look(list) else { return String::new() };
        let name = self.sort_columns(list).get(look.sort.column).cloned().unwrap_or_default();
        if look.sort.reverse { format!("{name} reversed") } else { name }
    }

    /// The theme under the cursor, on the whole screen.
    pub(super) fn preview(&mut self, chooser: &Chooser) {
        if let (What::Theme, Some(row)) = (chooser.what, chooser.chosen()) {
            // Its faults are said when it is chosen, not while somebody looks through the list.
            let name = row.name.clone();
            self.wear(&name);
        }
    }

    pub(super) fn in_chooser(&mut self, chooser: &mut Chooser, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack if chooser.leave_filter() => return Next::Stay,
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::Filter => {
                chooser.typing = true;
                chooser.filter.choose();
                return Next::Stay;
            }
            Do::Accept | Do::Open if chooser.wrong.is_some() => return Next::Stay,
            _ => {}
        }
        match chooser.what {
            What::Sort(list) => return self.in_sorts(chooser, list, verb),
            What::Columns(list) => return self.in_columns(chooser, list, verb),
            What::Theme | What::Keymap | What::Field | What::Beside => {}
        }
        if chooser.what == What::Beside && matches!(verb, Do::Accept | Do::Open) {
            self.choose_base(chooser.chosen_at());
            return Next::Close;
        }
        if matches!(verb, Do::Accept | Do::Open) {
            let Some(name) = chooser.chosen().map(|row| row.name.clone()) else { return Next::Stay };
            if chooser.what == What::Theme {
                self.choose_theme(&name, effects);
                chooser.before = name;
            } else {
                self.choose_keymap(&name, effects);
            }
            return Next::Close;
        }
        chooser.go(verb, self.chooser_page(chooser));
        self.preview(chooser);
        Next::Stay
    }

    fn chooser_page(&self, chooser: &Chooser) -> usize {
        usize::from(layout::chooser_rows(self.area, chooser).height).max(1)
    }

    fn in_sorts(&mut self, chooser: &mut Chooser, list: ListId, verb: Do) -> Next {
        let now = self.look(list).map(|look| look.sort).unwrap_or_default();
        match verb {
            Do::Accept | Do::Open | Do::Toggle => {
                let Some(column) = chooser.chosen_at() else { return Next::Stay };
                // The one that is in force already: the other way round.
                self.sort_list(list, Sort { column, reverse: now.column == column && !now.reverse });
                Next::Close
            }
            Do::SortReverse => {
                self.sort_list(list, Sort { reverse: !now.reverse, ..now });
                if let Some(row) = chooser.all.get_mut(now.column) {
                    row.source = if now.reverse { String::new() } else { "reversed".into() };
                }
                Next::Stay
            }
            verb => {
                chooser.go(verb, self.chooser_page(chooser));
                Next::Stay
            }
        }
    }

    fn in_columns(&mut self, chooser: &mut Chooser, list: ListId, verb: Do) -> Next {
        let Some(at) = chooser.chosen_at() else { return Next::Stay };
        let whole = chooser.shown.len() == chooser.all.len();
        let to = match verb {
            Do::Collapse => at.checked_sub(1),
            Do::Expand => Some(at + 1).filter(|to| *to < chooser.all.len()),
            _ => None,
        };
        match verb {
            Do::Accept | Do::Open if chooser.typing => chooser.typing = false,
            Do::Accept | Do::Open => return Next::Close,
            Do::Toggle | Do::Mark => {
                // What a row is cannot be hidden.
                if chooser.all[at].name == columns::columns(list)[0].name {
                    self.hint = Some("this column says what a row is: it stays".into());
                } else {
                    chooser.all[at].on = !chooser.all[at].on;
                    self.set_columns(chooser, list);
                }
            }
            Do::Collapse | Do::Expand if !whole => {
                self.hint = Some("columns are moved where all of them are shown: esc clears the filter".into());
            }
            Do::Collapse | Do::Expand => {
                if let Some(to) = to {
                    chooser.all.swap(at, to);
                    chooser.cursor.at = to;
                    self.set_columns(chooser, list);
                }
            }
            Do::UnmarkAll => {
                if let Some(look) = self.look_mut(list) {
                    look.columns.clear();
                }
                if let Some(fresh) = self.column_choice(list) {
                    *chooser = fresh;
                }
            }
            verb => chooser.go(verb, self.chooser_page(chooser)),
        }
        Next::Stay
    }

    fn set_columns(&mut self, chooser: &Chooser, list: ListId) {
        let shown = chooser.all.iter().filter(|row| row.on).map(|row| row.name.clone()).collect();
        if let Some(look) = self.look_mut(list) {
            look.columns = shown;
        }
    }

    /// However it was closed: what was on before is on again, unless something was chosen.
    pub(super) fn chooser_closed(&mut self, chooser: &Chooser) {
        if chooser.what == What::Theme && self.looks.worn != chooser.before {
            self.wear(&chooser.before);
        }
    }
}
