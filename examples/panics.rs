//! A screen that panics when it is told to: what the guard of the terminal is tried on, since the console itself has
//! no such door. `d`: where it draws; `t`: in a task; anything else ends it well.

use std::io::Read;

use quarterdeck::console::term::{Line, Term};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut term = Term::enter("the log is where it always was")?;
    let mut screen = term.screen(Line::stdout()?);
    let mouse = term.mouse(true);
    rustix::io::write(rustix::stdio::stdout(), mouse)?;
    screen.draw(|area, buf| {
        buf.set_string(0, 0, "drawn: ready", ratatui::style::Style::new());
        Some(area.as_position())
    })?;
    let mut key = [0];
    loop {
        std::io::stdin().read_exact(&mut key)?;
        match key[0] {
            b'd' => panic!("the screen went wrong"),
            b't' => drop(std::thread::spawn(|| panic!("a task went wrong")).join()),
            _ => return Ok(()),
        }
    }
}
