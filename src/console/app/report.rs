//! A problem reported: what the program, its engine and its terminal are, and what was said and done lately, as a file
//! that can be read before it is given to anybody. Sends nothing, and holds no output, no parameter and no setting.

use super::App;
use super::event::{Effect, Feed};
use crate::console::text;

/// Of the notices, the newest.
const NOTICES: usize = 100;

impl App {
    pub(super) fn report(&mut self, effects: &mut Vec<Effect>) {
        let folder = self.place.log.rsplit_once('/').map_or("~", |(folder, _)| folder);
        let path = format!("{folder}/report-{}.txt", self.now.strftime("%Y%m%d-%H%M%S"));
        self.hint = Some(format!("the report is written to {path}: read it before you give it on"));
        effects.push(Effect::Save { path, feed: Feed::Text(self.said_of_itself()) });
    }

    fn said_of_itself(&self) -> String {
        let mut page = String::from("# Quarterdeck: a problem\n\nWhat I did, what I saw, what I had expected:\n\n\n");
        let engine = self.hello.as_ref().map_or_else(
            || format!("none: {:?}", self.link),
            |hello| format!("{} (pid {})", text::plain(&hello.version), hello.pid),
        );
        let count = |n: usize, word: &str| text::number(n as u64, word);
        let holds = [
            count(self.tree.total.devices, "device"),
            count(self.scripts.len(), "script"),
            count(self.jobs.len(), "job"),
        ];
        for (what, said) in [
            ("console", env!("CARGO_PKG_VERSION").to_owned()),
            ("engine", engine),
            ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
            ("terminal", format!("{}, {}x{}", self.place.terminal, self.area.width, self.area.height)),
            ("theme", self.theme.name.clone()),
            ("keymap", self.looks.keys_said()),
            ("place", self.path().join(" > ")),
            ("holds", holds.join(", ")),
            ("config", self.place.config.clone()),
            ("log", self.place.log.clone()),
            ("written", self.now.to_string()),
        ] {
            page.push_str(&format!("{what:<9} {}\n", text::plain(&said)));
        }
        page.push_str("\n## What was said last\n\n");
        let all = &self.notices.all;
        for notice in all.iter().skip(all.len().saturating_sub(NOTICES)) {
            page.push_str(&self.log_line(notice));
            page.push('\n');
        }
        page.push_str("\nWhat the terminal can do, and what is configured: quarterdeck doctor\n");
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::notices::Level;
    use crate::console::app::sample::Session;

    #[test]
    fn a_report_is_a_file_of_words_that_can_be_read_first() {
        let mut session = Session::new((80, 24), true);
        session.app.say(Level::Error, "the engine \u{1b}[31mwas lost");
        session.app.place.log = "~/.local/state/quarterdeck/engine.log".into();
        let mut effects = Vec::new();
        session.app.report(&mut effects);
        let [Effect::Save { path, feed: Feed::Text(text) }] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(path.starts_with("~/.local/state/quarterdeck/report-2"), "{path}");
        for said in ["console ", "80x24", "theme ", "the engine", "What I did"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
