//! The small menus of a list: by which column it is sorted, which columns it shows. What is chosen is in force at once.

use super::commands::Do;
use super::layers::Next;
use super::list::{Cursor, ListId, Sort};
use super::{App, columns, tree};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Sort,
    Columns,
}

#[derive(Debug)]
pub struct Choose {
    pub list: ListId,
    pub what: Choice,
    /// Name, and whether it is the one (or shown).
    pub items: Vec<(String, bool)>,
    pub reverse: bool,
    pub cursor: Cursor,
}

impl App {
    pub(super) fn choice_of(&self, list: ListId, what: Choice) -> Option<Choose> {
        let look = self.look(list)?;
        let items: Vec<(String, bool)> = match what {
            Choice::Sort => {
                let names = self.sort_columns(list);
                names.into_iter().enumerate().map(|(at, name)| (name, at == look.sort.column)).collect()
            }
            Choice::Columns => {
                let all = columns::columns(list);
                let width = self.area.width;
                let shown: Vec<&str> = columns::shown(list, look, width).iter().map(|col| col.name).collect();
                let others = all.iter().map(|col| col.name).filter(|name| !shown.contains(name));
                let named = shown.iter().map(|name| ((*name).to_owned(), true));
                named.chain(others.map(|name| (name.to_owned(), false))).collect()
            }
        };
        let at = items.iter().position(|(_, on)| *on && what == Choice::Sort).unwrap_or(0);
        Some(Choose { list, what, items, reverse: look.sort.reverse, cursor: Cursor { at, ..Cursor::default() } })
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

    pub(super) fn in_choose(&mut self, choose: &mut Choose, verb: Do) -> Next {
        let len = choose.items.len();
        let at = choose.cursor.at;
        match (verb, choose.what) {
            (Do::Cancel | Do::Back | Do::QuitOrBack, _) | (Do::Accept | Do::Open, Choice::Columns) => {
                return Next::Close;
            }
            (Do::Accept | Do::Open | Do::Toggle, Choice::Sort) => {
                if let Some(look) = self.look_mut(choose.list) {
                    // The one that is in force already: the other way round.
                    let reverse = look.sort.column == at && !look.sort.reverse;
                    look.sort = Sort { column: at, reverse };
                }
                self.relist(choose.list);
                return Next::Close;
            }
            (Do::SortReverse, Choice::Sort) => {
                if let Some(look) = self.look_mut(choose.list) {
                    look.sort.reverse = !look.sort.reverse;
                    choose.reverse = look.sort.reverse;
                }
                self.relist(choose.list);
            }
            (Do::Toggle | Do::Mark, Choice::Columns) => {
                // What a row is cannot be hidden.
                if choose.items[at].0 == columns::columns(choose.list)[0].name {
                    self.hint = Some("this column says what a row is: it stays".into());
                } else {
                    choose.items[at].1 = !choose.items[at].1;
                    self.set_columns(choose);
                }
            }
            (Do::Collapse, Choice::Columns) if at > 0 => {
                choose.items.swap(at, at - 1);
                choose.cursor.at = at - 1;
                self.set_columns(choose);
            }
            (Do::Expand, Choice::Columns) if at + 1 < len => {
                choose.items.swap(at, at + 1);
                choose.cursor.at = at + 1;
                self.set_columns(choose);
            }
            (Do::UnmarkAll, Choice::Columns) => {
                if let Some(look) = self.look_mut(choose.list) {
                    look.columns.clear();
                }
                if let Some(fresh) = self.choice_of(choose.list, Choice::Columns) {
                    *choose = fresh;
                }
            }
            (Do::NextField, _) => drop(choose.cursor.go(Do::Down, len, len)),
            (Do::PreviousField, _) => drop(choose.cursor.go(Do::Up, len, len)),
            (verb, _) => drop(choose.cursor.go(verb, len, len)),
        }
        Next::Stay
    }

    fn set_columns(&mut self, choose: &Choose) {
        let shown = choose.items.iter().filter(|(_, on)| *on).map(|(name, _)| name.clone()).collect();
        if let Some(look) = self.look_mut(choose.list) {
            look.columns = shown;
        }
    }
}
