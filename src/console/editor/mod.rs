//! Scripts as text: for now their colours; the editor in the console comes to live here. Until then scripts are
//! edited in `$VISUAL` or `$EDITOR`, which `runtime` starts.

pub mod highlight;
