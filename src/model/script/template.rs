//! What a new script begins with: one short text a language, that runs as it is and shows how the header is written.

/// A kind of script that can be begun here.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// For a list, and for `--template`.
    pub key: &'static str,
    pub name: &'static str,
    /// Of the file, without the dot.
    pub ending: &'static str,
    text: &'static str,
}

/// In the order in which they are offered.
pub static TEMPLATES: [Template; 8] = [
    Template { key: "bash", name: "Bash", ending: "sh", text: include_str!("templates/bash") },
    Template { key: "sh", name: "POSIX shell", ending: "sh", text: include_str!("templates/sh") },
    Template { key: "python", name: "Python 3", ending: "py", text: include_str!("templates/python") },
    Template { key: "powershell", name: "PowerShell", ending: "ps1", text: include_str!("templates/powershell") },
    Template { key: "zsh", name: "Zsh", ending: "zsh", text: include_str!("templates/zsh") },
    Template { key: "ruby", name: "Ruby", ending: "rb", text: include_str!("templates/ruby") },
    Template { key: "perl", name: "Perl", ending: "pl", text: include_str!("templates/perl") },
    Template { key: "empty", name: "Nothing but a shebang", ending: "", text: "#!/bin/sh\n" },
];

impl Template {
    /// By its key, or by an ending (`py`).
    pub fn find(word: &str) -> Option<&'static Template> {
        let word = word.to_ascii_lowercase();
        let by_key = TEMPLATES.iter().find(|template| template.key == word);
        by_key.or_else(|| TEMPLATES.iter().find(|template| !word.is_empty() && template.ending == word))
    }

    /// The one for a name, by its ending; Bash without one that is known.
    pub fn of(name: &str) -> &'static Template {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.').and_then(|(_, ending)| Self::find(ending)).unwrap_or(&TEMPLATES[0])
    }

    /// The text of a new script of this name.
    pub fn fill(&self, name: &str) -> String {
        let file = name.rsplit('/').next().unwrap_or(name);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let words: String =
            stem.chars().map(|c| if matches!(c, '-' | '_') || c.is_control() { ' ' } else { c }).collect();
        self.text.replace("{what}", words.trim())
    }

    /// The name with this template's ending, if it has none.
    pub fn named(&self, name: &str) -> String {
        let file = name.rsplit('/').next().unwrap_or(name);
        if file.is_empty() || file.contains('.') || self.ending.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.ending)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::{examine, inspect};

    #[test]
    fn every_template_is_a_script_that_says_what_it_does_and_has_nothing_to_complain_about() {
        for template in &TEMPLATES {
            let name = template.named("clear-print-queue");
            let (info, findings) = examine(&name, template.fill(&name).as_bytes());
            assert_eq!(findings, [], "{}", template.key);
            assert_eq!(info.refused, None);
            if template.key != "empty" {
                assert_eq!(info.describe, "clear print queue", "{}", template.key);
                assert!(!info.params.is_empty() && info.params.iter().all(|param| !param.required), "{}", template.key);
            }
        }
    }

    #[test]
    fn the_shebang_is_that_of_the_language() {
        for (key, language) in [
            ("bash", "bash"),
            ("sh", "sh"),
            ("python", "python3"),
            ("powershell", "pwsh"),
            ("zsh", "zsh"),
            ("ruby", "ruby"),
            ("perl", "perl"),
        ] {
            let template = Template::find(key).unwrap();
            assert_eq!(inspect("x", template.fill("x").as_bytes()).language, language, "{key}");
        }
    }

    #[test]
    fn a_name_chooses_its_template_and_gets_its_ending() {
        assert_eq!(Template::of("a/b.PY").key, "python");
        assert_eq!(Template::of("noending").key, "bash");
        assert_eq!(TEMPLATES[0].named("fix"), "fix.sh");
        assert_eq!(TEMPLATES[0].named("fix.bash"), "fix.bash");
        assert_eq!(TEMPLATES[7].named("fix"), "fix");
    }
}
