//! Servers' scripts under their connections: what is seen, what is folded, and where the cursor stays.

use super::super::sample::{self, Session, at};
use super::*;
use crate::console::app::commands::Do;
use crate::console::app::kept::Kept;
use crate::model::connection::Capabilities;

const READ_ONLY: &str = "WebScripts hands out no script's text and takes none";

const CLOSED: &str = "which scripts a server has is in its own configuration";

pub fn of_server(connection: &str, name: &str, category: &str, describe: &str) -> ScriptInfo {
    ScriptInfo {
        connection: Some(connection.into()),
        category: category.into(),
        read_only: Some(READ_ONLY.into()),
        path: None,
        number: None,
        interpreter: vec![],
        ..sample::script(&format!("{connection}:{name}"), "python3", describe)
    }
}

fn shelf(connection: &str) -> Shelf {
    Shelf {
        connection: connection.into(),
        read_at: Some(at(-120)),
        problem: None,
        reading: false,
        closed: Some(CLOSED.into()),
        bare: None,
    }
}

/// The sample's library, a server with scripts in three categories, one that could not be read, and one that is.
pub fn starting(size: (u16, u16), ascii: bool) -> Session {
    let mut session = Session::starting(size, ascii);
    session.scripts.scripts.extend([
        of_server("ws", "year.py", "Reports", "the figures of a year"),
        of_server("ws", "restart.sh", "", "starts the service anew"),
        of_server("ws", "disk.py", "Reports", "how full the disks are"),
        of_server("ws", "users.py", "Accounts", "who may log in"),
    ]);
    let mut broken = shelf("old");
    broken.read_at = None;
    broken.problem = Some("http://old.example:8000: the connection was refused".into());
    let reading = Shelf { read_at: None, reading: true, ..shelf("slow") };
    session.scripts.shelves = vec![broken, reading, shelf("ws")];
    for name in ["old", "slow", "ws"] {
        let mut server = sample::connection(name, "webscripts", 1);
        server.capabilities = Capabilities { cancel_running: false, own_library: true, ..Capabilities::own_runs() };
        session.targets.connections.push(server);
    }
    session
}

pub fn session(size: (u16, u16), ascii: bool) -> Session {
    let mut session = starting(size, ascii);
    session.attach();
    session
}

/// Each row in a few letters: branches with their fold, scripts by their names.
fn rows(session: &Session) -> Vec<String> {
    let branches = &session.app.overview.branches;
    let word = |row: &Row| match *row {
        Row::Script(at, hang) => {
            format!("{}{}", "  ".repeat(hang.depth.into()), session.app.scripts[at as usize].name)
        }
        Row::System { at, open } => format!("{} {}", if open { "-" } else { "+" }, branches.systems[at as usize].name),
        Row::Category { at, open, .. } => {
            format!("  {} {}", if open { "-" } else { "+" }, branches.categories[at as usize].name)
        }
    };
    branches.rows.iter().map(word).collect()
}

fn row(session: &Session) -> String {
    rows(session)[session.app.overview.scripts.at].trim().to_owned()
}

const ALL: [&str; 14] = [
    "disk-use.sh",
    "failed-units.sh",
    "listening.py",
    "os-patch.sh",
    "uptime.ps1",
    "+ old",
    "+ slow",
    "- ws",
    "  ws:restart.sh",
    "  - Accounts",
    "    ws:users.py",
    "  - Reports",
    "    ws:disk.py",
    "    ws:year.py",
];

#[test]
fn scripts_stand_under_their_connection_and_category() {
    assert_eq!(rows(&session((80, 24), true)), ALL);
}

#[test]
fn a_branch_is_folded_and_unfolded_and_the_cursor_stays_on_it() {
    let mut session = session((80, 24), true);
    session.keys("G");
    assert_eq!(row(&session), "ws:year.py");
    session.keys("h");
    assert_eq!(row(&session), "- Reports", "first to what it hangs on");
    session.keys("h");
    assert_eq!((row(&session).as_str(), rows(&session).len()), ("+ Reports", 12), "then that is closed");
    session.keys("hh");
    assert_eq!((row(&session).as_str(), rows(&session).len()), ("+ ws", 8));
    session.keys("l");
    assert_eq!((row(&session).as_str(), rows(&session).len()), ("- ws", 12), "what was folded in it still is");
    session.keys("G<enter>");
    assert_eq!(rows(&session), ALL, "enter turns it too");
    session.keys("<enter>");
    assert_eq!(row(&session), "+ Reports");
}

#[test]
fn a_filter_shows_what_passes_whatever_is_folded_and_leaves_the_folds_alone() {
    let mut session = session((80, 24), true);
    session.keys("Ghhhh").keys("/disk");
    assert_eq!(rows(&session), ["disk-use.sh", "- ws", "  - Reports", "    ws:disk.py"]);
    assert_eq!(row(&session), "disk-use.sh", "the first script that passes");
    session.keys("<C-u>year");
    assert_eq!(row(&session), "ws:year.py", "not the branch above it");
    assert_eq!(session.app.filter_said(ListId::Scripts).split(':').next(), Some("1 of 9, hiding 8"));
    session.keys("<C-u>category:reports<enter>");
    assert_eq!(rows(&session), ["- ws", "  - Reports", "    ws:disk.py", "    ws:year.py"]);
    session.keys("h<esc><esc>"); // (a notice goes first)
    assert_eq!(rows(&session)[7..], ["+ ws"]);
}

#[test]
fn the_order_is_that_of_the_list_in_every_branch() {
    let mut session = session((80, 24), true);
    session.keys("S");
    assert_eq!(rows(&session)[..2], ["uptime.ps1", "os-patch.sh"]);
    assert_eq!(rows(&session)[12..], ["    ws:year.py", "    ws:disk.py"], "turned round, in its place");
}

#[test]
fn marks_are_made_on_scripts_alone_and_those_out_of_sight_are_counted() {
    let mut session = session((80, 24), true);
    session.keys("G ").keys("hh").keys(" ");
    let look = &session.app.overview.script_look;
    assert_eq!((look.marks.len(), look.marked().as_str()), (1, "1 marked, 1 not shown"));
    session.keys("U*");
    assert_eq!(session.app.overview.script_look.marks.len(), 7, "those that are seen");
}

#[test]
fn folds_and_place_come_back() {
    let mut first = session((80, 24), true);
    first.keys("Ghh");
    let text = serde_json::to_string(&first.app.kept()).unwrap();
    let mut next = starting((80, 24), true);
    next.app.restore(serde_json::from_str::<Kept>(&text).unwrap());
    next.attach();
    assert_eq!((rows(&next), row(&next)), (rows(&first), row(&first)));
    assert_eq!(row(&next), "+ Reports");
    assert_eq!(next.screen(), first.screen());
    // a server that is not there any more takes nothing with it
    let mut without = Session::starting((80, 24), true);
    without.app.restore(serde_json::from_str::<Kept>(&text).unwrap());
    without.attach();
    assert_eq!(rows(&without).len(), 5);
}

#[test]
fn on_a_branch_verbs_about_a_script_say_what_to_choose() {
    let mut session = session((80, 24), true);
    session.keys("Ghh");
    for (key, said) in [
        ("r", "Reports is a category of ws: choose one of its scripts"),
        ("e", "Reports is a category of ws: choose one of its scripts"),
        ("hhe", "ws is a server with scripts of its own: choose one of them"),
        ("kkr", "no script of old is known"),
    ] {
        session.keys(key);
        assert_eq!(session.app.hint.as_deref(), Some(said), "{key}");
        assert!(session.app.layers.is_empty(), "{key}");
    }
}

#[test]
fn what_a_server_does_not_allow_is_said_by_every_way_to_it() {
    let mut session = session((80, 24), true);
    session.keys("Ge");
    let told = session.app.hint.clone().unwrap_or_default();
    assert!(told.starts_with("ws:year.py is ws's: WebScripts hands out no script's text"), "{told}");
    session.keys("x");
    for verb in [Do::Edit, Do::EditOutside, Do::RenameScript, Do::DeleteScript] {
        let Some(super::super::Layer::Menu(menu)) = session.app.layers.last() else { panic!("the menu is open") };
        let row = menu.rows.iter().find(|row| row.command.verb == verb).expect("it is listed");
        assert!(
            row.why.as_deref().is_some_and(|why| why.contains(READ_ONLY) || why.contains(CLOSED)),
            "{verb:?}: {:?}",
            row.why
        );
    }
}

#[test]
fn a_library_that_could_not_be_read_is_a_problem_with_its_reason_and_what_to_do() {
    let mut session = session((80, 24), true);
    session.keys("!");
    assert_eq!(rows(&session), ["+ old"]);
    let screen = session.screen();
    for said in ["! not read", "the connection was refused", "quarterdeck doctor old", "reads them again"] {
        assert!(screen.contains(said), "{said}:\n{screen}");
    }
}

#[test]
fn a_script_out_of_sight_is_found_by_its_name() {
    let mut session = session((80, 24), true);
    session.keys("Ghhhh").keys("gg");
    session.app.act(super::super::act::Act::Script("ws:users.py".into()), &mut Vec::new());
    assert_eq!(row(&session), "ws:users.py");
}

#[test]
fn many_scripts_of_a_server_begin_folded_by_category() {
    let mut session = Session::starting((80, 24), true);
    let many = (0..1000).map(|n| of_server("ws", &format!("s{n:04}.py"), &format!("C{}", n % 10), "x"));
    session.scripts.scripts.extend(many);
    session.scripts.shelves = vec![shelf("ws")];
    session.attach();
    assert_eq!(rows(&session).len(), 5 + 1 + 10);
    assert_eq!(rows(&session)[6], "  + C0");
    session.keys("/s000");
    assert_eq!(rows(&session).len(), 1 + 10 + 10, "a filter opens what passes");
}

proptest::proptest! {
    #[test]
    fn every_script_that_passes_is_there_once(folds in proptest::collection::vec((0_usize..20, proptest::bool::ANY), 0..12)) {
        let mut session = session((80, 24), true);
        for (at, open) in folds {
            let len = session.app.overview.branches.rows.len();
            session.app.put_cursor(ListId::Scripts, at % len);
            session.keys(if open { "l" } else { "h" });
        }
        let seen = session.app.overview.branches.rows.iter().filter(|row| matches!(row, Row::Script(..))).count();
        proptest::prop_assert!(seen <= session.app.overview.script_order.len());
        proptest::prop_assert!(session.app.overview.scripts.at < session.app.overview.branches.rows.len());
        session.keys("/.<enter>");
        let mut seen: Vec<u32> = session.app.overview.branches.rows.iter().filter_map(|row| if let Row::Script(at, _) = row { Some(*at) } else { None }).collect();
        seen.sort_unstable();
        let all: Vec<u32> = (0..session.app.scripts.len() as u32).collect();
        proptest::prop_assert_eq!(seen, all);
    }
}
