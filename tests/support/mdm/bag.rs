//! One bag of parameters, however they come (contract 1.2): query, urlencoded, multipart, a JSON object.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Bag(BTreeMap<String, String>);

impl Bag {
    /// `Err`: the body is not what it says it is.
    pub async fn read(query: &str, content_type: &str, body: Bytes) -> Result<Self, String> {
        let mut bag = Self::default();
        bag.pairs(query);
        if body.is_empty() {
            return Ok(bag);
        }
        if content_type.starts_with("application/x-www-form-urlencoded") {
            bag.pairs(&String::from_utf8_lossy(&body));
        } else if content_type.starts_with("multipart/form-data") {
            let boundary = multer::parse_boundary(content_type).map_err(|error| error.to_string())?;
            let whole = futures::stream::iter([Ok::<_, std::io::Error>(body)]);
            let mut parts = multer::Multipart::new(whole, boundary);
            while let Some(part) = parts.next_field().await.map_err(|error| error.to_string())? {
                let name = part.name().unwrap_or_default().to_owned();
                let bytes = part.bytes().await.map_err(|error| error.to_string())?;
                bag.0.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        } else if content_type.starts_with("application/json") {
            let Ok(Value::Object(fields)) = serde_json::from_slice(&body) else {
                return Err("the body is no JSON object".to_owned());
            };
            for (name, value) in fields {
                let text = match value {
                    Value::String(text) => text,
                    Value::Array(items) => {
                        let words =
                            items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
                        words.collect::<Vec<_>>().join(",")
                    }
                    other => other.to_string(),
                };
                bag.0.insert(name, text);
            }
        }
        Ok(bag)
    }

    fn pairs(&mut self, text: &str) {
        let url = reqwest::Url::parse(&format!("http://x/?{text}")).expect("a query");
        self.0.extend(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())));
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn yes(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| matches!(value.to_lowercase().as_str(), "1" | "true"))
    }

    /// One comma-separated text of ids.
    pub fn ids(&self, name: &str) -> Result<Vec<u64>, String> {
        let words = self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| word.parse().map_err(|_| format!("{name}: {word:?} is no id"))).collect()
    }
}
