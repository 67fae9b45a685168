//! The real terminal: the one room that puts it into another mode, and out of it again however the program ends.
//! Owns the guard, the screen and what is known about the terminal; refuses to know what is drawn on it.

mod caps;
mod encode;
mod examine;
mod ground;
mod guard;
mod input;
mod line;
mod moved;
mod pace;
pub mod probe;
mod screen;

pub use caps::{Caps, Env, caps, detect};
pub use examine::examine;
pub use ground::ground;
pub use guard::{NoScreen, Term};
pub use input::{Decoder, Input, PASTE, Reader, Reply};
pub use line::Line;
pub use pace::{AWAY, HERE, Pace};
pub use screen::Screen;
