//! `cargo run --example screenshots` draws `screenshots/*.svg` and `.png` from the tape in `screenshots/`;
//! with `--record` a new tape is made first, of real scripts on private OpenSSH servers.

#[path = "../png/mod.rs"]
mod png;
mod scenes;

use std::fs;
use std::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().skip(1).any(|argument| argument == "--record") {
        // The rig of the tests starts the servers and the engine, so a test does the recording.
        let words = ["test", "--test", "screenshots", "record", "--", "--ignored"];
        let done = Command::new(env!("CARGO")).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
        if !done.success() {
            return Err("nothing was recorded".into());
        }
    }
    let folder = scenes::folder();
    for (name, svg) in scenes::pictures(&scenes::tape()?) {
        fs::write(folder.join(format!("{name}.svg")), &svg)?;
        fs::write(folder.join(format!("{name}.png")), png::of(&svg)?)?;
        println!("screenshots/{name}.png");
    }
    Ok(())
}
