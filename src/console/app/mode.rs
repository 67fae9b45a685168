//! Read or write. In [READ] every command that changes the fleet is refused, with the way out; a fleet with a
//! protected connection starts there, and asks before it is left. Owns the mode and its question; what the engine
//! itself refuses stays refused.

use super::commands::Do;
use super::{App, Layer};
use crate::console::app::notices::Level;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Read,
    Write,
}

/// The question before a protected fleet is written to. Cancel is focused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskWrite {
    pub on_yes: bool,
}

impl App {
    pub fn protected(&self) -> bool {
        self.tree.targets.connections.iter().any(|connection| connection.protected)
    }

    /// Every connection is configured as read only.
    fn locked(&self) -> bool {
        let connections = &self.tree.targets.connections;
        !connections.is_empty() && connections.iter().all(|connection| connection.read_only)
    }

    /// The mode that holds: the settings before the operator, the operator before the default.
    pub fn reads_only(&self) -> bool {
        self.locked() || self.mode.map_or(self.protected(), |mode| mode == Mode::Read)
    }

    /// Why something is refused in [READ].
    pub(super) fn why_read(&self) -> String {
        if self.locked() {
            return "[READ]: every connection is read_only in config.toml".into();
        }
        match self.key_to("mode") {
            Some(key) => format!("[READ]: nothing is changed from here; {key} goes over to write"),
            None => "[READ]: nothing is changed from here; :mode goes over to write".into(),
        }
    }

    pub(super) fn mode_is_fixed(&self) -> Option<String> {
        self.locked().then(|| self.why_read())
    }

    pub(super) fn turn_mode(&mut self) {
        if let Some(why) = self.mode_is_fixed() {
            self.hint = Some(why);
        } else if !self.reads_only() {
            self.set_mode(Mode::Read);
        } else if self.protected() {
            self.layers.push(Layer::Write(AskWrite::default()));
        } else {
            self.set_mode(Mode::Write);
        }
    }

    fn set_mode(&mut self, mode: Mode) {
        self.mode = Some(mode);
        let text = match mode {
            Mode::Read => "read mode: what changes the fleet is refused until you leave it",
            Mode::Write => "write mode: scripts can be run and jobs stopped; every one still asks",
        };
        self.hint = Some(text.into());
    }

    /// `true`: the question stays open.
    pub(super) fn in_ask_write(&mut self, ask: &mut AskWrite, verb: Do) -> bool {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack | Do::Mode => return false,
            Do::NextField | Do::PreviousField | Do::Down | Do::Up | Do::Collapse | Do::Expand => {
                ask.on_yes = !ask.on_yes;
            }
            Do::Accept | Do::Open => {
                if ask.on_yes {
                    self.set_mode(Mode::Write);
                    self.say(Level::Info, "write mode on a protected fleet");
                    self.notices.dismiss();
                }
                return false;
            }
            _ => {}
        }
        true
    }
}
