//! The nouns: plain data and total functions. Owns what a device, a script, a plan, a job and a run
//! *are*; refuses to know the screen, the network, the disk or the clock.

pub mod amounts;
pub mod audit;
pub mod compare;
pub mod connection;
pub mod content;
pub mod device;
pub mod diff;
pub mod filter;
pub mod job;
pub mod label;
pub mod moment;
pub mod nearest;
pub mod nodeset;
pub mod notify;
pub mod output;
pub mod past;
pub mod plan;
pub mod plan_file;
pub mod report;
pub mod rollout;
pub mod rows;
pub mod rule;
pub mod saved;
pub mod script;
pub mod search;
pub mod secret;
pub mod shelf;
pub mod state;
pub mod target;
pub mod template;
pub mod token;
pub mod triage;
pub mod ways;
pub mod window;
pub mod wire;
