//! The launcher's one line, found in what comes on stderr.

/// Bytes of stderr in which the launcher's line is looked for.
const NOISE: usize = 64 * 1024;

/// What the launcher's line said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The script starts, as the leader of this process group, under this login shell.
    Started { group: u32, shell: String },
    /// This folder had no room for the script.
    Full(String),
    /// No folder takes a file.
    Nowhere,
    /// `/dev/fd` has no room for a third descriptor here.
    NoDescriptors,
    /// The script did not arrive whole: we had ended the channel.
    Short,
}

/// Looks for the launcher's line in stderr.
pub struct Preamble {
    token: Vec<u8>,
    held: Vec<u8>,
}

/// What a piece of stderr brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Not yet; the bytes are held.
    Nothing,
    /// The line, and what of the piece follows it.
    Line(Said, Vec<u8>),
    /// More than a login shell prints without the line: these bytes are no launcher's.
    TooMuch(Vec<u8>),
}

impl Preamble {
    pub fn new(token: &str) -> Self {
        Self { token: format!("{token}:").into_bytes(), held: Vec::new() }
    }

    pub fn hear(&mut self, bytes: &[u8]) -> Heard {
        self.held.extend_from_slice(bytes);
        if let Some(start) = memchr::memmem::find(&self.held, &self.token)
            && let Some(length) = memchr::memchr(b'\n', &self.held[start..])
        {
            let line = String::from_utf8_lossy(&self.held[start + self.token.len()..start + length]).into_owned();
            let rest = self.held[start + length + 1..].to_vec();
            let (kind, detail) = line.split_once(':').unwrap_or((line.as_str(), ""));
            let said = match kind {
                "go" => {
                    let (group, shell) = detail.split_once(':').unwrap_or((detail, ""));
                    Said::Started { group: group.parse().unwrap_or(0), shell: shell.to_owned() }
                }
                "full" => Said::Full(detail.to_owned()),
                "nofd" => Said::NoDescriptors,
                "short" => Said::Short,
                _ => Said::Nowhere,
            };
            return Heard::Line(said, rest);
        }
        if self.held.len() > NOISE {
            return Heard::TooMuch(std::mem::take(&mut self.held));
        }
        Heard::Nothing
    }

    /// What was held when the channel closed without the line.
    pub fn noise(&self) -> &[u8] {
        &self.held
    }
}
