//! Which way a request takes, and what it needs there. A path is compared as it came, undecoded, as the router does it:
//! what does not fit a way is refused before anything looks at it.

use crate::api::mdm::DOORS;
use crate::api::ways::OWN;
use crate::model::token::Scope;

/// A way as far as the gate looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// `None`: anybody may.
    pub scope: Option<Scope>,
    /// It shows and reaches only the devices of a key that is limited to some.
    pub limits: bool,
    /// Whoever has no key may come with a signature instead, which is looked at behind the gate.
    pub signed: bool,
}

/// `Err(true)`: there is such a path, for another method.
pub fn find(method: &str, path: &str) -> Result<Needs, bool> {
    let Some(rest) = path.strip_prefix("/api/v1") else { return Err(false) };
    // a trailing slash is as good as none
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let method = if method == "HEAD" { "GET" } else { method };
    let mut other = false;
    for (known, way, needs) in all() {
        if fits(way, rest) {
            if known == method {
                return Ok(needs);
            }
            other = true;
        }
    }
    Err(other)
}

fn all() -> impl Iterator<Item = (&'static str, &'static str, Needs)> {
    let own = OWN.iter().map(|way| {
        let signed = way.path.starts_with("/webhooks/");
        (way.method, way.path, Needs { scope: way.scope, limits: way.scope.is_none() || signed, signed })
    });
    let theirs = DOORS.iter().map(|(method, path, scope)| {
        (method.as_str(), *path, Needs { scope: Some(*scope), limits: true, signed: false })
    });
    own.chain(theirs)
}

/// `/jobs/{id}` fits `/jobs/7`, `/groups/{id}/{*rest}` all that is below a group.
fn fits(way: &str, path: &str) -> bool {
    let (mut ways, mut parts) = (way.split('/'), path.split('/'));
    loop {
        match (ways.next(), parts.next()) {
            (None, None) => return true,
            (Some(way), Some(part)) if way.starts_with("{*") => return !part.is_empty(),
            (Some(way), Some(part)) if way == part || (way.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_found_by_its_shape_and_nothing_else_is() {
        let scope = |method: &str, path: &str| find(method, path).map(|needs| needs.scope);
        assert_eq!(scope("GET", "/api/v1/jobs/7"), Ok(Some(Scope::Read)));
        assert_eq!(scope("HEAD", "/api/v1/jobs/"), Ok(Some(Scope::Read)));
        assert_eq!(scope("POST", "/api/v1/jobs"), Ok(Some(Scope::Run)));
        assert_eq!(scope("POST", "/api/v1/jobs/remarks"), Err(true));
        assert_eq!(scope("GET", "/api/v1/openapi.json"), Ok(None));
        assert_eq!(scope("POST", "/api/v1/tokens"), Ok(Some(Scope::Admin)));
        assert_eq!(scope("PATCH", "/api/v1/scripts/7/"), Ok(Some(Scope::Edit)));
        assert_eq!(scope("POST", "/api/v1/script_jobs"), Ok(Some(Scope::Run)));
        assert_eq!(scope("DELETE", "/api/v1/assignment_groups/6/devices/17"), Ok(Some(Scope::Edit)));
        assert_eq!(scope("PUT", "/api/v1/scripts"), Err(true));
        for path in [
            "/",
            "/api/v1",
            "/api/v1//jobs",
            "/api/v1/jobs//",
            "/api/v1/jobs/7/",
            "/api/v1/%6aobs",
            "/api/v1/../v1/jobs",
            "/api/v1/jobs/7/cancel/x",
            "/api/v2/jobs",
            "/api/v1jobs",
        ] {
            let found = scope("GET", path);
            assert!(found == Err(false) || path == "/api/v1/jobs/7/", "{path}: {found:?}");
        }
    }
}
