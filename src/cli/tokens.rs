//! `tokens`: keys with which other programs come to the engine over the network.

use serde_json::json;

use super::args::Tokens as Verb;
use super::{CliError, Desk, Outcome, out, say};
use crate::model::token::{NewToken, Token};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    match verb {
        Verb::Add { name, scope, groups } => {
            let asked = NewToken { name: name.clone(), scopes: scope.clone(), groups: groups.clone() };
            let made = client.make_token(&asked).await?;
            if desk.common.json {
                out::json_object(&made)?;
            } else {
                // alone on stdout, for `key=$(quarterdeck tokens add …)`
                out::print(&format!("{}\n", made.key))?;
                say("quarterdeck: this is the only time that the key is shown");
            }
            if desk.settings.listen.is_none() {
                say(
                    "quarterdeck: nothing listens on the network yet: `quarterdeck serve --listen`, or [listen] in config.toml",
                );
            }
        }
        Verb::Ls => {
            let tokens = client.tokens().await?;
            if desk.common.json {
                out::json_list(&tokens)?;
            } else {
                let heads = ["NAME", "SCOPES", "MADE", "USED", "STATE", "DEVICES"];
                out::print(&out::table(&heads, tokens.into_iter().map(row)))?;
            }
        }
        Verb::Revoke { name } => {
            client.revoke_token(name).await?;
            if desk.common.json {
                out::json_object(&json!({ "name": name }))?;
            } else {
                say(format!("quarterdeck: the key {name} is revoked"));
            }
        }
    }
    Ok(Outcome::Done)
}

fn row(token: Token) -> Vec<String> {
    let words: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    vec![
        token.name,
        words.join(","),
        out::moment(Some(token.created_at)),
        token.used_at.map_or_else(|| "never".to_owned(), |at| out::moment(Some(at))),
        token.revoked_at.map_or_else(|| "counts".to_owned(), |at| format!("revoked {}", out::moment(Some(at)))),
        token.groups.unwrap_or_else(|| "all".to_owned()),
    ]
}
