//! The real terminal: the one room that puts it into another mode, and out of it again however the program ends.
//! Owns the guard, the screen and what is known about the terminal; refuses to know what is drawn on it.

mod caps;
mod encode;
mod guard;
mod moved;
mod screen;

pub use caps::{Caps, Env, caps, detect};
pub use guard::Term;
pub use screen::Screen;
