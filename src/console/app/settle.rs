//! After what happened: derived state is brought up to date, and what the screen now shows and does not have is asked
//! for. Refuses to ask for anything twice.

use super::held::Held;
use super::{App, Effect, Layer, Link, LivePane, Load, Pane, View, layout};

impl App {
    /// Brings derived state up to date and asks for what the screen now shows and does not have.
    pub(super) fn settle(&mut self, effects: &mut Vec<Effect>) {
        self.settle_editor(effects);
        self.settle_seek();
        self.settle_reach();
        self.settle_stop();
        if self.link != Link::Attached {
            return;
        }
        match self.view {
            View::Live => self.settle_live(effects),
            View::Groups => self.settle_triage(effects),
            View::Changes => self.settle_changes(effects),
            View::Overview => self.settle_preview(effects),
            View::Editor | View::Past => {}
        }
        for layer in &mut self.layers {
            match layer {
                Layer::Launch(launch) => {
                    effects.extend(launch.looks());
                    effects.extend(launch.settle());
                    effects.extend(launch.wants_templates().then_some(Effect::LoadTemplates));
                }
                Layer::Prompt(prompt) => effects.extend(prompt.settle()),
                _ => {}
            }
        }
        self.settle_planned();
        self.ask_news(effects);
        self.settle_saved(effects);
    }

    fn settle_live(&mut self, effects: &mut Vec<Effect>) {
        let Some(live) = &mut self.live else { return };
        if self.held.as_ref().is_none_or(|held| held.id != live.id) {
            self.held = Some(Held::new(live.id));
        }
        let Some(held) = &mut self.held else { return };
        if held.job.is_none() && held.problem.is_none() && self.asked.job.is_none() {
            self.asked.job = Some(live.id);
            effects.push(Effect::LoadJob(live.id));
        }
        let panes =
            layout::live(self.area, layout::Shape::of(held.job.as_ref()), live.focus, live.zoom, self.overview.sizes);
        if live.focus == LivePane::Grid && panes.grid.is_none() {
            live.focus = LivePane::Devices;
        }
        live.settle(held, self.now, layout::rows(panes.devices));
        if let Some(job) = &held.job {
            live.learn(job, &self.tree);
        }
        if let (Some(job), Some(area)) = (&held.job, panes.grid) {
            live.lay_out(job, &self.tree, layout::grid_cells(area));
        }
        if held.job.is_none() {
            return;
        }
        if live.tail.run.is_some_and(|run| held.run(run).is_none()) {
            return; // A job without runs.
        }
        let ended = live.tail.run.and_then(|run| held.run(run)).is_some_and(|run| run.state.ended());
        if let Some(tail) = panes.tail {
            // How the run ended has a row of its own.
            let height = layout::inside(tail).saturating_sub(usize::from(ended));
            effects.extend(live.tail.settle(height).into_iter().map(Effect::Lines));
        }
    }

    fn settle_preview(&mut self, effects: &mut Vec<Effect>) {
        match self.overview.subject {
            Pane::Scripts => {
                let Some(script) = self.overview.script(&self.scripts) else { return };
                // The file may change between the list and the text; one that never settles is not read for ever.
                let here = self.source.as_ref().is_some_and(|source| {
                    let settled = source.reads.0 == script.version && source.reads.1 >= 3;
                    source.name == script.name && (source.version == script.version || settled)
                });
                if !here && self.asked.script.is_none() {
                    self.asked.script = Some(script.name.clone());
                    effects.push(Effect::LoadScript(script.name.clone()));
                }
            }
            Pane::Jobs => {
                let Some(id) = self.overview.job(&self.jobs).map(|job| job.id) else { return };
                if self.held.as_ref().is_none_or(|held| held.id != id) && self.asked.job.is_none() {
                    self.held = Some(Held::new(id));
                    self.asked.job = Some(id);
                    effects.push(Effect::LoadJob(id));
                }
            }
            Pane::Targets | Pane::Preview => {}
        }
    }

    /// Kept expressions get their counts one by one.
    fn settle_saved(&mut self, effects: &mut Vec<Effect>) {
        if self.asked.resolve.is_some() || self.targets != Load::Ready {
            return;
        }
        if let Some(saved) = self.tree.saved.iter().find(|saved| saved.answer.is_none()) {
            self.asked.resolve = Some(saved.expr.clone());
            effects.push(Effect::Resolve(saved.expr.clone()));
        }
    }
}
