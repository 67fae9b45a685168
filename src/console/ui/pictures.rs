//! Every screen and every dialog as pictures with their styles: at the three sizes, in ASCII and in UTF-8. What a row
//! looks like stands behind it, so that a colour that goes astray is seen in a review like a word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::tests::{FILES, SCREENS};
use crate::console::app::branches;
use crate::console::app::notices::Level;
use crate::console::app::prompt::Purpose;
use crate::console::app::sample::{self, Session};
use crate::console::app::shelf::SaveProblem;
use crate::console::app::{Effect, Event, Layer, View};
use crate::console::ui;
use crate::model::content::document::Document;
use crate::model::rollout::Paused;
use crate::model::state::RunState;
use crate::model::template::{Form, Template};
use crate::model::ways::{Line, Masking};
use crate::model::wire::{Code, Problem, Turned};

const SIZES: [(u16, u16); 3] = [(80, 24), (140, 40), (60, 15)];

/// Name, what the world does before, the keys that lead there, and what the world does then.
struct Scene {
    name: &'static str,
    before: fn(&mut Session),
    keys: &'static str,
    after: fn(&mut Session),
}

const fn scene(name: &'static str, keys: &'static str) -> Scene {
    Scene { name, before: attach, keys, after: nothing }
}

fn attach(session: &mut Session) {
    session.attach();
}

fn nothing(_: &mut Session) {}

/// What [`SCREENS`] and [`FILES`] do not show.
fn scenes() -> Vec<Scene> {
    let mut scenes = vec![
        scene("themes", "gc"),
        scene("keymaps", ":keymap<enter>"),
        scene("sort", "3s"),
        scene("columns", "3c"),
        scene("filter", "/sh !py"),
        scene("filter-wrong", "/nam:x"),
        scene("filtered", "/sh<enter>*"),
        scene("search", "3<enter>3/41"),
        scene("only-matching", "3<enter>3&41"),
        scene("pipe", "3<enter>3|sort -k5"),
        scene("save-text", "3<enter>3<A-s>~/out.txt"),
        scene("device", "3<enter>gdweb0"),
        scene("template-name", "rlocal<A-s>nightly"),
        scene("planned", "rprod<A-t>"),
        scene("launch-check-alone", "rprod<A-c>1, 30%, 100%<A-d><A-d>"),
        scene("launch-how-alone", "rweb<A-c><A-c>"),
        scene("launch-wrong", "rweb &"),
        scene("groups-note", "3ujmRB-77: wait"),
        scene("groups-runbook", "3ujOhttps://wiki.example/rb/77"),
        scene("groups-base", "3ujd"),
        scene("groups-diff", "3uj3"),
        scene("editor-find", "e<C-f>rc"),
        scene("editor-goto", "e<C-g>12"),
        scene("editor-save", "ex<F5>"),
        scene("editor-draft", "ex<A-x>"),
        scene("editor-ex-wrong", "e<F4>:nonsense<enter>"),
        scene("editor-help", "e<F1>"),
        scene("all-keys", "??"),
        scene("groups-merge", "3uj<space><space>+"),
        scene("groups-split", "3uj_"),
        scene("export", "3D"),
        scene("past-found", "g/41% --device web00<enter>jj"),
        scene("where-used", "wj"),
        scene("changes", "3dj"),
        scene("read-mode", "Wr"),
        scene("refused", "3G<enter>K"),
        scene("full-scripts", "f"),
        scene("full-targets", "2f"),
        scene("full-jobs", "3f"),
        scene("full-preview", "4f"),
        scene("full-grid", "3<enter>1f"),
        scene("full-devices", "3<enter>f"),
        scene("full-tail", "3<enter>3f"),
        scene("groups-exact", "3ui"),
    ];
    for (name, keys) in [
        ("servers", "G"),
        ("servers-branch", "Gh"),
        ("servers-broken", "jjjjj"),
        ("servers-slow", "jjjjjj"),
        ("servers-filtered", "/disk<enter>"),
        ("servers-menu", "Gx"),
    ] {
        scenes.push(Scene { before: servers, ..scene(name, keys) });
    }
    scenes.push(Scene { before: endless, ..scene("stop-endless", "3K") });
    scenes.push(Scene { before: paused, ..scene("go-on", "3<enter>p") });
    scenes.push(Scene { after: closed, ..scene("go-on-anyway", "3<enter>") });
    scenes.push(Scene { after: document, ..scene("reader", "3<enter>o") });
    scenes.push(Scene { name: "unread", before: unread, keys: "", after: nothing });
    scenes.push(Scene { name: "starting", before: nothing, keys: "", after: nothing });
    scenes.push(Scene { name: "empty", before: empty, keys: "", after: nothing });
    scenes.push(Scene { after: lost, ..scene("lost", "") });
    scenes.push(Scene { before: noticed, ..scene("log", "gl") });
    scenes.push(Scene { before: noticed, ..scene("notice", "") });
    scenes.push(Scene { before: protect, ..scene("write", "W") });
    scenes.push(Scene { before: protect, ..scene("protected", "Wl<enter>r") });
    scenes.push(Scene { after: taken, ..scene("template-taken", "rlocal<A-s>nightly<enter>") });
    scenes.push(Scene { after: changed, ..scene("editor-changed", "ex<F3>") });
    scenes.push(Scene { after: masked, ..scene("groups-template", "3ujw") });
    scenes.push(Scene { after: |session| rule(session, "<enter>CDN [0-9]+"), ..scene("groups-mask", "3ujw") });
    scenes.push(Scene { after: |session| rule(session, "<down><enter>CDN ("), ..scene("groups-keep", "3ujw") });
    scenes.push(Scene { after: piped, ..scene("piped", "3<enter>3|sort<enter>") });
    scenes
}

fn empty(session: &mut Session) {
    session.scripts.scripts.clear();
    session.jobs.clear();
    session.targets = crate::model::wire::Targets::default();
    session.attach();
}

fn servers(session: &mut Session) {
    let with = branches::tests::starting((80, 24), true);
    (session.scripts, session.targets) = (with.scripts, with.targets);
    session.attach();
}

/// A job of which a part runs where nothing can be ended.
fn endless(session: &mut Session) {
    let mut job = sample::job(13, &[RunState::Running, RunState::Running, RunState::Sent]);
    job.summary.script = "ws:year.py".into();
    for (run, on) in job.runs.iter_mut().zip(["ws", "lab", "ws"]) {
        run.device = format!("{on}:{}", run.name);
    }
    session.jobs.insert(0, job);
    servers(session);
}

fn paused(session: &mut Session) {
    session.jobs[0].summary.progress.paused = Some(Paused { by: "s.oz".into(), at: sample::at(0), why: None });
    session.attach();
}

/// A job that was paused is not let go on.
fn closed(session: &mut Session) {
    let against = "of the 103 left to send to, 8 in change freeze until Monday 06:00".to_owned();
    let (job, questions) = (session.jobs[0].summary.clone(), Vec::new());
    let turned = Turned { changed: false, says: String::new(), job, against: Some(against), questions };
    session.tell(Event::Turned { job: 12, answer: Box::new(Ok(turned)) });
}

fn document(session: &mut Session) {
    let text = "{\"host\": \"web001\", \"disks\": [{\"name\": \"sda1\", \"used\": 41}], \"ok\": true}";
    let answer = Box::new(Ok(Document::of(text.as_bytes(), None, false)));
    session.tell(Event::Document { serial: 1, answer });
}

/// Nothing that the overview shows could be read.
fn unread(session: &mut Session) {
    let problem = || Problem { code: Code::Internal, error: "the disk is full".into(), column: None };
    session.app.update_all([
        Event::Attached(Box::new(sample::hello())),
        Event::Library(Err(problem())),
        Event::Targets(Err(problem())),
        Event::Jobs(Err(problem())),
    ]);
}

fn lost(session: &mut Session) {
    session.tell(Event::Lost { why: "the engine ended".into(), retry: true });
}

fn noticed(session: &mut Session) {
    session.attach();
    session.app.say(Level::Warn, "config.toml, line 3: unknown key `colour`; did you mean `color`?");
    session.app.say(Level::Error, "the jobs could not be read again: no engine answers; ^r tries again");
    session.app.say(Level::Info, "job 12 was launched on 412 devices");
}

fn protect(session: &mut Session) {
    session.targets.connections[1].protected = true;
    session.attach();
}

fn taken(session: &mut Session) {
    let template = Template { name: "nightly".into(), form: Form::default() };
    let answer = Err(Problem { code: Code::Unconfirmed, error: "there is one".into(), column: None });
    session.tell(Event::TemplateKept { template, answer });
}

fn changed(session: &mut Session) {
    let answer = Err(SaveProblem::Changed { version: "77aa00b1c2d3".into(), bytes: b"theirs\n".to_vec() });
    session.tell(Event::Saved { name: "disk-use.sh".into(), answer });
}

fn masked(session: &mut Session) {
    let asked = session.sent.iter().find_map(|effect| match effect {
        Effect::LoadMasking { job, signature } => Some((*job, signature.clone())),
        _ => None,
    });
    let (job, signature) = asked.expect("the window asks for it");
    let line = Line { raw: "retry 3/3 failed: CDN 503".into(), masked: "retry <n>/<n> failed: CDN <n>".into() };
    let masking = Masking {
        script: "disk-use.sh".into(),
        signature: signature.clone(),
        device: "lab:web023".into(),
        template: vec![line.masked.clone()],
        lines: vec![line],
        ..Masking::default()
    };
    session.tell(Event::MaskingRead { job, signature, answer: Ok(masking) });
}

fn rule(session: &mut Session, keys: &str) {
    masked(session);
    session.keys(keys);
}

fn piped(session: &mut Session) {
    let text = "/dev/sda1  41% used\n/dev/sda2  97% used\n".to_owned();
    session.tell(Event::Piped { serial: 1, text, ended: Some("sort ended well".into()) });
}

fn all() -> Vec<Scene> {
    let tables = SCREENS.into_iter().chain(FILES.map(|(name, keys)| (name, keys)));
    tables.map(|(name, keys)| scene(name, keys)).chain(scenes()).collect()
}

fn played(scene: &Scene, size: (u16, u16), ascii: bool) -> Session {
    let mut session = Session::starting(size, ascii);
    (scene.before)(&mut session);
    session.keys(scene.keys);
    (scene.after)(&mut session);
    session
}

// ---- a picture -------------------------------------------------------------------------------------------------

type Look = (Color, Color, Modifier);
/// What nothing was drawn on.
const PLAIN: Look = (Cell::EMPTY.fg, Cell::EMPTY.bg, Cell::EMPTY.modifier);

/// Rows of text; behind each how many cells look how, by a letter for each look that is not the plain one.
fn picture(session: &Session, looks: &mut BTreeMap<String, char>) -> String {
    let area = session.app.area;
    let mut buffer = Buffer::empty(area);
    ui::draw(&session.app, area, &mut buffer);
    let mut picture = String::new();
    for y in 0..area.height {
        let text: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
        let mut runs: Vec<(Look, u16)> = Vec::new();
        for x in 0..area.width {
            let cell = &buffer[(x, y)];
            let look = (cell.fg, cell.bg, cell.modifier);
            match runs.last_mut() {
                Some((last, n)) if *last == look => *n += 1,
                _ => runs.push((look, 1)),
            }
        }
        let mut said = String::new();
        for (look, n) in &runs {
            let _ = write!(said, "{n}{}", letter(looks, *look));
        }
        let plain = runs.iter().all(|(look, _)| *look == PLAIN);
        let _ = if plain { writeln!(picture, "{}", text.trim_end()) } else { writeln!(picture, "{text}│{said}") };
    }
    picture
}

fn letter(looks: &mut BTreeMap<String, char>, (fg, bg, modifier): Look) -> char {
    if (fg, bg, modifier) == PLAIN {
        return '.';
    }
    let named = format!("{fg:?} on {bg:?} {modifier:?}");
    let next = (b'a'..=b'z').chain(b'A'..=b'Z').nth(looks.len()).map_or('?', char::from);
    *looks.entry(named).or_insert(next)
}

fn six(scene: &Scene) -> String {
    let (mut pictures, mut looks) = (String::new(), BTreeMap::new());
    for size in SIZES {
        for ascii in [true, false] {
            let session = played(scene, size, ascii);
            let letters = if ascii { "ascii" } else { "utf-8" };
            let _ = write!(pictures, "{}x{} {letters}\n{}\n", size.0, size.1, picture(&session, &mut looks));
        }
    }
    let mut named: Vec<(char, String)> = looks.into_iter().map(|(name, letter)| (letter, name)).collect();
    named.sort_unstable();
    pictures.extend(named.iter().map(|(letter, name)| format!("{letter} = {name}\n")));
    pictures
}

#[test]
fn every_screen_and_dialog_at_every_size_in_both_character_sets_with_its_styles() {
    for scene in all() {
        insta::assert_snapshot!(format!("picture-{}", scene.name), six(&scene));
    }
}

// ---- none is missing -------------------------------------------------------------------------------------------

/// A layer that is added needs a name here, and a scene.
const fn kind(layer: &Layer) -> &'static str {
    match layer {
        Layer::Launch(_) => "launch",
        Layer::Stop(_) => "stop",
        Layer::Help(_) => "help",
        Layer::Copy(_) => "copy",
        Layer::Log(_) => "log",
        Layer::Chooser(_) => "chooser",
        Layer::Menu(_) => "menu",
        Layer::Palette(_) => "palette",
        Layer::Editor(_) => "editor",
        Layer::Write(_) => "write",
        Layer::Diff(_) => "diff",
        Layer::Files(_) => "files",
        Layer::Pages(_) => "pages",
        Layer::Hold(_) => "hold",
        Layer::Regroup(_) => "regroup",
        Layer::Window(_) => "window",
        Layer::Export(_) => "export",
        Layer::Template(_) => "template",
        Layer::Prompt(_) => "prompt",
    }
}

const KINDS: [&str; 19] = [
    "launch", "stop", "help", "copy", "log", "chooser", "menu", "palette", "editor", "write", "diff", "files", "pages",
    "hold", "regroup", "window", "export", "template", "prompt",
];

#[test]
fn no_view_no_dialog_and_no_prompt_is_without_a_picture() {
    let (mut views, mut layers, mut prompts) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for scene in all() {
        let session = played(&scene, (80, 24), true);
        if !views.contains(&session.app.view) {
            views.push(session.app.view);
        }
        for layer in &session.app.layers {
            layers.insert(kind(layer));
            if let Layer::Prompt(prompt) = layer {
                prompts.insert(prompt.purpose.index());
            }
        }
    }
    for view in [View::Overview, View::Live, View::Groups, View::Past, View::Changes, View::Editor] {
        assert!(views.contains(&view), "{view:?}");
    }
    let missing: Vec<&str> = KINDS.into_iter().filter(|kind| !layers.contains(kind)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let missing: Vec<&str> =
        (0..Purpose::COUNT).filter(|index| !prompts.contains(index)).map(|index| Purpose::NAMES[index]).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// Two scenes of one name would be one picture.
#[test]
fn every_scene_has_a_name_of_its_own() {
    let scenes = all();
    let names: BTreeSet<&str> = scenes.iter().map(|scene| scene.name).collect();
    assert_eq!(names.len(), scenes.len());
}
