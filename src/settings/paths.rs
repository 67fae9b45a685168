//! Where things are: the XDG variables, the engine's socket within what the kernel allows.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::env::Env;

/// `sun_path` is 108 bytes, the last a NUL.
pub const SOCKET_PATH_MAX: usize = 107;

/// The config file as asked for, and whether someone asked (then its absence is a problem).
pub fn config_file(env: &Env, flag: Option<&Path>, home: &Path) -> (PathBuf, bool) {
    let asked = flag.and_then(Path::to_str).or_else(|| env.get("QUARTERDECK_CONFIG"));
    let usual = env.xdg("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("quarterdeck/config.toml");
    match asked {
        Some(text) => {
            let path = super::env::absolute(text, &env.cwd, home);
            let named = path != usual; // the engine is started with the path spelled out
            (path, named)
        }
        None => (usual, false),
    }
}

pub fn data(env: &Env, home: &Path) -> PathBuf {
    env.xdg("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("quarterdeck")
}

pub fn state(env: &Env, home: &Path) -> PathBuf {
    env.xdg("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")).join("quarterdeck")
}

/// The engine's socket: in the runtime directory, else in the state directory.
pub fn socket(env: &Env, state: &Path) -> PathBuf {
    match env.xdg("XDG_RUNTIME_DIR") {
        Some(runtime) => own_socket(&runtime.join("quarterdeck"), env.uid),
        None => own_socket(state, env.uid),
    }
}

/// The socket in one folder. The engine of a state folder listens there as well: a session's runtime folder is cleared
/// when its last login ends, and a verb of `cron` or `sudo` has no such variable.
pub fn own_socket(folder: &Path, uid: u32) -> PathBuf {
    shortened(folder.join("engine.sock"), uid)
}

/// A path that the kernel takes. A longer one becomes a name of its own in a private folder below /tmp.
pub fn shortened(socket: PathBuf, uid: u32) -> PathBuf {
    if socket.as_os_str().len() <= SOCKET_PATH_MAX {
        return socket;
    }
    let hash = hash(socket.as_os_str().as_bytes()); // two long paths must not meet in one socket
    PathBuf::from(format!("/tmp/quarterdeck-{uid}/{hash:016x}.sock"))
}

/// A mark of a file's text: two readers that see the same mark have read the same configuration.
pub fn mark(config: &Path) -> String {
    fs::read(config).map_or_else(|_| "none".to_owned(), |bytes| format!("{:016x}", hash(&bytes)))
}

/// FNV-1a: what is told apart here nobody chooses to collide but its owner.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Makes a folder that is this user's alone (0700), parents too.
///
/// # Errors
/// It cannot be made.
pub fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether nobody else can have put the socket there: secrets go through it.
///
/// # Errors
/// In words, when somebody could.
pub fn trusted(socket: &Path, uid: u32) -> Result<(), String> {
    let folder = socket.parent().unwrap_or(Path::new("/"));
    let Ok(at) = fs::metadata(folder) else { return Ok(()) }; // not there yet: nothing to mistrust
    let sticky = at.mode() & 0o1000 != 0;
    if at.mode() & 0o022 != 0 && !sticky {
        return Err(format!("others may write in {}; chmod go-w it, or set [engine] socket", folder.display()));
    }
    if at.uid() != uid && at.uid() != 0 {
        return Err(format!("{} belongs to another user (uid {})", folder.display(), at.uid()));
    }
    match fs::symlink_metadata(socket) {
        Ok(file) if file.uid() != uid => {
            Err(format!("{} belongs to another user (uid {})", socket.display(), file.uid()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const HOME: &str = "/home/ops";

    #[test]
    fn places_follow_the_xdg_variables() {
        let home = Path::new(HOME);
        let bare = Env::of(&[]);
        assert_eq!(config_file(&bare, None, home), (home.join(".config/quarterdeck/config.toml"), false));
        assert_eq!(data(&bare, home), home.join(".local/share/quarterdeck"));
        assert_eq!(state(&bare, home), home.join(".local/state/quarterdeck"));
        assert_eq!(socket(&bare, &state(&bare, home)), home.join(".local/state/quarterdeck/engine.sock"));

        let set = Env::of(&[
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "relative/is/ignored"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
        ]);
        assert_eq!(config_file(&set, None, home).0, PathBuf::from("/c/quarterdeck/config.toml"));
        assert_eq!(data(&set, home), PathBuf::from("/d/quarterdeck"));
        assert_eq!(state(&set, home), home.join(".local/state/quarterdeck"));
        assert_eq!(socket(&set, Path::new("/s")), PathBuf::from("/run/user/1000/quarterdeck/engine.sock"));
    }

    #[test]
    fn the_flag_wins_over_the_variable() {
        let env = Env::of(&[("QUARTERDECK_CONFIG", "~/q.toml")]);
        assert_eq!(config_file(&env, None, Path::new(HOME)), (PathBuf::from("/home/ops/q.toml"), true));
        let flag = Some(Path::new("here.toml"));
        assert_eq!(config_file(&env, flag, Path::new(HOME)), (PathBuf::from("/work-dir/here.toml"), true));
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_shortened_and_stays_its_own() {
        let long = |tail: &str| PathBuf::from(format!("/{}/{tail}", "x".repeat(120)));
        let (a, b) = (shortened(long("a"), 7), shortened(long("b"), 7));
        assert!(a.as_os_str().len() <= SOCKET_PATH_MAX && a.starts_with("/tmp/quarterdeck-7"));
        assert_ne!(a, b);
        assert_eq!(shortened(long("a"), 7), a);
    }

    #[test]
    fn a_socket_that_another_could_have_made_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let socket = folder.path().join("engine.sock");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(trusted(&socket, uid), Ok(()));
        fs::write(&socket, "").unwrap();
        assert_eq!(trusted(&socket, uid), Ok(()));
        assert!(trusted(&socket, uid + 1).unwrap_err().contains("another user"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(trusted(&socket, uid).unwrap_err().contains("others may write"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(trusted(&socket, uid), Ok(()));
    }
}
