//! JSON as a tree of lines that can be folded: one value, or one after the other (a value a line, as logs have them).
//! Order and spelling of numbers stay as they were. Bounded in depth and in lines; never recursive, so that no text
//! can exhaust the stack.

use super::clean;

/// Deeper is not read.
const DEPTH: usize = 200;
/// Lines at most.
const LINES: usize = 200_000;
/// Characters of one text that are kept.
const TEXT: usize = 4_000;
/// A text that was cut may be torn so many bytes before its end.
const TORN: usize = 64 << 10;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub depth: usize,
    /// Of a member of an object.
    pub key: Option<String>,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text in its quotes, a number, `true`, `false`, `null`: as it is shown.
    Plain(String),
    /// An object or an array begins: how many members it has, and on which line it ends.
    Open { object: bool, members: usize, end: usize },
    /// It ends.
    Close { object: bool },
}

/// The lines, and whether there were more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub cut: bool,
}

/// Reads all values of a text. `begun`: it is only the beginning of one, and may end anywhere.
///
/// # Errors
/// In words: what is not JSON, and on which line.
pub fn read(text: &str, begun: bool) -> Result<Tree, String> {
    let mut reader = Reader { text, at: 0 };
    let mut tree = Tree::default();
    // where each open object or array begins, and whether it is an object
    let mut open: Vec<(usize, bool)> = Vec::new();
    match values(&mut reader, &mut tree, &mut open) {
        Err(_) if begun && text.len() - reader.at < TORN => tree.cut = true,
        read => read?,
    }
    // what was cut has no ends of its own
    let last = tree.nodes.len();
    for (begin, _) in open {
        if let Value::Open { end, .. } = &mut tree.nodes[begin].value {
            *end = last;
        }
    }
    Ok(tree)
}

fn values(reader: &mut Reader<'_>, tree: &mut Tree, open: &mut Vec<(usize, bool)>) -> Result<(), String> {
    loop {
        reader.blank();
        if tree.nodes.len() >= LINES {
            tree.cut = true;
            return Ok(());
        }
        let Some(next) = reader.peek() else {
            match open.is_empty() {
                true => return Ok(()),
                false => return Err(reader.wrong("the text ends in the midst of it")),
            }
        };
        if matches!(next, '}' | ']') {
            let Some((begin, object)) = open.pop().filter(|(_, object)| *object == (next == '}')) else {
                return Err(reader.wrong(&format!("a `{next}` closes nothing")));
            };
            reader.at += 1;
            let end = tree.nodes.len();
            if let Value::Open { end: place, .. } = &mut tree.nodes[begin].value {
                *place = end;
            }
            tree.nodes.push(Node { depth: open.len(), key: None, value: Value::Close { object } });
            reader.comma(open)?;
            continue;
        }
        let depth = open.len();
        let key = match open.last() {
            Some((_, true)) => {
                let key = reader.string()?;
                reader.blank();
                reader.expect(':')?;
                reader.blank();
                Some(key)
            }
            _ => None,
        };
        if let Some((begin, _)) = open.last()
            && let Value::Open { members, .. } = &mut tree.nodes[*begin].value
        {
            *members += 1;
        }
        match reader.peek() {
            Some(bracket @ ('{' | '[')) => {
                if depth == DEPTH {
                    return Err(reader.wrong(&format!("it is deeper than {DEPTH} levels")));
                }
                reader.at += 1;
                let object = bracket == '{';
                open.push((tree.nodes.len(), object));
                tree.nodes.push(Node { depth, key, value: Value::Open { object, members: 0, end: 0 } });
            }
            Some('"') => {
                let text = reader.string()?;
                tree.nodes.push(Node { depth, key, value: Value::Plain(format!("\"{text}\"")) });
                reader.comma(open)?;
            }
            _ => {
                let word = reader.word()?;
                tree.nodes.push(Node { depth, key, value: Value::Plain(word) });
                reader.comma(open)?;
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}', '\u{1e}']).len();
    }

    fn wrong(&self, why: &str) -> String {
        let line = self.text[..self.at].bytes().filter(|byte| *byte == b'\n').count() + 1;
        format!("not JSON: line {line}: {why}")
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(&format!("a `{wanted}` is missing")));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    /// After a member: a comma, or what encloses it ends. Between values of their own nothing stands.
    fn comma(&mut self, open: &[(usize, bool)]) -> Result<(), String> {
        self.blank();
        match (self.peek(), open.last()) {
            (_, None) | (Some('}' | ']'), Some(_)) => Ok(()),
            (Some(','), Some((_, object))) => {
                self.at += 1;
                self.blank();
                match self.peek() {
                    Some('}' | ']') => Err(self.wrong("nothing comes after the comma")),
                    Some('"') if *object => Ok(()),
                    Some(_) if *object => Err(self.wrong("a name in quotes is missing")),
                    _ => Ok(()),
                }
            }
            _ => Err(self.wrong("a `,` is missing")),
        }
    }

    /// Past the quotes. What cannot be shown, or would close the quotes, stays escaped as it was.
    fn string(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut shown = String::new();
        let mut kept = 0;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            kept += 1;
            let wanted = kept <= TEXT;
            match c {
                '"' => {
                    shown.extend(['…'].into_iter().filter(|_| kept > TEXT + 1));
                    return Ok(shown);
                }
                '\\' => {
                    let begun = self.at - 1;
                    let decoded = self.escape();
                    let visible = decoded.filter(|c| !clean::unseen(*c) && !matches!(c, '"' | '\\'));
                    match visible {
                        _ if !wanted => {}
                        Some(c) => shown.push(c),
                        None => shown.extend(self.text[begun..self.at].chars().filter(|c| !clean::unseen(*c))),
                    }
                }
                c if wanted => shown.push(if clean::unseen(c) { '\u{fffd}' } else { c }),
                _ => {}
            }
        }
        Err(self.wrong("a text is never closed"))
    }

    /// Past what follows a backslash: which character it means, where it is one that can be seen.
    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c != 'u' {
            return (c == '/').then_some(c);
        }
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let low = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn word(&mut self) -> Result<String, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-') && word.parse::<f64>().is_ok();
        if !number && !["true", "false", "null"].contains(&word) {
            return Err(self.wrong("a value is missing"));
        }
        self.at += end;
        Ok(word.chars().take(TEXT).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let tree = read(text, false).expect("JSON");
        let line = |node: &Node| {
            let key = node.key.as_ref().map_or_else(String::new, |key| format!("{key}: "));
            let value = match &node.value {
                Value::Plain(value) => value.clone(),
                Value::Open { object, members, end } => format!("{}{members}..{end}", if *object { '{' } else { '[' }),
                Value::Close { object } => (if *object { "}" } else { "]" }).to_owned(),
            };
            format!("{}{key}{value}", " ".repeat(node.depth))
        };
        tree.nodes.iter().map(line).collect()
    }

    #[test]
    fn order_and_spelling_stay_as_they_were() {
        let text = r#"{"z": 1.50, "a": [true, null, "x\ny"], "e": {}}"#;
        let expected =
            ["{3..9", " z: 1.50", " a: [3..6", "  true", "  null", "  \"x\\ny\"", " ]", " e: {0..8", " }", "}"];
        assert_eq!(shown(text), expected);
        assert_eq!(shown(r#"["\u00e9 \ud83d\ude00 \ud83d \/ \" \\"]"#)[1], r#" "é 😀 \ud83d / \" \\""#);
    }

    #[test]
    fn a_value_a_line_is_a_log() {
        assert_eq!(shown("{\"n\":1}\n{\"n\":2}\n"), ["{1..2", " n: 1", "}", "{1..5", " n: 2", "}"]);
    }

    #[test]
    fn what_is_none_is_told_with_its_line() {
        for (text, why) in [
            ("{\n\"a\" 1}", "line 2: a `:` is missing"),
            ("[1 2]", "line 1: a `,` is missing"),
            ("[1,]", "nothing comes after the comma"),
            ("{\"a\":1,2}", "a name in quotes is missing"),
            ("[", "ends in the midst"),
            ("]", "closes nothing"),
            ("[1}", "closes nothing"),
            ("\"open", "never closed"),
            ("hello", "a value is missing"),
        ] {
            let said = read(text, false).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(read(&"[".repeat(DEPTH + 1), false).expect_err("deep").contains("deeper"));
    }

    #[test]
    fn the_beginning_of_a_value_is_read_as_far_as_it_goes() {
        let tree = read("[{\"a\": 1}, {\"b\": \"tor", true).expect("a beginning");
        assert!(tree.cut);
        assert_eq!(tree.nodes.len(), 5);
        assert!(read("no JSON at all, for long enough", false).is_err());
    }

    #[test]
    fn no_control_character_comes_through_and_nothing_grows_without_end() {
        let text = "[\"a\u{1b}[31m\u{202e}b\", \"\\u001b[31m\"]";
        assert_eq!(shown(text)[1..3], [" \"a\u{fffd}[31m\u{fffd}b\"", " \"\\u001b[31m\""]);
        let many = format!("[{}1]", "1,".repeat(2 * LINES));
        let tree = read(&many, false).expect("JSON");
        assert!(tree.cut && tree.nodes.len() == LINES);
        let long = format!("\"{}\"", "x".repeat(10 * TEXT));
        assert!(shown(&long)[0].chars().count() < TEXT + 10);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[\\[\\]{}:,\"\\\\a1 \\n\u{1b}é-]{0,60}") {
            if let Ok(tree) = read(&text, text.len() % 2 == 0) {
                for node in &tree.nodes {
                    let value = match &node.value { Value::Plain(value) => value.as_str(), _ => "" };
                    let words = [node.key.as_deref().unwrap_or(""), value].concat();
                    proptest::prop_assert!(!words.chars().any(char::is_control), "{words:?}");
                }
            }
        }

        #[test]
        fn what_serde_reads_is_read(values in proptest::collection::vec("[a-z\"\\\\\\n]{0,6}", 0..6), n in proptest::num::i32::ANY) {
            let value = serde_json::json!({ "list": values, "number": n, "deep": { "x": [null, true] } });
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                proptest::prop_assert!(read(&text, false).is_ok(), "{text}");
            }
        }
    }
}
