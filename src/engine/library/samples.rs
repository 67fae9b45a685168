//! The scripts that a first start finds in its library.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

macro_rules! samples {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../samples/", $name)))),+] };
}

pub(super) const SAMPLES: &[(&str, &str)] = samples![
    "cert-expiry.py",
    "disk-use.sh",
    "failed-units.sh",
    "listening-ports.sh",
    "pending-updates.sh",
    "recent-errors.sh",
    "top-memory.py",
    "uptime-load.sh",
    "windows-health.ps1",
];

/// Makes the folder and fills it. It appears whole or not at all: a start that breaks off half way
/// would otherwise leave a library that no later start completes.
pub(super) fn put(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    let mut draft = folder.file_name().unwrap_or_default().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = parent.join(draft);
    let made = fill(&draft).and_then(|()| fs::rename(&draft, folder));
    if made.is_err() {
        // what cannot be taken away again does no harm: it is no library
        let _ = fs::remove_dir_all(&draft);
    }
    // another start was quicker: its library is as good
    if folder.is_dir() { Ok(()) } else { made }
}

fn fill(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(folder)?;
    for (name, text) in SAMPLES {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(folder.join(name))?;
        io::Write::write_all(&mut file, text.as_bytes())?;
    }
    Ok(())
}
