//! Launch dialogs that were begun and left: what was typed comes back, disarmed, where the same is begun again. Owns the
//! few that are kept and what makes two beginnings the same; the form itself is the dialog's. Secrets stay in the form,
//! and go with the console.

use super::launch::{At, Launch, Slot};
use super::{App, Layer};
use crate::console::text;
use crate::model::job::JobId;

/// Dialogs kept; the one that was left longest ago goes first.
const KEPT: usize = 8;

/// Cells of a target where it is said which one it is.
const AIMED: usize = 28;

/// How a launch dialog was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    pub script: Option<String>,
    /// May be empty: it is to be written.
    pub target: String,
    /// The job that is to be run again, or of which some devices are.
    pub of: Option<JobId>,
}

impl Begun {
    /// Is that what was left? From a list the script alone says it, and the target where there is one.
    fn is(&self, left: &Launch) -> bool {
        let now = || (left.script() == self.script).then(|| left.target());
        *self == left.begun
            || (self.of.is_none()
                && left.begun.of.is_none()
                && now().is_some_and(|target| self.target.is_empty() || target == self.target))
    }
}

impl App {
    /// Kept for when the same is begun again: esc may be half of an arrow key.
    pub(super) fn leave_launch(&mut self, launch: Launch) {
        self.left.retain(|left| left.begun != launch.begun);
        self.left.push(launch);
        if self.left.len() > KEPT {
            self.left.remove(0);
        }
    }

    /// It was sent: it does not come back.
    pub(super) fn launch_sent(&mut self, begun: &Begun) {
        self.left.retain(|left| left.begun != *begun);
    }

    /// As it was left, else as `fresh` makes it. Says which, for the first key goes to another place.
    pub(super) fn begin_launch(&mut self, begun: Begun, fresh: impl FnOnce(&Self) -> Launch) {
        let left = self.left.iter().rposition(|left| begun.is(left)).map(|at| self.left.remove(at));
        let back = left.is_some();
        let launch = match left {
            Some(mut launch) => {
                launch.back();
                launch
            }
            None => {
                let mut launch = fresh(self);
                launch.begun = begun;
                launch
            }
        };
        self.hint = Some(self.opens_with(&launch, back));
        self.layers.push(Layer::Launch(Box::new(launch)));
    }

    /// Where the first key goes, in words: it may be typed before the form is read.
    fn opens_with(&self, launch: &Launch, back: bool) -> String {
        let next = match launch.at {
            At::Field(at) => match launch.fields.get(at).map(|field| (&field.slot, field.label.as_str())) {
                Some((Slot::Target, _)) | None => "write a target expression: which devices".to_owned(),
                Some((Slot::Script, _)) => "choose a script".to_owned(),
                Some((_, label)) => format!("fill in {}", text::plain(label)),
            },
            _ => {
                let target = text::clip(&text::plain(&launch.target()), AIMED);
                let marked = if launch.target() == self.tree.marked() { ", what is marked" } else { "" };
                format!("aimed at {target}{marked}: {} changes it", self.key_in("launch", "block-b"))
            }
        };
        if back { format!("as you left it, disarmed; {next}") } else { next }
    }

    /// The dialog, from a list.
    pub(super) fn launch_dialog(&mut self, script: Option<String>, target: &str) {
        let begun = Begun { script, target: target.to_owned(), of: None };
        let (script, target) = (begun.script.clone(), begun.target.clone());
        self.begin_launch(begun, |app| Launch::new(&app.scripts, script.as_deref(), &target));
    }
}

#[cfg(test)]
mod tests {
    use crate::console::app::sample::{Session, job};
    use crate::model::state::RunState;

    /// With a job that has ended, and left one device bad.
    fn session() -> Session {
        let mut session = Session::starting((80, 24), true);
        session.jobs[0] = job(12, &[RunState::Failed, RunState::Ok]);
        session.attach();
        session
    }

    fn said(session: &Session) -> (String, String) {
        let launch = session.app.launch().expect("the launch dialog");
        let timeout = launch.fields.iter().find(|field| field.label == "timeout").and_then(|field| field.input.value());
        (launch.target(), timeout.unwrap_or_default())
    }

    #[test]
    fn what_was_typed_into_a_retry_comes_back_with_that_retry_and_no_other() {
        let mut session = session();
        session.keys("3Rf<A-b> & !web9<esc>");
        session.keys("Rk");
        assert_eq!(said(&session).0, "@ok:12");
        session.keys("<esc>Rf");
        assert_eq!(said(&session), ("@failed:12 & !web9".into(), "10m".into()));
        assert!(session.app.hint.as_deref().unwrap().contains("as you left it, disarmed"));
        session.keys("<esc>1r");
        assert_eq!(said(&session).0, "", "a run of the script from its list is another thing");
    }

    #[test]
    fn running_a_job_again_on_a_device_comes_back_too() {
        let mut session = session();
        session.keys("3<enter>r<A-b> | local<esc>r");
        assert_eq!(said(&session).0, "lab:web001 | local");
    }

    #[test]
    fn the_dialog_says_where_the_first_key_goes() {
        let mut session = session();
        session.keys("1r");
        assert_eq!(session.app.hint.as_deref(), Some("write a target expression: which devices"));
        session.keys("<esc>2j<space>1r");
        assert_eq!(session.app.hint.as_deref(), Some("aimed at local, what is marked: alt-b changes it"));
    }
}
