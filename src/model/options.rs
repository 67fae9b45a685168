//! What the launches of a system take beside script and devices (a custom attribute that keeps what each device says):
//! told by the system, held against what was given. Pure.

use serde::{Deserialize, Serialize};

use super::nearest::{hint, shown};

/// In bytes; what is longer was not meant.
const LONGEST: usize = 2_000;

/// So many names are told in a sentence.
const SAID: usize = 6;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchOption {
    pub name: String,
    /// What a form calls it, in few cells.
    #[serde(default)]
    pub label: String,
    /// One sentence.
    pub describe: String,
    pub check: Check,
    /// The option without which this one means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// The values that the system has; any other would be refused there, upper case or lower. `None`: that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Vec<String>>,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Letters, digits and `_`.
    Word,
    /// A pattern of the system's own: only its brackets are looked at.
    Pattern,
}

impl LaunchOption {
    /// Its name in a form.
    pub fn called(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }

    /// # Errors
    /// Why it cannot be this.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let name = &self.name;
        if value.len() > LONGEST {
            return Err(format!("the option {name} is longer than {LONGEST} bytes"));
        }
        if value.chars().any(char::is_control) {
            return Err(format!("the option {name} holds control characters: write them as \\n, \\t"));
        }
        match self.check {
            Check::Word if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                Err(format!("the option {name} is a name of letters, digits and _: '{}' is none", shown(value)))
            }
            Check::Pattern => pairs(value).map_err(|why| format!("the option {name}: {why}")),
            Check::Word => Ok(()),
        }
    }

    /// The system has nothing of this name, as far as is known.
    pub fn lacks(&self, value: &str) -> bool {
        self.known.as_ref().is_some_and(|known| known.iter().all(|known| !known.eq_ignore_ascii_case(value)))
    }

    /// What several systems take under one name: what one of them lacks cannot be given to all.
    pub fn beside(&mut self, other: &Self) {
        match (&mut self.known, &other.known) {
            (Some(_), Some(_)) => {
                self.known.iter_mut().for_each(|known| known.retain(|name| !other.lacks(name)));
            }
            (None, Some(theirs)) => self.known = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

/// Something is given that a system lacks, as far as is known.
pub fn any_lacks(given: &[(String, String)], taken: &[LaunchOption]) -> bool {
    let lacks = |(name, value): &(String, String)| {
        !value.is_empty() && taken.iter().any(|option| option.name == *name && option.lacks(value))
    };
    given.iter().any(lacks)
}

/// Every bracket has its other one.
fn pairs(pattern: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return Err("it ends in the middle of an escape".to_owned()),
            '\\' => {}
            '[' if open.last() != Some(&']') => open.push(']'),
            ']' if open.last() == Some(&']') => drop(open.pop()),
            _ if open.last() == Some(&']') => {}
            '(' => open.push(')'),
            ')' if open.pop() != Some(')') => return Err("a ) has no (".to_owned()),
            _ => {}
        }
    }
    open.pop().map_or(Ok(()), |lacks| Err(format!("a {lacks} is missing")))
}

/// What was given, held against what the systems of the devices take; what is empty was not given.
///
/// # Errors
/// In words: none of them takes it, or not this value.
pub fn settle(given: &[(String, String)], taken: &[LaunchOption]) -> Result<Vec<(String, String)>, String> {
    let given: Vec<&(String, String)> = given.iter().filter(|(_, value)| !value.is_empty()).collect();
    let mut settled: Vec<(String, String)> = Vec::with_capacity(given.len());
    for (name, value) in &given {
        let Some(option) = taken.iter().find(|option| option.name == *name) else {
            let near = hint(name, taken.iter().map(|option| option.name.as_str()));
            let none = if taken.is_empty() { " (they take none)" } else { "" };
            return Err(format!("no system of these devices takes the option '{}'{none}{near}", shown(name)));
        };
        if settled.iter().any(|(before, _)| before == name) {
            return Err(format!("the option {name} is given twice"));
        }
        option.check(value)?;
        if let Some(known) = option.known.as_ref().filter(|_| option.lacks(value)) {
            let near = hint(value, known.iter().map(String::as_str));
            let there = match known.len() {
                0 => "there is none yet".to_owned(),
                1..=SAID => format!("there: {}", known.join(", ")),
                more => format!("there are {more} others"),
            };
            let (called, value) = (option.called(), shown(value));
            return Err(format!("the option {name}: make the {called} '{value}' there first{near} ({there})"));
        }
        if let Some(needs) = option.needs.as_ref().filter(|needs| given.iter().all(|(other, _)| other != *needs)) {
            return Err(format!("the option {name} means nothing without {needs}"));
        }
        settled.push((name.clone(), value.clone()));
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> Vec<LaunchOption> {
        let option = |name: &str, check, needs: Option<&str>| LaunchOption {
            name: name.into(),
            label: String::new(),
            describe: String::new(),
            check,
            needs: needs.map(str::to_owned),
            known: None,
        };
        vec![option("custom_attribute", Check::Word, None), option("regex", Check::Pattern, Some("custom_attribute"))]
    }

    fn given(all: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let all: Vec<_> = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settle(&all, &taken())
    }

    #[test]
    fn what_was_given_is_kept_in_its_order_and_what_is_empty_was_not_given() {
        let kept = given(&[("regex", r"\n"), ("custom_attribute", "cache_state")]).unwrap();
        assert_eq!(kept[0], ("regex".into(), r"\n".into()));
        assert_eq!(given(&[("custom_attribute", ""), ("regex", "")]), Ok(vec![]));
    }

    #[test]
    fn a_name_that_the_system_lacks_is_told_with_those_that_it_has() {
        let mut taken = taken();
        let asked = |value: &str| vec![("custom_attribute".to_owned(), value.to_owned())];
        taken[0].known = Some(vec!["cache_state".into(), "site".into()]);
        let told = settle(&asked("cache_stat"), &taken).unwrap_err();
        assert!(
            told.contains("make the custom_attribute 'cache_stat' there first") && told.contains("mean 'cache_state'"),
            "{told}"
        );
        assert!(told.contains("there: cache_state, site"), "{told}");
        assert!(any_lacks(&asked("x"), &taken) && !any_lacks(&asked(""), &taken));
        assert_eq!(settle(&asked("Cache_State"), &taken), Ok(asked("Cache_State")), "as the system compares them");
        // of two systems it must be at both
        let other = LaunchOption { known: Some(vec!["SITE".into()]), ..taken[0].clone() };
        taken[0].beside(&other);
        assert_eq!(taken[0].known, Some(vec!["site".to_owned()]));
        taken[0].beside(&LaunchOption { known: None, ..other });
        assert!(settle(&asked("cache_state"), &taken).is_err() && settle(&asked("site"), &taken).is_ok());
    }

    #[test]
    fn what_cannot_be_is_told_in_words() {
        for (all, says) in [
            (&[("custom_atribute", "x")][..], "did you mean"),
            (&[("custom_attribute", "a b")], "letters, digits and _"),
            (&[("custom_attribute", "a"), ("custom_attribute", "b")], "given twice"),
            (&[("regex", "x")], "means nothing without custom_attribute"),
            (&[("custom_attribute", "a"), ("regex", "(x")], "a ) is missing"),
            (&[("custom_attribute", "a"), ("regex", "[(]x)")], "a ) has no ("),
            (&[("custom_attribute", "a"), ("regex", "x\\")], "middle of an escape"),
            (&[("custom_attribute", "a"), ("regex", "a\nb")], "control characters"),
        ] {
            let told = given(all).unwrap_err();
            assert!(told.contains(says), "{all:?}: {told}");
        }
        assert!(settle(&[("x".into(), "1".into())], &[]).unwrap_err().contains("they take none"));
        assert!(given(&[("custom_attribute", "a"), ("regex", r"[)(]+\(")]).is_ok());
    }
}
