//! Scripts as text that is written: their bytes as lines and back, the edits, the colours, the cells they take. Knows
//! nothing of files, engine or screen; `app::editor` is the room that the operator sits in.

pub mod brackets;
pub mod buffer;
pub mod cache;
pub mod cells;
pub mod document;
pub mod highlight;
