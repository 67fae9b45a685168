//! The words that are a device's own: its name, addresses, serial number and user, as the inventory knows them. A
//! fleet tool knows them exactly, so it need not guess. They are taken out of a line before it is kept to be named: what
//! is left can be named again when the inventory has forgotten the device. Numeric addresses look like what they are: `mask` takes them
//! out whether the inventory knows them or not, so that both have the same template.

use std::net::IpAddr;

use crate::model::device::Device;

pub const HOST: &str = "<host>";
pub const SERIAL: &str = "<serial>";
pub const USER: &str = "<user>";

/// Shorter ones stand in too many other words.
const SHORTEST: usize = 3;

#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Longest first: the whole name before its first part.
    words: Vec<(String, &'static str)>,
}

impl Own {
    pub fn of(device: &Device) -> Self {
        let mut words = vec![(device.name.clone(), HOST)];
        if let Some((first, _)) = device.name.split_once('.') {
            words.push((first.to_owned(), HOST));
        }
        for (field, value) in &device.facts {
            let mark = match field.as_str() {
                "address" | "host" | "hostname" if value.parse::<IpAddr>().is_err() => HOST,
                "serial" | "serial_number" => SERIAL,
                "user" => USER,
                _ => continue,
            };
            words.push((value.clone(), mark));
        }
        words.retain(|(word, _)| word.len() >= SHORTEST && word != "root" && word != "localhost");
        words.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        words.dedup_by(|a, b| a.0 == b.0);
        Self { words }
    }

    /// The line without them.
    pub fn taken_out(&self, line: &str) -> String {
        let mut text = String::with_capacity(line.len());
        let mut at = 0;
        let mut within = false;
        while let Some(character) = line[at..].chars().next() {
            let rest = &line[at..];
            if let Some((mark, len)) = self.find(rest, within) {
                text.push_str(mark);
                within = rest[..len].ends_with(char::is_alphanumeric);
                at += len;
            } else {
                text.push(character);
                within = character.is_alphanumeric() || character == '_';
                at += character.len_utf8();
            }
        }
        text
    }

    /// One of them, whole, at the beginning of this.
    fn find(&self, rest: &str, within: bool) -> Option<(&'static str, usize)> {
        if within {
            return None;
        }
        self.words.iter().find_map(|(word, mark)| {
            let head = rest.get(..word.len())?;
            let behind = &rest[word.len()..];
            let whole = !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            (head.eq_ignore_ascii_case(word) && whole).then_some((*mark, word.len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::triage::mask;

    fn mask(line: &str, own: &Own) -> String {
        mask::mask(&own.taken_out(line))
    }

    fn device() -> Own {
        let mut device = Device::new("lab", "mbp-0311.acme.example");
        for (field, value) in [
            ("address", "10.0.0.7"),
            ("hostname", "Build-Box"),
            ("serial", "C02XK1"),
            ("user", "alice"),
            ("site", "par"),
        ] {
            device.facts.insert(field.into(), value.into());
        }
        Own::of(&device)
    }

    #[test]
    fn a_device_s_own_words_are_masked_and_no_part_of_others() {
        for (line, expected) in [
            ("mbp-0311.acme.example: no space", "<host>: no space"),
            ("MBP-0311 says no", "<host> says no"),
            ("mbp-0311x and xmbp-0311 are others", "mbp-<n>x and xmbp-<n> are others"),
            ("build-box went down", "<host> went down"),
            ("serial C02XK1, user alice", "serial <serial>, user <user>"),
            ("malice in par", "malice in par"),
            ("from 10.0.0.7", "from <addr>"),
            ("/home/alice/x and /tmp/mbp-0311.log", "<home>/x and <tmp>"),
        ] {
            assert_eq!(mask(line, &device()), expected, "{line:?}");
        }
    }

    #[test]
    fn words_that_everyone_has_are_nobody_s_own() {
        let mut local = Device::new("local", "localhost");
        local.facts.insert("user".into(), "root".into());
        assert_eq!(mask("root at localhost in db", &Own::of(&local)), "root at localhost in db");
    }
}
