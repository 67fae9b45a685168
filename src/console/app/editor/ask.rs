//! A question of the editor, with the answers there are. Nothing is lost by any of them without being said, and esc
//! answers none.

use crate::console::app::list::Cursor;
use crate::model::script::Replacement;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Nothing happens.
    Close,
    /// The draft that was found becomes the text.
    KeepDraft,
    DiscardDraft,
    CompareDraft,
    /// My text is written over the one that somebody else has saved.
    KeepMine,
    /// Theirs becomes the text; mine can be had back by undoing.
    TakeTheirs,
    SeeBoth,
    SaveAndOpen,
    /// In $VISUAL or $EDITOR.
    External(String),
    Fix(Vec<Replacement>),
    Copy(String),
    /// Back to what the library has.
    Discard,
}

#[derive(Debug)]
pub struct Ask {
    pub title: String,
    pub text: Vec<String>,
    /// What it does, its name, and what that means.
    pub picks: Vec<(Pick, &'static str, String)>,
    pub cursor: Cursor,
    /// The text that the question is about: a draft, or somebody else's.
    pub other: Option<Other>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    pub version: Option<String>,
    pub bytes: Vec<u8>,
}

impl Ask {
    pub fn new(title: impl Into<String>, text: Vec<String>) -> Self {
        Self { title: title.into(), text, picks: Vec::new(), cursor: Cursor::default(), other: None }
    }

    #[must_use]
    pub fn pick(mut self, pick: Pick, name: &'static str, doc: impl Into<String>) -> Self {
        self.picks.push((pick, name, doc.into()));
        self
    }

    #[must_use]
    pub fn about(mut self, other: Other) -> Self {
        self.other = Some(other);
        self
    }

    pub fn chosen(&self) -> Pick {
        self.picks.get(self.cursor.at).map_or(Pick::Close, |(pick, _, _)| pick.clone())
    }
}
