//! Why something failed, for a person: what lies below the errors that wrap it.

use std::error::Error;

/// The innermost cause: the outer ones only repeat the address.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("asking 192.0.2.1")]
    struct Asking(#[source] io::Error);

    #[test]
    fn what_wraps_a_cause_is_not_said() {
        assert_eq!(innermost(&Asking(io::Error::other("no route"))), "no route");
        assert_eq!(innermost(&io::Error::other("no route")), "no route");
    }
}
