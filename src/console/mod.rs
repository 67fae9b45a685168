//! The console: what the operator looks at. Knows the engine only through `client`.

pub mod app;
pub mod keymap;
pub mod shot;
pub mod term;
pub mod text;
pub mod theme;
