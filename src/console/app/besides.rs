//! Signs behind a script's name that no library knows: favourites, which are the operator's own and are kept with the
//! console's looks, and what lint found, as far as it was asked. Refuses to touch a script.

use super::App;
use super::list::ListId;
use crate::console::text;
use crate::model::script::{Finding, Level};

impl App {
    /// The script under the cursor, or the marked ones: favourites, and where all are already, no longer.
    pub(super) fn turn_favourites(&mut self) {
        let names: Vec<String> = self.chosen_scripts().iter().map(|script| script.name.clone()).collect();
        let favourites = &mut self.besides.favourites;
        let all = names.iter().all(|name| favourites.contains(name));
        for name in &names {
            if all {
                favourites.remove(name);
            } else {
                favourites.insert(name.clone());
            }
        }
        let what = match names.as_slice() {
            [] => return,
            [name] => text::plain(name),
            names => text::number(names.len() as u64, "script"),
        };
        self.hint = Some(match all {
            true => format!("{what}: no favourite any more"),
            false => {
                let key = self.key_of("list", "sort");
                format!("{what}: favourite (*); {key} sorts by it, / favourite:yes shows them")
            }
        });
        self.relist(ListId::Scripts);
        self.kept_changes();
    }

    /// What lint says of a script's text.
    pub(super) fn lint_told(&mut self, name: &str, version: &str, findings: &[Finding]) {
        let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
        match u32::try_from(errors).unwrap_or(u32::MAX) {
            0 => drop(self.besides.errors.remove(name)),
            errors => drop(self.besides.errors.insert(name.to_owned(), (version.to_owned(), errors))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::sample::Session;

    fn shown(session: &Session) -> Vec<&str> {
        session.app.overview.script_order.iter().map(|at| session.app.scripts[*at].name.as_str()).collect()
    }

    #[test]
    fn a_favourite_is_signed_sorted_by_asked_for_and_taken_back() {
        let mut session = Session::new((140, 40), true);
        let last = shown(&session).last().copied().unwrap().to_owned();
        session.keys("G+");
        assert!(session.screen().contains("* favourite"), "{}", session.screen());
        let column = session.app.sort_columns(super::ListId::Scripts).iter().position(|name| name == "favourite");
        session.app.overview.script_look.sort.column = column.unwrap();
        session.app.relist(super::ListId::Scripts);
        assert_eq!(shown(&session)[0], last);
        session.keys("/favourite:yes<enter>");
        assert_eq!(shown(&session), [last.as_str()]);
        session.keys("+");
        assert!(session.app.besides.favourites.is_empty());
    }

    #[test]
    fn several_become_favourites_before_any_is_none_again() {
        let mut session = Session::new((140, 40), true);
        session.keys("+<space><space>+");
        assert_eq!(session.app.besides.favourites.len(), 2);
        session.keys("+");
        assert_eq!(session.app.besides.favourites.len(), 0);
    }
}
