//! What the terminal can do, told by the environment alone: that costs no round trip before the first frame. What it
//! says of itself when asked ([`super::probe`]) comes on top.

use crate::console::theme::Depth;

/// The variables that say something about a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    pub term: String,
    pub term_program: String,
    pub colorterm: String,
    /// Of `LC_ALL`, `LC_CTYPE` and `LANG`, the first that is not empty.
    pub locale: String,
    pub no_color: bool,
    pub ssh: bool,
    pub tmux: bool,
}

impl Env {
    /// `get` reads one variable.
    pub fn from(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).unwrap_or_default();
        let set = |name: &str| !get(name).is_empty();
        Self {
            term: get("TERM"),
            term_program: get("TERM_PROGRAM"),
            colorterm: get("COLORTERM"),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"]
                .into_iter()
                .map(get)
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            no_color: set("NO_COLOR"),
            ssh: set("SSH_CONNECTION") || set("SSH_TTY") || set("SSH_CLIENT"),
            tmux: set("TMUX"),
        }
    }
}

/// What may be sent to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    pub depth: Depth,
    pub utf8: bool,
    /// Signs in plain ASCII: the locale is not UTF-8, or the terminal has no line drawing.
    pub ascii: bool,
    /// Over a network line: fewer frames, no mouse.
    pub ssh: bool,
    pub tmux: bool,
    /// The terminal tells Esc from the beginning of an arrow key (kitty keyboard protocol).
    pub kitty_keys: bool,
    /// Erases with the current background (GNU screen does not).
    pub bce: bool,
    /// No cursor addressing at all: the console cannot be shown.
    pub dumb: bool,
    /// An old or plain one, that would show what it does not know.
    pub bare: bool,
}

/// Known by their `TERM` or `TERM_PROGRAM` to know both 24-bit colours and the kitty keyboard protocol.
const MODERN: [&str; 5] = ["kitty", "ghostty", "wezterm", "foot", "alacritty"];

pub fn caps(env: &Env) -> Caps {
    let term = env.term.to_ascii_lowercase();
    let program = env.term_program.to_ascii_lowercase();
    let dumb = term.is_empty() || term == "dumb";
    let multiplexed = env.tmux || term.starts_with("tmux") || term.starts_with("screen");
    let modern = !multiplexed && MODERN.iter().any(|name| term.contains(name) || program == *name);
    let depth = if env.no_color || dumb || term.starts_with("vt1") || term.starts_with("vt2") {
        Depth::None
    } else if modern || matches!(env.colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256") || multiplexed || program == "apple_terminal" || program == "iterm.app" {
        Depth::Ansi256
    } else {
        Depth::Ansi16
    };
    let locale = env.locale.to_ascii_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let bare = dumb || term == "linux" || term.starts_with("vt1") || term.starts_with("vt2");
    Caps {
        depth,
        utf8,
        ascii: !utf8 || bare,
        ssh: env.ssh,
        tmux: multiplexed,
        kitty_keys: modern,
        bce: env.tmux || !term.starts_with("screen"),
        dumb,
        bare,
    }
}

/// Of the terminal this process was started in.
pub fn detect() -> Caps {
    caps(&Env::from(|name| std::env::var(name).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Caps {
        caps(&Env::from(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())))
    }

    const UTF8: (&str, &str) = ("LANG", "en_GB.UTF-8");

    #[test]
    fn colours_are_as_many_as_the_terminal_says() {
        for (vars, depth) in [
            (&[("TERM", "xterm")][..], Depth::Ansi16),
            (&[("TERM", "xterm-256color")], Depth::Ansi256),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True),
            (&[("TERM", "xterm-kitty")], Depth::True),
            (&[("TERM", "tmux-256color")], Depth::Ansi256),
            (&[("TERM", "screen")], Depth::Ansi256),
            (&[("TERM", "linux")], Depth::Ansi16),
            (&[("TERM", "vt100")], Depth::None),
            (&[("TERM", "dumb")], Depth::None),
            (&[], Depth::None),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], Depth::None),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Depth::Ansi16),
        ] {
            assert_eq!(of(vars).depth, depth, "{vars:?}");
        }
    }

    #[test]
    fn lines_are_drawn_where_locale_and_terminal_can() {
        assert!(!of(&[("TERM", "xterm"), UTF8]).ascii);
        assert!(!of(&[("TERM", "xterm"), ("LANG", "C"), ("LC_CTYPE", "C.UTF-8")]).ascii);
        assert!(of(&[("TERM", "xterm"), ("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]).ascii);
        assert!(of(&[("TERM", "xterm")]).ascii);
        assert!(of(&[("TERM", "linux"), UTF8]).ascii);
        assert!(of(&[("TERM", "vt100"), UTF8]).ascii);
    }

    #[test]
    fn a_multiplexer_hides_the_terminal_behind_it() {
        let caps = of(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("TERM_PROGRAM", "WezTerm"), UTF8]);
        assert!(caps.tmux && !caps.kitty_keys);
        assert!(of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]).kitty_keys);
        assert!(of(&[("TERM", "screen"), ("TMUX", "/tmp/x")]).bce && !of(&[("TERM", "screen.xterm-256color")]).bce);
    }

    #[test]
    fn a_network_line_is_noticed() {
        assert!(of(&[("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")]).ssh);
        assert!(!of(&[("SSH_TTY", "")]).ssh);
    }
}
