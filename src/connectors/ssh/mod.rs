pub mod config;
pub mod hosts;
pub mod inventory;
pub mod known_hosts;
