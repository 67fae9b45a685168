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
    /// For a system that passes no arguments: shebang and lines. `None`: it is not offered there.
    bare: Option<&'static str>,
}

/// In the order in which they are offered.
pub static TEMPLATES: [Template; 8] = [
    Template {
        key: "bash",
        name: "Bash",
        ending: "sh",
        text: include_str!("templates/bash"),
        bare: Some("#!/bin/bash\nset -euo pipefail\n\nuname -srm\n"),
    },
    Template {
        key: "sh",
        name: "POSIX shell",
        ending: "sh",
        text: include_str!("templates/sh"),
        bare: Some("#!/bin/sh\nset -eu\n\nuname -srm\n"),
    },
    Template {
        key: "python",
        name: "Python 3",
        ending: "py",
        text: include_str!("templates/python"),
        bare: Some("#!/usr/bin/env python3\nimport platform\n\nprint(platform.platform())\n"),
    },
    Template {
        key: "powershell",
        name: "PowerShell",
        ending: "ps1",
        text: include_str!("templates/powershell"),
        bare: None,
    },
    Template {
        key: "zsh",
        name: "Zsh",
        ending: "zsh",
        text: include_str!("templates/zsh"),
        bare: Some("#!/bin/zsh\nset -eu -o pipefail\n\nuname -srm\n"),
    },
    Template {
        key: "ruby",
        name: "Ruby",
        ending: "rb",
        text: include_str!("templates/ruby"),
        bare: Some("#!/usr/bin/env ruby\nputs RUBY_PLATFORM\n"),
    },
    Template {
        key: "perl",
        name: "Perl",
        ending: "pl",
        text: include_str!("templates/perl"),
        bare: Some("#!/usr/bin/env perl\nuse strict;\nuse warnings;\n\nprint \"$^O\\n\";\n"),
    },
    Template {
        key: "empty",
        name: "Nothing but a shebang",
        ending: "",
        text: "#!/bin/sh\n",
        bare: Some("#!/bin/sh\n"),
    },
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

    /// Those for a script of a system that passes no arguments.
    pub fn offered_bare() -> impl Iterator<Item = &'static Template> {
        TEMPLATES.iter().filter(|template| template.bare.is_some())
    }

    /// The text of a new script of this name.
    pub fn fill(&self, name: &str) -> String {
        self.text.replace("{what}", &what(name))
    }

    /// The same for a system that passes no arguments; `about`: what its scripts have to know. `None`: there is none.
    pub fn fill_bare(&self, name: &str, about: &str) -> Option<String> {
        let (shebang, lines) = self.bare?.split_once('\n')?;
        if lines.is_empty() {
            return Some(format!("{shebang}\n"));
        }
        let about: String = about.lines().map(|line| format!("# {line}\n")).collect();
        let exits = "# Exit code 0: fine. Any other: something is not as it should be.\n";
        Some(format!("{shebang}\n# @describe {}\n#\n{about}#\n{exits}{lines}", what(name)))
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

/// The name as a few words.
fn what(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let words: String = stem.chars().map(|c| if matches!(c, '-' | '_') || c.is_control() { ' ' } else { c }).collect();
    words.trim().to_owned()
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
    fn where_no_arguments_are_passed_none_are_read_and_what_is_to_be_known_stands_above() {
        for template in Template::offered_bare() {
            let text =
                template.fill_bare("Rotate_cache", "Nothing is passed:\n{{serial_number}} is filled in.").unwrap();
            let (info, findings) = examine("macs:Rotate_cache", text.as_bytes());
            assert_eq!((findings, info.refused, info.params), (vec![], None, vec![]), "{}", template.key);
            assert!(text.starts_with("#!/"), "{text}");
            if template.key != "empty" {
                assert_eq!(info.describe, "Rotate cache", "{text}");
                assert!(text.contains("\n# Nothing is passed:\n# {{serial_number}} is filled in.\n"), "{text}");
            }
        }
        assert_eq!(Template::find("powershell").unwrap().fill_bare("x", ""), None);
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
