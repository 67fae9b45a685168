//! Lists that are filtered, marked and sorted, at every size, with their styles: what is hidden and what a verb would
//! touch must be seen without colours too.

use std::sync::Arc;

use ratatui::buffer::Buffer;

use crate::console::app::sample::Session;
use crate::console::ui;

const SIZES: [((u16, u16), bool); 4] = [((80, 24), true), ((80, 24), false), ((140, 40), false), ((60, 15), true)];

/// Name, and the keys that lead there.
const LISTS: [(&str, &str); 7] = [
    ("scripts", "/sh<enter>*ss<enter>S"),
    ("targets", "2jjl<space>/web01 | marked:yes<enter>jj<space>"),
    ("jobs", "3<space>/bad:>0<enter>s<down><enter>"),
    ("devices", "3<enter>/state:fail took:>1s<enter><space><space>S"),
    ("groups", "3u/state:fail<enter><space>2s<down><enter><space>"),
    ("range", "2jjlvjj"),
    ("slip", "/nam:x"),
];

fn drawn(session: &Session) -> String {
    let mut buffer = Buffer::empty(session.app.area);
    ui::draw(&session.app, session.app.area, &mut buffer);
    format!("{buffer:?}\n")
}

#[test]
fn filtered_marked_and_sorted_lists_with_their_styles() {
    for (name, keys) in LISTS {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            drawn(&session)
        });
        insta::assert_snapshot!(format!("list-{name}"), screens.concat());
    }
}

#[test]
fn the_choosers_and_the_device_list_at_every_size() {
    for (name, keys) in [
        ("sort", "3s/a<enter>s"),
        ("columns", "3c/ba"),
        ("picker", "2jjjr<enter>sh | py"),
        ("planned", "rprod<A-t>/web01<enter>S"),
    ] {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            format!("{}x{}\n{}\n", size.0, size.1, session.screen())
        });
        insta::assert_snapshot!(format!("chooser-{name}"), screens.concat());
    }
}

#[test]
fn a_job_s_system_gives_way_to_its_script_where_no_other_is_called_the_same() {
    let screen = |size, scripts: [&str; 2]| {
        let mut session = Session::starting(size, true);
        for (job, script) in session.jobs.iter_mut().zip(scripts) {
            job.summary.script = script.into();
        }
        session.attach();
        session.screen()
    };
    let narrow = screen((80, 24), ["macs:rotate-keys.sh", "disk-use.sh"]);
    assert!(narrow.contains(" rotate-") && !narrow.contains("macs:rot"), "{narrow}");
    let alike = screen((80, 24), ["macs:rotate-keys.sh", "lab:rotate-keys.sh"]);
    assert!(alike.contains("macs:rot") && alike.contains("lab:rot"), "{alike}");
    let wide = screen((140, 40), ["ws:report.py", "disk-use.sh"]);
    assert!(wide.contains("ws:report.py"), "{wide}");
}

#[test]
fn in_a_narrow_pane_no_border_text_is_cut_and_names_keep_both_ends() {
    let mut session = Session::new((80, 24), true);
    for device in session.targets.devices.iter_mut().map(Arc::make_mut) {
        if device.name.starts_with("web") {
            device.name = device.name.replace("web", "web-frontend-eu-west-");
            device.id = format!("lab:{}", device.name);
        }
    }
    for id in session.targets.groups.iter_mut().flat_map(|group| &mut Arc::make_mut(group).devices) {
        *id = id.replace("web0", "web-frontend-eu-west-0");
    }
    session.attach();
    session.keys("2/web-frontend-eu-west-01 | state:offline<enter>*");
    let screen = session.screen();
    let border = |line: usize| screen.lines().nth(line).unwrap().to_owned();
    assert!(border(1).contains("2 Targets  filtered"), "{screen}");
    assert!(screen.contains("marked") && !screen.contains("marke~"), "{screen}");
    assert!(["-007", "-010", "-011", "-012"].iter().all(|end| screen.contains(end)), "{screen}");
    session.keys("U1/re:^[a-z]+[.-]<enter>");
    assert!(session.screen().contains("1 Scripts  filtered"), "{}", session.screen());
}
