//! The engine: owns connections, store and running jobs. Knows connectors and model; no HTTP, no screen.

pub mod store;
