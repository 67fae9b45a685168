//! Quarterdeck: a terminal console from which an operator runs scripts on a fleet of devices.
//!
//! Dependencies point down, and `tests/house.rs` holds them there:
//! `console`, `cli` → `client` → `model`; `api` → `engine` → `connectors` → `model`.
//! `settings` is read by the front doors and the engine; `model` knows nothing else of the house.

pub mod api;
pub mod cli;
pub mod client;
pub mod connectors;
pub mod console;
pub mod engine;
pub mod model;
pub mod settings;
