//! The console: what the operator looks at. Knows the engine only through `client`.

pub mod app;
pub mod editor;
pub mod keymap;
mod runtime;
pub mod shot;
pub mod term;
pub mod text;
pub mod theme;
pub mod ui;

pub use runtime::{Error, check_looks, examine, keymap_of, prints_only, run};
