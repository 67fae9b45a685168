pub mod config;
pub mod inventory;
pub mod known_hosts;
