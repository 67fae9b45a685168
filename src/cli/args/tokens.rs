//! The command line of `tokens`.

use clap::Subcommand;

use crate::model::token::{self, Scope};

#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Make a key for another program; it is printed once, and never again
    #[command(after_help = "\
Scopes: read looks; run reads and launches; edit reads and changes scripts, groups, attributes; admin may do all.
JSON: {schema_version, name, scopes, groups, created_at, key}.

    quarterdeck tokens add ci --scope run --groups 'web & !@canary'
    curl --user \"$KEY:\" https://bastion:7443/api/v1/script_jobs")]
    Add {
        /// What it is called: in the audit log, and as the author of its jobs
        #[arg(value_parser = named)]
        name: String,
        /// What it may do
        #[arg(long, value_name = "SCOPE", value_delimiter = ',', default_value = "read")]
        scope: Vec<Scope>,
        /// The devices that it sees and reaches, as a target expression; without this all of them
        #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
        groups: Option<String>,
    },
    /// The keys there are, and were
    #[command(
        after_help = "JSON: an array of {schema_version, name, scopes, groups, created_at, used_at, revoked_at}."
    )]
    Ls,
    /// Let a key open nothing any more, from this moment on
    #[command(after_help = "JSON: {schema_version, name}.")]
    Revoke { name: String },
}

fn named(text: &str) -> Result<String, String> {
    token::name(text).map(|()| text.to_owned())
}
