//! An output as what it is: its text, and beside it the lines of an HTML page, a table or a tree. By what its script
//! says that it prints, else by how it begins. Bounded: of a larger output only the beginning is read, and that is said.

use super::csv::{self, Table};
use super::json::{self, Tree};
use super::{Content, html};

/// More of an output is not read, in bytes.
pub const LIMIT: usize = 4 << 20;
/// Lines kept as they were printed.
const LINES: usize = 200_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is shown as.
    pub content: Content,
    /// As it was printed.
    pub raw: Vec<String>,
    pub shape: Shape,
    /// It is longer than what is here.
    pub cut: bool,
    /// Why it is not shown as what it is said to be, or what else is to be known.
    pub said: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Lines(Vec<String>),
    Table(Table),
    Tree(Tree),
}

impl Document {
    /// `cut`: there is more of it than these bytes.
    pub fn of(bytes: &[u8], declared: Option<Content>, cut: bool) -> Self {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LIMIT)]);
        let cut = cut || bytes.len() > LIMIT;
        let raw: Vec<String> = text.lines().take(LINES).map(str::to_owned).collect();
        let wanted = declared.unwrap_or_else(|| guess(&text, cut));
        let (content, shape, said) = match shape(&text, wanted, cut) {
            Ok(shape) => (wanted, shape, None),
            Err(why) => (Content::Text, Shape::Lines(raw.clone()), Some(why)),
        };
        let inner = match &shape {
            Shape::Lines(_) => false,
            Shape::Table(table) => table.cut,
            Shape::Tree(tree) => tree.cut,
        };
        Self { content, raw, shape, cut: cut || inner, said }
    }
}

fn shape(text: &str, content: Content, cut: bool) -> Result<Shape, String> {
    Ok(match content {
        Content::Text => Shape::Lines(text.lines().take(LINES).map(str::to_owned).collect()),
        Content::Html => Shape::Lines(html::read(text).0),
        Content::Csv => Shape::Table(csv::read(text, csv::separator(text).unwrap_or(','))),
        Content::Json => Shape::Tree(json::read(text, cut)?),
    })
}

/// By how it begins.
fn guess(text: &str, cut: bool) -> Content {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let head: String = start.chars().take(512).collect::<String>().to_ascii_lowercase();
    let tags = ["<!doctype html", "<html", "<body", "<table", "<div", "<p>", "<ul", "<ol", "<h1", "<pre"];
    match head.chars().next() {
        Some('{' | '[') if json::read(start, cut).is_ok_and(|tree| tree.nodes.len() > 1) => Content::Json,
        Some('<') if tags.iter().any(|tag| head.starts_with(tag)) => Content::Html,
        _ if csv::separator(text).is_some() => Content::Csv,
        _ => Content::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Content {
        Document::of(text.as_bytes(), None, false).content
    }

    #[test]
    fn what_says_nothing_is_known_by_how_it_begins() {
        for (text, content) in [
            ("{\"a\": 1}\n", Content::Json),
            ("\n[1, 2]\n", Content::Json),
            ("{\"n\":1}\n{\"n\":2}\n", Content::Json),
            ("[INFO] starting\n", Content::Text),
            ("<!DOCTYPE html>\n<p>x", Content::Html),
            ("<table><tr><td>x", Content::Html),
            ("host,free\nweb,9\n", Content::Csv),
            ("done, at last\nand well\n", Content::Text),
            ("", Content::Text),
        ] {
            assert_eq!(of(text), content, "{text}");
        }
    }

    #[test]
    fn what_is_not_what_it_says_is_shown_as_it_was_printed_and_why() {
        let document = Document::of(b"warning: x\n{}", Some(Content::Json), false);
        assert_eq!(document.content, Content::Text);
        assert!(document.said.is_some_and(|said| said.contains("not JSON: line 1")));
        assert_eq!(document.raw, ["warning: x", "{}"]);
        assert_eq!(Document::of(b"a,b\n1,2\n", Some(Content::Text), false).content, Content::Text);
    }

    #[test]
    fn only_the_beginning_of_much_is_read() {
        let document = Document::of(&vec![b'x'; LIMIT + 1], None, false);
        assert!(document.cut && document.raw[0].len() == LIMIT);
        assert!(Document::of(b"\xff\xfe", None, false).raw[0].contains('\u{fffd}'));
    }
}
