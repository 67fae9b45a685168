//! What is sent: fields, in the encoding that SimpleMDM's documentation shows for them. Pure.

use bytes::Bytes;

/// Fields of a request, in order.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<(&'static str, Vec<u8>)>,
    /// The name of the field that is a file, if one is.
    file: Option<&'static str>,
    boundary: String,
}

impl Form {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into().into_bytes()));
        self
    }

    /// A file's contents: with it the request is a multipart one.
    #[must_use]
    pub fn file(mut self, name: &'static str, contents: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, contents.into()));
        self.file = Some(name);
        // (a text that holds the boundary would be cut there)
        self.boundary = loop {
            let boundary = format!("quarterdeck-{:032x}", fastrand::u128(..));
            let holds = |bytes: &[u8]| memchr::memmem::find(bytes, boundary.as_bytes()).is_some();
            if !self.fields.iter().any(|(_, value)| holds(value)) {
                break boundary;
            }
        };
        self
    }

    pub fn content_type(&self) -> String {
        match self.file {
            Some(_) => format!("multipart/form-data; boundary={}", self.boundary),
            None => "application/x-www-form-urlencoded".to_owned(),
        }
    }

    pub fn body(&self) -> Bytes {
        let mut body = Vec::new();
        if self.file.is_none() {
            for (name, value) in &self.fields {
                if !body.is_empty() {
                    body.push(b'&');
                }
                body.extend_from_slice(format!("{name}={}", escaped(value)).as_bytes());
            }
            return body.into();
        }
        for (name, value) in &self.fields {
            let file = if self.file == Some(name) { "; filename=\"script.sh\"" } else { "" };
            let head = format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n", self.boundary);
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        body.into()
    }
}

/// A text as one value in an address.
pub fn encoded(text: &str) -> String {
    escaped(text.as_bytes())
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(form: &Form) -> String {
        String::from_utf8(form.body().to_vec()).unwrap()
    }

    #[test]
    fn fields_alone_are_urlencoded() {
        let form = Form::new().field("script_id", "7").field("device_ids", "1,2").field("x", "a b&é");
        assert_eq!(form.content_type(), "application/x-www-form-urlencoded");
        assert_eq!(sent(&form), "script_id=7&device_ids=1%2C2&x=a%20b%26%C3%A9");
    }

    #[test]
    fn a_file_arrives_byte_for_byte() {
        let form = Form::new().field("name", "Say \"hi\"").file("file", "#!/bin/sh\r\necho é\n");
        let boundary = form.content_type().strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nSay \"hi\"\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"script.sh\"\r\n\r\n#!/bin/sh\r\necho é\n\r\n--{boundary}--\r\n"
        );
        assert_eq!(sent(&form), expected);
    }
}
