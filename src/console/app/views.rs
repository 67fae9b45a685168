//! Where the operator is and was: the levels that esc and q walk back, the last view for `-`, and the words of the
//! breadcrumb. Views are entered anywhere; this room only watches them change, so that nobody can forget to write one
//! down.

use super::prompt::Purpose;
use super::{App, Layer, View};
use crate::console::text;
use crate::model::job::JobId;

/// Levels remembered; the outermost are forgotten first.
const LEVELS: usize = 20;

/// A view, and what it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    pub view: View,
    pub job: Option<JobId>,
}

/// The way here.
#[derive(Debug, Default)]
pub struct Trail {
    /// From which view each was entered, outermost first; the overview is the ground.
    levels: Vec<Spot>,
    /// The view before this one, wherever it lies.
    pub last: Option<Spot>,
    /// The next view was entered to read something closer: back from it is here, though the way here led through it.
    pub deeper: bool,
}

impl Trail {
    /// The way here leads through it.
    pub fn passed(&self, view: View) -> bool {
        self.levels.iter().any(|spot| spot.view == view)
    }
}

impl App {
    pub(super) fn spot(&self) -> Spot {
        let job = match self.view {
            View::Live | View::Groups => self.live.as_ref().map(|live| live.id),
            View::Overview | View::Editor | View::Past | View::Changes => None,
        };
        Spot { view: self.view, job }
    }

    /// Called after every event with where the operator was before it.
    pub(super) fn walked(&mut self, before: Spot) {
        let here = self.spot();
        let deeper = std::mem::take(&mut self.trail.deeper);
        if here == before {
            return;
        }
        self.trail.last = Some(before);
        if let Some(editor) = &mut self.editing.open {
            editor.buffer.pause();
        }
        if here.view == View::default() {
            self.trail.levels.clear();
        } else if deeper {
            self.trail.levels.push(before);
        } else if let Some(level) = self.trail.levels.iter().position(|spot| *spot == here) {
            self.trail.levels.truncate(level);
        } else if before.view != View::Editor || here.view == View::Live {
            // Out of a search nobody goes back into a text by q: the next q would be written into it. `-` leads there.
            // Who ran the script from its editor comes back to it.
            self.trail.levels.push(before);
            if self.trail.levels.len() > LEVELS {
                self.trail.levels.remove(0);
            }
        }
    }

    /// `-`: to the view before this one; pressed again, back to this.
    pub(super) fn last_view(&mut self) {
        match self.trail.last {
            Some(spot) => self.visit(spot),
            None => self.hint = Some("there was no other view yet".into()),
        }
    }

    /// One level back: to the view from which this one was entered.
    pub(super) fn leave_view(&mut self) {
        let above = self.trail.levels.last().copied();
        self.visit(above.unwrap_or_default());
        if self.view == View::Editor
            && let Some(editor) = &self.editing.open
        {
            self.hint = Some(format!("back in {}: letters are text here", text::plain(&editor.name)));
            self.editing.returned = true;
        }
    }

    fn visit(&mut self, spot: Spot) {
        match (spot.view, spot.job) {
            (View::Live, Some(id)) => self.watch(id),
            (View::Groups, Some(id)) => self.visit_groups(id),
            (View::Live | View::Groups, None) => self.view = View::Overview,
            (View::Editor, _) if self.editing.open.is_none() => self.view = View::Overview,
            (View::Past, _) if self.past.is_none() => self.view = View::Overview,
            (View::Changes, _) if self.changes.is_none() => self.view = View::Overview,
            (view, _) => self.view = view,
        }
    }

    /// The breadcrumb, outermost first.
    pub fn path(&self) -> Vec<String> {
        let ground = if self.place.fleet.is_empty() { "quarterdeck".into() } else { text::plain(&self.place.fleet) };
        let mut path: Vec<String> = vec![ground];
        match self.view {
            View::Overview => {
                path.push("Overview".into());
                if self.overview.full {
                    path.push(self.pane_title().into());
                }
            }
            View::Editor => {
                path.push("Scripts".into());
                path.extend(self.editing.open.as_ref().map(|editor| editor.crumb()));
            }
            View::Past => {
                let of = self.past.as_ref().and_then(|seek| seek.where_used.as_ref());
                path.push(if of.is_some() { "Where used" } else { "Search" }.into());
                path.extend(of.map(|of| text::plain(of)));
            }
            View::Changes => path.extend(["Jobs".into(), "Compare".into()]),
            View::Live | View::Groups => {
                path.push("Jobs".into());
                let job = self.held.as_ref().and_then(|held| held.job.as_ref());
                let script = job.map(|job| text::plain(&job.summary.script)).unwrap_or_default();
                // (its version only by number: a hash is no name)
                let version = job.map(|job| self.version_word(&job.summary.script, &job.summary.version));
                let version = version.filter(|word| word.starts_with('v')).unwrap_or_default();
                let id = self.live.as_ref().map_or(0, |live| live.id);
                path.push(format!("{id} {script} {version}").trim_end().to_owned());
                if self.view == View::Groups {
                    path.push("Groups".into());
                } else if let Some(live) = self.live.as_ref().filter(|live| live.zoom) {
                    path.push(format!("{:?}", live.focus));
                }
            }
        }
        for layer in &self.layers {
            match layer {
                Layer::Launch(launch) => {
                    if self.view == View::Overview {
                        path.truncate(1); // The dialog is a place of its own.
                    }
                    // (from its editor or one of its jobs the name stands there already)
                    let named =
                        |name: &String| path.last().is_some_and(|last| last.split(' ').any(|word| word == name));
                    let script = launch.script().map(|name| text::plain(&name)).filter(|name| !named(name));
                    path.extend(script);
                    path.push("Run".into());
                }
                Layer::Help(_) => path.push("Help".into()),
                Layer::Log(_) => path.push("Log".into()),
                Layer::Stop(_) => path.push("Stop".into()),
                Layer::Copy(_) => path.push("Copy".into()),
                Layer::Prompt(prompt) if prompt.purpose == Purpose::Target => path.push("Expression".into()),
                Layer::Prompt(_) => {}
                Layer::Chooser(chooser) => path.push(chooser.what.word().into()),
                Layer::Menu(_) => path.push("Actions".into()),
                Layer::Pages(pages) => path.push(if pages.reads { "Output" } else { "Pipe" }.into()),
                Layer::Palette(_) => path.push("Palette".into()),
                Layer::Template(_) => path.push("Template".into()),
                Layer::Export(_) => path.push("Export".into()),
                Layer::Regroup(_) => path.push("Regroup".into()),
                Layer::Window(window) => path.push(window.label.clone()),
                Layer::Hold(ask) => path.push(ask.word.clone()),
                Layer::Write(_) => path.push("Write".into()),
                Layer::Editor(ask) => path.push(ask.title.clone()),
                Layer::Diff(_) => path.push("Diff".into()),
                Layer::Files(files) => path.push(files.title().into()),
            }
        }
        path
    }

    fn pane_title(&self) -> &'static str {
        use super::Pane;
        match self.overview.focus {
            Pane::Scripts => "Scripts",
            Pane::Targets => "Targets",
            Pane::Jobs => "Jobs",
            Pane::Preview => "Preview",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::View;
    use crate::console::app::sample::Session;

    #[test]
    fn the_breadcrumb_names_a_script_once() {
        for (keys, path) in
            [("r", "quarterdeck > disk-use.sh > Run"), ("3<enter>r", "quarterdeck > Jobs > 12 disk-use.sh v17 > Run")]
        {
            let mut session = Session::new((140, 40), true);
            session.keys(keys);
            assert_eq!(session.app.path().join(" > "), path);
        }
    }

    #[test]
    fn back_from_a_member_s_output_are_its_groups_whatever_the_way_in() {
        for way in ["3u", "3<enter>u"] {
            let mut session = Session::new((140, 40), true);
            session.keys(way);
            session.keys("2<enter>");
            assert_eq!(session.app.view, View::Live, "{way}");
            session.keys("q");
            assert_eq!(session.app.view, View::Groups, "{way}");
        }
    }
}
