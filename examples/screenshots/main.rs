//! `cargo run --example screenshots` draws `screenshots/*.svg` and `.png` from the tape in `screenshots/`;
//! with `--record` a new tape is made first, of real scripts on private OpenSSH servers. `--themes [NAME...]` draws a
//! sheet of screens in those themes, or in all, into `target/themes/`, to be looked at.

#[path = "../png/mod.rs"]
mod png;
mod scenes;

use std::fs;
use std::process::Command;

use quarterdeck::console::theme::Theme;

/// What a theme is judged by.
const SHEET: [&str; 3] = ["2jj<space>", "jjjjjje<pgdn><pgdn><up>", "3<enter>jjjjjjj"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--themes", names)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return themes(names);
    }
    if arguments.iter().any(|argument| argument == "--record") {
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

/// Overview, editor and job of three themes a sheet.
fn themes(names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let tape = scenes::tape()?;
    let all: Vec<&str> =
        if names.is_empty() { Theme::names().collect() } else { names.iter().map(String::as_str).collect() };
    fs::create_dir_all("target/themes")?;
    for some in all.chunks(3) {
        let screens = some.iter().flat_map(|theme| SHEET.map(|keys| scenes::in_theme(&tape, theme, keys)));
        let sheet = scenes::beside(&screens.collect::<Vec<_>>(), SHEET.len());
        let path = format!("target/themes/{}.png", some.join(","));
        fs::write(&path, png::of(&sheet)?)?;
        println!("{path}");
    }
    Ok(())
}
