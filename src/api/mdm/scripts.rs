//! Scripts: `/scripts`. Their contents are files of the library, byte by byte as they were sent.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Ask;
use super::envelope::{self, Answer, Cursor, Fault, iso};
use crate::engine::door::{Draft, Listed};

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => list(&ask).await,
        Method::POST => create(&ask).await,
        _ => Err(ask.cannot("GET lists, POST creates")),
    }
}

pub(super) async fn one(ask: Ask) -> Answer {
    let id = ask.id("id")?;
    match ask.method {
        Method::GET => {}
        Method::PATCH | Method::PUT => {
            let bytes = content(&ask)?;
            let name = ask.bag.text("name")?;
            let draft = Draft { name, bytes, variables: ask.bag.flag("variable_support")? };
            ask.engine.change_script(id, draft, &ask.caller).await?;
        }
        Method::DELETE => {
            ask.engine.delete_script(id, &ask.caller).await?;
            return Ok(envelope::done());
        }
        _ => return Err(ask.cannot("GET reads, PATCH changes, DELETE deletes")),
    }
    let (script, bytes) = ask.engine.numbered_script(id).await?;
    Ok(envelope::one(object(&script, &bytes, wants_base64(&ask)?)))
}

async fn list(ask: &Ask) -> Answer {
    let cursor = Cursor::of(&ask.bag)?;
    let all = ask.engine.numbered_scripts().await?;
    let (page, more) = cursor.cut(all, cursor.number()?, |script| script.id);
    let base64 = wants_base64(ask)?;
    let mut rows = Vec::with_capacity(page.len());
    for script in page {
        // one that went away meanwhile is not there
        if let Ok((_, bytes)) = ask.engine.bytes_of(&script.info.name).await {
            rows.push(object(&script, &bytes, base64));
        }
    }
    Ok(envelope::page(rows, more))
}

async fn create(ask: &Ask) -> Answer {
    let file = ask.bag.file_name("file").map(str::to_owned).filter(|name| !name.is_empty());
    let name = ask.bag.text("name")?.or(file).ok_or_else(|| Fault::invalid("name can't be blank"))?;
    let bytes = content(ask)?.ok_or_else(|| Fault::invalid("file can't be blank"))?;
    let variables = ask.bag.flag("variable_support")?.unwrap_or(false);
    let id = ask.engine.create_script(&name, &bytes, variables, &ask.caller).await?;
    let (script, bytes) = ask.engine.numbered_script(id).await?;
    Ok(envelope::created(object(&script, &bytes, wants_base64(ask)?)))
}

fn wants_base64(ask: &Ask) -> Result<bool, Fault> {
    let word = ask.bag.word("encoding")?.map(|word| word.to_ascii_lowercase());
    match word.as_deref() {
        None | Some("text" | "utf-8" | "utf8") => Ok(false),
        Some("base64") => Ok(true),
        Some(_) => Err(Fault::invalid("encoding: text or base64 is expected")),
    }
}

/// The script as it was sent: `file` (a file, or a text), `content`, or either of them as Base64.
fn content(ask: &Ask) -> Result<Option<Vec<u8>>, Fault> {
    let coded = ask.bag.bytes("content_base64")?;
    let plain = match ask.bag.bytes("file")? {
        Some(file) => Some(file),
        None => ask.bag.bytes("content")?,
    };
    let coded = match (coded, plain, wants_base64(ask)?) {
        (Some(coded), ..) | (None, Some(coded), true) => coded,
        (None, plain, _) => return Ok(plain),
    };
    let text: Vec<u8> = coded.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded =
        STANDARD.decode(text).map_err(|error| Fault::invalid(format!("the script is not Base64: {error}")))?;
    Ok(Some(decoded))
}

fn object(script: &Listed, bytes: &[u8], base64: bool) -> Value {
    let mut attributes = json!({
        "name": script.name,
        "content": String::from_utf8_lossy(bytes),
        "variable_support": script.variables,
        "created_at": iso(script.created_at),
        "updated_at": iso(script.updated_at),
        // ours
        "file_name": script.info.name,
        "version": script.info.version,
        "size": script.info.size,
    });
    if base64 {
        attributes["content_base64"] = STANDARD.encode(bytes).into();
        attributes["encoding"] = "base64".into();
    }
    json!({ "type": "script", "id": script.id, "attributes": attributes })
}
