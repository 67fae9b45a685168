//! The layers, lowest first: built-in defaults, the file's right values, the environment's, the flags'.

use std::time::Duration;

use config::{Config, ConfigError, Environment, Map, Source, Value};
use serde::Deserialize;

use super::keys::{self, Given, Shape};
use crate::model::notify::{Desktop, Ring};

use super::{Colours, EngineSettings, Env, Overrides, ThemeWish, UiSettings, units};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Layered {
    pub engine: Engine,
    pub library: Library,
    pub ui: Ui,
    pub local: Local,
    pub listen: Listen,
    pub notify: Notify,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Engine {
    idle_exit: Option<String>,
    at_once: Option<u32>,
    confirm_above: Option<u32>,
    timeout: Option<String>,
    keep_days: Option<u32>,
    keep_size: Option<String>,
    pub socket: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Library {
    pub path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ui {
    fleet: Option<String>,
    theme: Option<String>,
    /// `theme = { dark, light, fallback }` of the file. A name can only come from a higher layer, and wins.
    theme_dark: Option<String>,
    theme_light: Option<String>,
    theme_fallback: Option<String>,
    keymap: Option<String>,
    ascii: Option<bool>,
    color: Option<String>,
    fps: Option<u8>,
    ask_terminal: Option<bool>,
    mouse: Option<bool>,
    editor: Option<String>,
    pager: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Notify {
    bell: Option<bool>,
    desktop: Option<String>,
}

impl Notify {
    pub fn ring(&self) -> Ring {
        let usual = Ring::default();
        let desktop = match self.desktop.as_deref() {
            Some("osc9") => Desktop::Osc9,
            Some("osc777") => Desktop::Osc777,
            _ => usual.desktop,
        };
        Ring { bell: self.bell.unwrap_or(usual.bell), desktop }
    }
}

/// What `listen` judges.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listen {
    pub address: Option<String>,
    pub tls_cert: Option<String>,
    pub tls_key: Option<String>,
    pub patience: Option<String>,
    pub rate: Option<u32>,
    pub connections: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Local {
    pub enabled: bool,
}

impl Default for Local {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Engine {
    pub fn settings(&self) -> EngineSettings {
        let usual = EngineSettings::default();
        let duration = |text: &Option<String>| text.as_deref().and_then(units::duration);
        EngineSettings {
            idle_exit: duration(&self.idle_exit).unwrap_or(usual.idle_exit),
            at_once: self.at_once.unwrap_or(usual.at_once),
            confirm_above: self.confirm_above.unwrap_or(usual.confirm_above),
            // "none" and 0 both mean no limit
            timeout: duration(&self.timeout).filter(|limit| *limit > Duration::ZERO),
            keep_days: self.keep_days.unwrap_or(usual.keep_days),
            keep_bytes: self.keep_size.as_deref().and_then(units::size).unwrap_or(usual.keep_bytes),
            closed: usual.closed,
            webhooks: usual.webhooks,
            hooks: usual.hooks,
        }
    }
}

impl Ui {
    pub fn settings(self, env: &Env) -> UiSettings {
        let usual = UiSettings::default();
        let no_color = match self.color.as_deref() {
            Some("never") => true,
            Some("always") => false,
            _ => env.get("NO_COLOR").is_some(),
        };
        let by_ground = [&self.theme_dark, &self.theme_light, &self.theme_fallback].iter().any(|name| name.is_some());
        let theme = match (self.theme, by_ground) {
            (Some(name), _) => ThemeWish::Named(name),
            (None, false) => usual.theme,
            (None, true) => {
                let fallback = self.theme_fallback.unwrap_or_else(|| "terminal".to_owned());
                ThemeWish::ByGround {
                    dark: self.theme_dark.unwrap_or_else(|| fallback.clone()),
                    light: self.theme_light.unwrap_or_else(|| fallback.clone()),
                    fallback,
                }
            }
        };
        UiSettings {
            fleet: self.fleet.unwrap_or_default(),
            theme,
            theme_pinned: false,
            keymap: self.keymap.unwrap_or(usual.keymap),
            keymap_pinned: false,
            ascii: self.ascii,
            no_color,
            fps: self.fps,
            ask: self.ask_terminal.unwrap_or(usual.ask),
            mouse: self.mouse.unwrap_or(usual.mouse),
            editor: self.editor.or_else(|| env.get("VISUAL").or_else(|| env.get("EDITOR")).map(str::to_owned)),
            pager: self.pager.or_else(|| env.get("PAGER").map(str::to_owned)),
            ring: usual.ring,
        }
    }
}

/// Variables with a short name of their own.
const SHORT: [(&str, &str); 3] = [
    ("QUARTERDECK_THEME", "QUARTERDECK_UI__THEME"),
    ("QUARTERDECK_KEYMAP", "QUARTERDECK_UI__KEYMAP"),
    ("QUARTERDECK_ASCII", "QUARTERDECK_UI__ASCII"),
];

/// Checked values as a layer.
#[derive(Clone, Debug)]
struct Checked(Map<String, Value>);

impl Source for Checked {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// Everything merged, and what was wrong with the environment. The values of the file are checked already.
pub fn merge(file: Vec<(String, Value)>, env: &Env, flags: &Overrides) -> (Layered, Vec<String>) {
    let (vars, mut problems) = variables(env);
    let color = flags.color.map(|color| match color {
        Colours::Auto => "auto",
        Colours::Always => "always",
        Colours::Never => "never",
    });
    let built = Config::builder()
        .add_source(Checked(file.into_iter().collect()))
        .add_source(
            Environment::with_prefix("QUARTERDECK")
                .prefix_separator("_")
                .separator("__")
                .try_parsing(true)
                .source(Some(vars)),
        )
        .set_override_option("ui.color", color)
        .and_then(|layers| layers.set_override_option("ui.theme", flags.theme.clone()))
        .and_then(|layers| layers.set_override_option("ui.keymap", flags.keymap.clone()))
        .and_then(|layers| layers.set_override_option("ui.ascii", flags.ascii.then_some(true)))
        .and_then(|layers| layers.build())
        .and_then(Config::try_deserialize);
    let layered = built.unwrap_or_else(|error| {
        problems.push(format!("the settings could not be put together: {error}; the defaults are used"));
        Layered::default()
    });
    (layered, problems)
}

/// `QUARTERDECK_SECTION__KEY` with a right value. Other variables of that prefix are somebody else's affair, unless
/// the two underscores show that a setting was meant.
fn variables(env: &Env) -> (Map<String, String>, Vec<String>) {
    let mut vars = Map::new();
    let mut problems = Vec::new();
    for (name, value) in env.starting("QUARTERDECK_") {
        if value.is_empty() {
            continue;
        }
        let full = SHORT.iter().find(|(short, _)| *short == name).map(|(_, full)| *full);
        if full.is_some_and(|full| env.get(full).is_some()) {
            continue; // the exact name wins over the short one
        }
        let full = full.unwrap_or(name);
        let Some((section, key)) = full["QUARTERDECK_".len()..].split_once("__") else { continue };
        let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
        let shape = keys::section(&section).and_then(|known| known.iter().find(|(known, _)| *known == key));
        let Some((_, shape)) = shape else {
            problems.push(format!("the variable {name} names no setting: [{section}] has no `{key}`"));
            continue;
        };
        match shape.check(told(*shape, value)) {
            Ok(()) => {
                vars.insert(full.to_owned(), value.to_owned());
            }
            Err(wrong) => problems.push(format!("the variable {name}: {wrong}")),
        }
    }
    (vars, problems)
}

/// A variable is text; what it means depends on what is expected.
fn told(shape: Shape, value: &str) -> Given<'_> {
    match shape {
        Shape::Bool => match value {
            "true" | "1" => Given::Bool(true),
            "false" | "0" => Given::Bool(false),
            _ => Given::Text(value),
        },
        Shape::Whole { .. } => value.parse().map_or(Given::Text(value), Given::Whole),
        _ => Given::Text(value),
    }
}
