//! Text of devices made safe and text of ours made to fit. Owns the line between a hostile device and the operator's
//! terminal: nothing but characters and colours crosses it. Refuses to know where on the screen a text stands.

mod fit;
mod safe;
mod walk;

pub use crate::model::amounts::{age, bytes, count, number, took};
pub use fit::{
    clip, clip_middle, clip_numbered, clip_with, fold, line_width, mark, pad, pad_start, slice, width, wrap,
};
pub use safe::{plain, safe};
pub use walk::unseen;
