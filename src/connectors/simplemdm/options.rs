//! What a script job takes beside script and devices (contract 3.1): the one way to keep what devices say beyond the
//! month that jobs are listed for.

use crate::model::options::{Check, LaunchOption};

/// `attributes`: the names of the account's custom attributes, where they are known.
pub fn options(attributes: Option<Vec<String>>) -> Vec<LaunchOption> {
    vec![
        LaunchOption {
            name: "custom_attribute".to_owned(),
            label: "custom attribute".to_owned(),
            describe: "what a device prints becomes its value of this custom attribute".to_owned(),
            check: Check::Word,
            needs: None,
            known: attributes,
        },
        LaunchOption {
            name: "custom_attribute_regex".to_owned(),
            label: "attribute regex".to_owned(),
            describe: "what this pattern matches is left out of the value; usually \\n".to_owned(),
            check: Check::Pattern,
            needs: Some("custom_attribute".to_owned()),
            known: None,
        },
    ]
}
