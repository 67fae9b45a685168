//! `w`: the window of a group: how it came by its template. What a device said beside what the rules and masks made of
//! it, what was merged by hand, and the script's own rules, which are changed here: each counts for every job of the
//! script. Refuses what is no rule while it is written, at the place where it is wrong.

use crate::console::app::commands::Do;
use crate::console::app::layers::Next;
use crate::console::app::list::Cursor;
use crate::console::app::notices::Level;
use crate::console::app::prompt::{Prompt, Purpose};
use crate::console::app::{App, Effect, Layer};
use crate::console::text;
use crate::model::job::JobId;
use crate::model::rule;
use crate::model::ways::{Masking, Rule, Rules, Ways};
use crate::model::wire::Problem;

/// Between a pattern and what stands for what it finds.
const BECOMES: &str = " => ";
/// What stands for it where nothing is said.
const MASKED: &str = "<masked>";

#[derive(Debug)]
pub struct Window {
    pub job: JobId,
    pub label: String,
    pub signature: String,
    pub state: Option<Result<Masking, String>>,
    /// On the rules, and on what adds one.
    pub cursor: Cursor,
    /// Which rule is being written; past the last: a new one.
    editing: usize,
}

/// A row that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Rule(usize),
    Mask,
    Keep,
}

impl Window {
    fn rules(&self) -> &[Rule] {
        self.state.as_ref().and_then(|state| state.as_ref().ok()).map_or(&[], |masking| &masking.rules)
    }

    /// How many there are to choose from.
    pub fn choices(&self) -> usize {
        match &self.state {
            Some(Ok(masking)) => masking.rules.len() + 2,
            _ => 0,
        }
    }

    pub fn choice(&self, at: usize) -> Choice {
        match at.checked_sub(self.rules().len()) {
            None => Choice::Rule(at),
            Some(0) => Choice::Mask,
            Some(_) => Choice::Keep,
        }
    }
}

/// A rule as it is written on one line.
pub fn written(rule: &Rule) -> String {
    match &rule.becomes {
        Some(becomes) => format!("{}{BECOMES}{becomes}", rule.pattern),
        None => rule.pattern.clone(),
    }
}

/// `None`: an empty line.
fn read(purpose: Purpose, line: &str) -> Option<Rule> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let (pattern, becomes) = match (purpose, line.rsplit_once(BECOMES)) {
        (Purpose::Keep, _) => (line, None),
        (_, Some((pattern, becomes))) => (pattern.trim_end(), Some(becomes.trim())),
        (_, None) => (line, Some(MASKED)),
    };
    Some(Rule { pattern: pattern.to_owned(), becomes: becomes.map(str::to_owned) })
}

impl App {
    pub(in crate::console::app) fn open_window(&mut self, effects: &mut Vec<Effect>) {
        let Some((group, row)) = self.triage.as_ref().and_then(|triage| Some((triage.group()?, triage.row()?))) else {
            return;
        };
        let (job, signature) = (self.triage.as_ref().map_or(0, |triage| triage.job), group.signature.clone());
        let (label, cursor) = (row.label.clone(), Cursor::default());
        effects.push(Effect::LoadMasking { job, signature: signature.clone() });
        self.layers.push(Layer::Window(Box::new(Window { job, label, signature, state: None, cursor, editing: 0 })));
    }

    pub(in crate::console::app) fn in_window(&mut self, window: &mut Window, verb: Do) -> Next {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::NextField => drop(window.cursor.go(Do::Down, window.choices(), window.choices())),
            Do::PreviousField => drop(window.cursor.go(Do::Up, window.choices(), window.choices())),
            Do::Accept | Do::Open if window.choices() > 0 => {
                let (purpose, text, editing) = match window.choice(window.cursor.at) {
                    Choice::Mask => (Purpose::Mask, String::new(), window.rules().len()),
                    Choice::Keep => (Purpose::Keep, String::new(), window.rules().len()),
                    Choice::Rule(at) => {
                        let Some(rule) = window.rules().get(at) else { return Next::Stay };
                        let purpose = if rule.becomes.is_some() { Purpose::Mask } else { Purpose::Keep };
                        (purpose, written(rule), at)
                    }
                };
                window.editing = editing;
                let mut prompt = Prompt::new(purpose, &text);
                self.rule_edited(&mut prompt);
                return Next::Above(Box::new(Layer::Prompt(Box::new(prompt))));
            }
            verb => drop(window.cursor.go(verb, window.choices(), window.choices())),
        }
        Next::Stay
    }

    /// What is being written is looked at while it is: the place where it is no expression is marked.
    pub(in crate::console::app) fn rule_edited(&self, prompt: &mut Prompt) {
        let line = prompt.text.text();
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let wrong = read(prompt.purpose, line).and_then(|rule| rule::compile(&rule).err());
        prompt.problem = wrong.map(|wrong| (wrong.column.map(|column| column + indent), wrong.text));
        prompt.aside = match prompt.purpose {
            Purpose::Mask => "EXPRESSION => <word> that stands for what it finds; empty: the rule goes".into(),
            _ => "what this expression finds stays as it is; empty: the rule goes".into(),
        };
    }

    /// `false`: it stays to be put right.
    pub(in crate::console::app) fn rule_accepted(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) -> bool {
        let rule = read(prompt.purpose, prompt.text.text());
        if let Some(wrong) = rule.as_ref().and_then(|rule| rule::compile(rule).err()) {
            prompt.problem = Some((wrong.column, wrong.text));
            return false;
        }
        let Some(Layer::Window(window)) = self.layers.last() else { return true };
        let Some(Ok(masking)) = &window.state else { return true };
        let mut rules = masking.rules.clone();
        match (rule, window.editing < rules.len()) {
            (Some(rule), true) => rules[window.editing] = rule,
            (Some(rule), false) => rules.push(rule),
            (None, true) => drop(rules.remove(window.editing)),
            (None, false) => return true,
        }
        if rules != masking.rules {
            effects.push(Effect::SetRules(Rules { script: masking.script.clone(), rules }));
        }
        true
    }

    pub(in crate::console::app) fn masking_read(
        &mut self,
        job: JobId,
        signature: &str,
        answer: Result<Masking, Problem>,
    ) {
        let window = self.layers.iter_mut().find_map(|layer| match layer {
            Layer::Window(window) if (window.job, window.signature.as_str()) == (job, signature) => Some(window),
            _ => None,
        });
        if let Some(window) = window {
            window.state = Some(answer.map_err(|problem| problem.error));
            window.cursor.at = window.cursor.at.min(window.choices().saturating_sub(1));
        }
    }

    /// The script has other rules now, or not. The group may have another name by them: what it came from is told by
    /// the window that is opened on it next.
    pub(in crate::console::app) fn ruled(&mut self, answer: Result<Ways, Problem>) {
        match answer {
            Ok(ways) => {
                self.layers.retain(|layer| !matches!(layer, Layer::Window(_)));
                if let Some(triage) = &mut self.triage {
                    triage.stale();
                }
                let rules = text::number(ways.rules.len() as u64, "rule");
                let script = text::plain(&ways.script);
                self.say(Level::Info, format!("{script} has {rules} of its own now, in every job of it"));
            }
            Err(problem) => self.say(Level::Error, problem.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Event;
    use crate::console::app::sample::Session;
    use crate::model::ways::Line;

    fn opened(rules: Vec<Rule>) -> Session {
        let mut session = Session::new((80, 24), true);
        session.keys("3ujw");
        let sent = std::mem::take(&mut session.sent);
        let [Effect::LoadMasking { job, signature }] = sent.as_slice() else { panic!("{sent:?}") };
        let masking = Masking {
            script: "disk-use.sh".into(),
            signature: signature.clone(),
            device: "lab:web023".into(),
            lines: vec![Line {
                raw: "retry 3/3 failed: CDN 503".into(),
                masked: "retry <n>/<n> failed: CDN <n>".into(),
            }],
            template: vec!["retry <n>/<n> failed: CDN <n>".into()],
            rules,
            ..Masking::default()
        };
        session.tell(Event::MaskingRead { job: *job, signature: signature.clone(), answer: Ok(masking) });
        session
    }

    fn rule(pattern: &str, becomes: Option<&str>) -> Rule {
        Rule { pattern: pattern.into(), becomes: becomes.map(str::to_owned) }
    }

    fn given(session: &mut Session) -> Vec<Vec<Rule>> {
        let rules = |effect| match effect {
            Effect::SetRules(rules) => Some(rules.rules),
            _ => None,
        };
        std::mem::take(&mut session.sent).into_iter().filter_map(rules).collect()
    }

    #[test]
    fn what_was_said_stands_beside_what_was_made_of_it() {
        let session = opened(vec![rule("HTTP [0-9]+", None)]);
        let screen = session.screen();
        for words in ["retry 3/3 failed: CDN 503", "retry <n>/<n> failed: CDN <n>", "web023", "HTTP [0-9]+"] {
            assert!(screen.contains(words), "{words}: {screen}");
        }
    }

    #[test]
    fn a_rule_is_added_changed_and_taken_back() {
        let mut session = opened(vec![]);
        session.keys("<enter>CDN [0-9]+ =><space><lt>cdn><enter>");
        assert_eq!(given(&mut session), [[rule("CDN [0-9]+", Some("<cdn>"))]]);
        let mut session = opened(vec![]);
        session.keys("j<enter>CDN 503<enter>");
        assert_eq!(given(&mut session), [[rule("CDN 503", None)]]);
        let mut session = opened(vec![rule("a", Some("<a>")), rule("b", None)]);
        session.keys("j<enter><C-u>c<enter>");
        assert_eq!(given(&mut session), [[rule("a", Some("<a>")), rule("c", None)]]);
        let mut session = opened(vec![rule("a", Some("<a>")), rule("b", None)]);
        session.keys("<enter><C-u><enter>");
        assert_eq!(given(&mut session), [[rule("b", None)]]);
    }

    #[test]
    fn what_is_no_expression_is_told_with_its_place_while_it_is_written_and_is_not_taken() {
        let mut session = opened(vec![]);
        session.keys("<enter>a(b");
        let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!() };
        assert!(
            matches!(&prompt.problem, Some((Some(1), why)) if why.contains("unclosed group")),
            "{:?}",
            prompt.problem
        );
        session.keys("<enter>");
        assert!(given(&mut session).is_empty(), "it stays to be put right");
        session.keys("<C-u>x(?=y)<enter>");
        assert!(session.screen().contains("look-around"), "{}", session.screen());
    }
}
