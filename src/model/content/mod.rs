//! What a text is: plain, HTML, CSV or JSON. By what its script or its server says, else by how it begins.

mod clean;
pub mod csv;
pub mod document;
pub mod html;
pub mod json;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    Text,
    Html,
    Csv,
    Json,
}

impl Content {
    pub const ALL: [Content; 4] = [Content::Text, Content::Html, Content::Csv, Content::Json];

    pub const fn word(self) -> &'static str {
        match self {
            Content::Text => "text",
            Content::Html => "html",
            Content::Csv => "csv",
            Content::Json => "json",
        }
    }

    /// By its word, as headers write it.
    pub fn of_word(word: &str) -> Option<Content> {
        Self::ALL.into_iter().find(|content| content.word().eq_ignore_ascii_case(word))
    }

    /// By a media type: `text/html; charset=utf-8`, `application/json`, `text/json`.
    pub fn of_mime(mime: &str) -> Option<Content> {
        let kind = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.rsplit_once('/').map_or(kind.as_str(), |(_, kind)| kind) {
            "plain" => Some(Content::Text),
            "html" | "xhtml+xml" => Some(Content::Html),
            "csv" => Some(Content::Csv),
            "json" => Some(Content::Json),
            kind if kind.ends_with("+json") => Some(Content::Json),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_and_headers_call_it() {
        for (mime, content) in [
            ("text/html; charset=utf-8", Some(Content::Html)),
            ("TEXT/JSON", Some(Content::Json)),
            ("application/problem+json", Some(Content::Json)),
            ("text/csv", Some(Content::Csv)),
            ("text/plain", Some(Content::Text)),
            ("image/png", None),
            ("", None),
        ] {
            assert_eq!(Content::of_mime(mime), content, "{mime}");
        }
        assert_eq!(Content::of_word("JSON"), Some(Content::Json));
        assert_eq!(Content::of_word("yaml"), None);
    }
}
