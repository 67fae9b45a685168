//! Everything the editor's commands can mean.

/// Where the cursor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Motion {
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    PageUp,
    PageDown,
    Top,
    Bottom,
}

/// What is done in the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Move(Motion),
    /// The same, selecting on the way.
    Select(Motion),
    Bracket,
    GotoLine,
    Newline,
    Backspace,
    Delete,
    DeleteWordLeft,
    DeleteWordRight,
    Indent,
    Unindent,
    Comment,
    DeleteLine,
    DuplicateLine,
    MoveLineUp,
    MoveLineDown,
    Mark,
    SelectAll,
    Copy,
    Cut,
    Paste,
    Undo,
    Redo,
    Find,
    FindNext,
    FindPrevious,
    Replace,
    /// In the find bar.
    FindRegex,
    FindCase,
    ReplaceAll,
    NextField,
    Accept,
    CloseBar,
    NextFinding,
    PreviousFinding,
    Why,
    Fix,
    Save,
    Difference,
    External,
    ViKeys,
    Parameters,
    LineEnds,
    Discard,
}
