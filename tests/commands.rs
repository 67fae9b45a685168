//! The ways to a command, in the real binary: palette, command line, actions menu, help, log.

mod support;

use quarterdeck::console::app::{commands, manual};
use quarterdeck::console::keymap::Keymap;
use support::pty::contents;
use support::{Console, Home};

#[test]
fn the_palette_changes_the_theme() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev"); // the engine has answered
    console.keys("<C-p>");
    console.sees("Palette");
    console.text("theme mono");
    console.wait("the theme is found first", |screen| contents(screen).contains("> mono"));
    console.keys("<enter>");
    console.loses("Palette");
    console.wait("a theme without colours", |screen| {
        let (rows, columns) = screen.size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        let mut written = cells.filter_map(|(row, column)| screen.cell(row, column)).filter(|cell| cell.has_contents());
        written.all(|cell| cell.contents() == " " || cell.fgcolor() == vt100::Color::Default)
    });
    console.quit().is_restored();
}

#[test]
fn the_command_line_completes_remembers_and_goes_to_a_job() {
    let home = Home::empty();
    home.script("says.sh", "#!/bin/sh\necho spoken\n");
    let id = home.qd(["run", "says.sh", "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let mut console = Console::start(&home);
    console.sees(&format!("{id} says"));
    console.text(":jo");
    console.keys("<tab>");
    console.sees(":job ");
    console.text(&format!("{id}\r"));
    console.sees(&format!("Jobs > {id} says.sh"));
    console.sees("o spoken");
    console.keys("q");
    console.loses("Jobs >");
    console.text(":jbo\r");
    console.sees("did you mean 'job'?");
    console.keys("<C-u>");
    console.keys("<up><up>"); // the slip is in the history as well, to be mended
    console.wait("the line written before", |screen| contents(screen).contains(&format!(":job {id}")));
    console.keys("<esc>");
    console.loses(":job ");
    console.quit().is_restored();

    let mut again = Console::start(&home);
    again.sees(&format!("{id} says"));
    again.text(":");
    again.sees("tab completes");
    again.keys("<up><up>");
    again.wait("the history of the last session", |screen| contents(screen).contains(&format!(":job {id}")));
    again.keys("<esc>");
    again.loses(":job "); // esc and a letter in one breath are alt and the letter
    again.quit().is_restored();
}

#[test]
fn the_actions_menu_leads_to_the_launch_dialog_and_no_further() {
    let home = Home::empty();
    home.script("says.sh", "#!/bin/sh\necho spoken\n");
    let mut console = Console::start(&home);
    console.sees("> says");
    console.text("x");
    console.sees("Actions  says.sh");
    console.sees("run..");
    console.text("r");
    console.sees("nothing is sent until you arm");
    console.keys("<esc>");
    console.loses("nothing is sent");
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), serde_json::json!([]), "nothing was launched");
    console.quit().is_restored();
}

#[test]
fn help_is_narrowed_by_typing_and_runs_what_it_shows() {
    let home = Home::empty();
    let mut console = Console::start(&home);
    console.sees("1 dev");
    console.text("?");
    console.sees("filter:");
    console.text("/go to the log");
    console.sees("go to the log: every");
    console.keys("<enter>");
    console.sees("the engine's own log: ");
    console.keys("<esc>");
    console.loses("> Log");
    console.quit().is_restored();
}

#[test]
fn read_mode_refuses_with_the_way_out() {
    let home = Home::empty();
    home.script("says.sh", "#!/bin/sh\necho spoken\n");
    let mut console = Console::start(&home);
    console.sees("> says");
    console.sees("[WRITE]");
    console.text("W");
    console.sees("[READ]");
    console.text("r");
    console.sees("W goes over to write");
    console.text("W");
    console.sees("[WRITE]");
    console.text("r");
    console.sees("nothing is sent until you arm");
    console.keys("<esc>");
    console.loses("nothing is sent");
    console.quit().is_restored();
}

const BEGIN: &str =
    "<!-- what stands between these two lines is printed by `quarterdeck keys --markdown --preset vi` -->\n";
const END: &str = "<!-- the end of it -->\n";

#[test]
fn the_readme_has_the_keys_as_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("where the keys begin");
    let (there, after) = rest.split_once(END).expect("where they end");
    let keys = manual::markdown(&Keymap::load("vi", None, &commands::known).0);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        std::fs::write(path, format!("{before}{BEGIN}{keys}{END}{after}")).unwrap();
    } else {
        assert!(there == keys, "the keys have changed: with INSTA_UPDATE=always this test writes them anew");
    }
    let home = Home::empty();
    assert_eq!(home.qd(["keys", "--markdown", "--preset", "vi"]).ok().text(), keys, "what the verb prints");
}
