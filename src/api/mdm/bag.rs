//! The parameters of a request, wherever they stand: query, urlencoded or multipart body, JSON object. They are one bag,
//! as they are for the system whose API this is; what stands in the body outweighs the query. Everything is bounded
//! before it is taken apart.

use bytes::Bytes;
use multer::Multipart;
use serde_json::{Map, Value as Json};

use super::envelope::Fault;
use crate::model::nearest::shown;

/// A script of 16 MiB as base64, and its parameters.
pub const BODY_MAX: usize = 24 << 20;

/// Parameters of one request, and bytes of a name.
const FIELDS: usize = 1_000;
const NAME_MAX: usize = 200;

/// Of a JSON body: how deep it may nest, and how many values it may hold. (A value costs some ten times the bytes that
/// write it.)
const DEPTH: usize = 16;
const VALUES: usize = 500_000;

/// Ids in one list.
pub const IDS: usize = 100_000;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Bytes { bytes: Vec<u8>, file: Option<String> },
    Json(Json),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bag {
    fields: Vec<(String, Value)>,
}

impl Bag {
    /// Of a query and a body.
    ///
    /// # Errors
    /// What cannot be read.
    pub async fn read(query: &str, kind: Option<&str>, body: Bytes) -> Result<Self, Fault> {
        let mut bag = Self::default();
        bag.urlencoded(query.as_bytes())?;
        if body.is_empty() {
            return Ok(bag);
        }
        let kind = kind.unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = essence == "application/json" || essence.ends_with("+json");
        if essence == "multipart/form-data" {
            let boundary = multer::parse_boundary(kind)
                .map_err(|_| Fault::bad("the Content-Type is multipart/form-data, but names no boundary"))?;
            bag.multipart(body, boundary).await?;
        } else if (json || essence.is_empty()) && body.starts_with(b"--") {
            // a client that labels its uploads wrongly: the first line is the boundary
            let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let boundary = std::str::from_utf8(line).unwrap_or_default().trim_end().trim_start_matches("--");
            if boundary.is_empty() || boundary.len() > NAME_MAX {
                return Err(Fault::bad("the body is neither JSON nor multipart"));
            }
            let boundary = std::str::from_utf8(line).unwrap_or_default().trim_end()[2..].to_owned();
            bag.multipart(body, boundary).await?;
        } else if json || (essence.is_empty() && body.first().is_some_and(|byte| *byte == b'{')) {
            bag.json(&body)?;
        } else if essence.is_empty() || essence == "application/x-www-form-urlencoded" {
            bag.urlencoded(&body)?;
        } else {
            let kind = shown(&essence);
            return Err(Fault::bad(format!(
                "a body of type {kind} is not understood: send a form (urlencoded or multipart) or JSON"
            )));
        }
        Ok(bag)
    }

    fn put(&mut self, name: String, value: Value) -> Result<(), Fault> {
        if self.fields.len() >= FIELDS {
            return Err(Fault::bad(format!("more than {FIELDS} parameters")));
        }
        if name.len() > NAME_MAX {
            return Err(Fault::bad(format!("the name of a parameter is longer than {NAME_MAX} bytes")));
        }
        self.fields.push((name, value));
        Ok(())
    }

    fn urlencoded(&mut self, text: &[u8]) -> Result<(), Fault> {
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            let name = String::from_utf8(decoded(name)).map_err(|_| Fault::bad("a parameter's name is not UTF-8"))?;
            self.put(name, Value::Bytes { bytes: decoded(value), file: None })?;
        }
        Ok(())
    }

    async fn multipart(&mut self, body: Bytes, boundary: String) -> Result<(), Fault> {
        let broken = |error: multer::Error| {
            let why = match error {
                multer::Error::IncompleteFieldData { .. }
                | multer::Error::IncompleteHeaders
                | multer::Error::IncompleteStream => "it was cut off".to_owned(),
                other => other.to_string(),
            };
            Fault::bad(format!("the multipart body cannot be read: {why}"))
        };
        let stream = futures::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
        let mut parts = Multipart::new(stream, boundary);
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let file = part.file_name().map(str::to_owned);
            let bytes = part.bytes().await.map_err(broken)?.to_vec();
            self.put(name, Value::Bytes { bytes, file })?;
        }
        Ok(())
    }

    fn json(&mut self, body: &[u8]) -> Result<(), Fault> {
        weigh(body)?;
        let value: Json =
            serde_json::from_slice(body).map_err(|error| Fault::bad(format!("the body is not JSON: {error}")))?;
        let Json::Object(object) = value else { return Err(Fault::bad("the JSON body must be an object")) };
        for (name, value) in object {
            self.put(name, Value::Json(value))?;
        }
        Ok(())
    }

    fn last(&self, name: &str) -> Option<&Value> {
        self.fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some_and(|value| *value != Value::Json(Json::Null))
    }

    /// A text; `None`: it is not there.
    ///
    /// # Errors
    /// It is none.
    pub fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.last(name) {
            None | Some(Value::Json(Json::Null)) => Ok(None),
            Some(Value::Bytes { bytes, .. }) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(Fault::invalid(format!("{name}: not UTF-8"))),
            },
            Some(Value::Json(Json::String(text))) => Ok(Some(text.clone())),
            Some(Value::Json(Json::Number(number))) => Ok(Some(number.to_string())),
            Some(Value::Json(Json::Bool(flag))) => Ok(Some(flag.to_string())),
            Some(Value::Json(_)) => Err(Fault::invalid(format!("{name}: a text is expected"))),
        }
    }

    /// The same, where an empty one is as good as none.
    ///
    /// # Errors
    /// It is no text.
    pub fn word(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(name)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// Bytes as they came: of a file, or of a text.
    ///
    /// # Errors
    /// It is neither.
    pub fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self.last(name) {
            Some(Value::Bytes { bytes, .. }) => Ok(Some(bytes.clone())),
            _ => Ok(self.text(name)?.map(String::into_bytes)),
        }
    }

    /// The file name that came with a part.
    pub fn file_name(&self, name: &str) -> Option<&str> {
        match self.last(name) {
            Some(Value::Bytes { file, .. }) => file.as_deref(),
            _ => None,
        }
    }

    /// # Errors
    /// It is neither yes nor no.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(word) = self.word(name)? else { return Ok(None) };
        match word.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "t" | "y" => Ok(Some(true)),
            "0" | "false" | "no" | "off" | "f" | "n" => Ok(Some(false)),
            _ => Err(Fault::invalid(format!("{name}: 1 or 0 is expected, not '{}'", shown(&word)))),
        }
    }

    /// Words of a list: with commas between them, given several times (`name[]`), or as a JSON array.
    ///
    /// # Errors
    /// It holds something else.
    pub fn words(&self, name: &str) -> Result<Vec<String>, Fault> {
        let wrong = || Fault::invalid(format!("{name}: a list is expected, with commas between its items"));
        let several = format!("{name}[]");
        let mut words = Vec::new();
        let mut split = |text: &str| {
            words.extend(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned));
        };
        for (_, value) in self.fields.iter().filter(|(known, _)| *known == name || *known == several) {
            match value {
                Value::Bytes { bytes, .. } => split(std::str::from_utf8(bytes).map_err(|_| wrong())?),
                Value::Json(Json::Null) => {}
                Value::Json(Json::Array(items)) => {
                    for item in items {
                        match item {
                            Json::String(text) => split(text),
                            Json::Number(number) => split(&number.to_string()),
                            _ => return Err(wrong()),
                        }
                    }
                }
                Value::Json(Json::String(text)) => split(text),
                Value::Json(Json::Number(number)) => split(&number.to_string()),
                Value::Json(_) => return Err(wrong()),
            }
        }
        Ok(words)
    }

    /// Ids of a list, each once.
    ///
    /// # Errors
    /// It holds something else.
    pub fn ids(&self, name: &str) -> Result<Vec<u64>, Fault> {
        let mut ids = Vec::new();
        for word in self.words(name)? {
            let id = word.parse().ok().filter(|id| *id > 0);
            ids.push(id.ok_or_else(|| Fault::invalid(format!("{name}: '{}' is not an id", shown(&word))))?);
        }
        if ids.len() > IDS {
            return Err(Fault::invalid(format!("{name}: at most {IDS} ids; name a group instead")));
        }
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        Ok(ids)
    }

    /// Values by a name of their own: `params[name]=value`, or an object.
    ///
    /// # Errors
    /// It holds something else.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, Fault> {
        let wrong = |key: &str| Fault::invalid(format!("{name}[{}]: a text is expected", shown(key)));
        let mut pairs = Vec::new();
        for (known, value) in &self.fields {
            let key = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            match (key, value) {
                (Some(key), Value::Bytes { bytes, .. }) => {
                    let value = String::from_utf8(bytes.clone()).map_err(|_| wrong(key))?;
                    pairs.push((key.to_owned(), value));
                }
                (None, Value::Json(Json::Object(object))) if known == name => {
                    for (key, value) in object {
                        pairs.push((key.clone(), plain(value).ok_or_else(|| wrong(key))?));
                    }
                }
                _ => {}
            }
        }
        Ok(pairs)
    }

    /// Objects of a JSON array.
    ///
    /// # Errors
    /// It is none.
    pub fn objects(&self, name: &str) -> Result<&[Json], Fault> {
        match self.last(name) {
            Some(Value::Json(Json::Array(items))) if items.iter().all(Json::is_object) => Ok(items),
            _ => Err(Fault::invalid(format!("{name}: a JSON array of objects is expected"))),
        }
    }
}

/// A value as the text that a form would have sent.
pub fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null => Some(String::new()),
        _ => None,
    }
}

/// The text of an object's field.
pub fn field(object: &Json, name: &str) -> Option<String> {
    object.as_object().and_then(|object: &Map<String, Json>| plain(object.get(name)?))
}

/// What a JSON text would cost, looked at before it is taken apart.
fn weigh(body: &[u8]) -> Result<(), Fault> {
    let (mut depth, mut values, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in body {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > DEPTH {
            return Err(Fault::bad(format!("the JSON body nests deeper than {DEPTH}")));
        }
        if values > VALUES {
            return Err(Fault::bad(format!("the JSON body holds more than {VALUES} values")));
        }
    }
    Ok(())
}

/// `%41` and `+` of a form. What is no escape stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                at += 3;
                continue;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests;
