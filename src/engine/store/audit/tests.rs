//! The log as an auditor meets it: whole, changed, cut short, taken away, written to by many at once, on a full disk.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::model::audit::Act;

fn deed(n: u64) -> Deed {
    Deed { job: Some(n), target: Some(format!("web{n} & \"x\"")), ..Deed::own(Act::End) }
}

struct Desk {
    folder: tempfile::TempDir,
    audit: Arc<Audit>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let audit = Self::open(folder.path());
        Self { folder, audit }
    }

    fn open(folder: &Path) -> Arc<Audit> {
        Audit::new(folder, Db::open(&folder.join("quarterdeck.db")).unwrap())
    }

    /// The next engine.
    fn again(&mut self) {
        self.audit = Self::open(self.folder.path());
    }

    async fn with(entries: u64) -> Self {
        let desk = Self::new();
        for n in 1..=entries {
            desk.audit.record(deed(n)).await.unwrap();
        }
        desk
    }

    fn text(&self) -> String {
        fs::read_to_string(self.audit.path()).unwrap()
    }

    fn rewrite(&self, change: impl FnOnce(Vec<String>) -> Vec<String>) {
        let lines = change(self.text().lines().map(str::to_owned).collect());
        fs::write(self.audit.path(), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    async fn broken(&self) -> (u64, String) {
        let broken = self.audit.verify().await.unwrap().broken.expect("the chain is broken");
        (broken.line, broken.why)
    }
}

#[tokio::test]
async fn what_was_written_is_whole_and_goes_on_in_the_next_engine() {
    let mut desk = Desk::with(3).await;
    desk.again();
    let head = desk.audit.record(deed(4)).await.unwrap();
    let verified = desk.audit.verify().await.unwrap();
    assert_eq!((verified.broken, verified.head.seq, &verified.head), (None, 4, &head));
    let page = desk.audit.page(0, None, 3).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let rest = desk.audit.page(page.next.unwrap(), None, 3).await.unwrap();
    assert_eq!((rest.entries.len(), rest.entries[0].deed.job, rest.next), (1, Some(4), None));
}

#[tokio::test]
async fn nothing_yet_is_an_unbroken_chain() {
    let desk = Desk::new();
    let verified = desk.audit.verify().await.unwrap();
    assert_eq!((verified.head, verified.broken), (Head::default(), None));
    assert_eq!(desk.audit.page(0, None, 10).await.unwrap(), Page::default());
}

#[tokio::test]
async fn the_first_entry_that_was_tampered_with_is_named() {
    let desk = Desk::with(5).await;
    let whole = desk.text();
    let reset = || fs::write(desk.audit.path(), &whole).unwrap();

    desk.rewrite(|mut lines| {
        lines[2] = lines[2].replace("web3", "web4");
        lines
    });
    let (line, why) = desk.broken().await;
    assert_eq!(line, 3);
    assert!(why.contains("entry 3 was changed"), "{why}");

    reset();
    desk.rewrite(|mut lines| {
        lines.remove(1);
        lines
    });
    assert_eq!(desk.broken().await, (2, "entry 3 follows 1: entry 2 is missing".to_owned()));

    reset();
    desk.rewrite(|mut lines| {
        lines.swap(1, 2);
        lines
    });
    assert_eq!(desk.broken().await.0, 2);

    // one that is right in itself, but was not written here
    reset();
    let head = Head { seq: 1, ..Head::default() };
    let forged = Entry::after(&head, Timestamp::now(), deed(9)).line();
    desk.rewrite(|mut lines| {
        lines[1] = forged;
        lines
    });
    assert_eq!(desk.broken().await.0, 2);
}

#[tokio::test]
async fn a_file_that_was_cut_short_shows_also_after_it_has_grown_again() {
    let mut desk = Desk::with(5).await;
    desk.rewrite(|mut lines| {
        lines.truncate(3);
        lines
    });
    assert_eq!(desk.broken().await, (4, "entries 4 to 5 are missing at the end of the file".to_owned()));
    // the next engine does not hide it by going on from what is left
    desk.again();
    desk.audit.record(deed(6)).await.unwrap();
    assert_eq!(desk.broken().await, (4, "entry 6 follows 3: entries 4 to 5 are missing".to_owned()));
}

#[tokio::test]
async fn a_file_that_was_taken_away_shows_too() {
    let mut desk = Desk::with(2).await;
    fs::remove_file(desk.audit.path()).unwrap();
    desk.again();
    desk.audit.record(deed(3)).await.unwrap();
    assert_eq!(desk.broken().await, (1, "entry 3 follows 0: entries 1 to 2 are missing".to_owned()));
}

#[tokio::test]
async fn an_end_that_was_rewritten_with_right_hashes_is_not_the_one_that_was_written() {
    let desk = Desk::with(2).await;
    let mut head = Head::default();
    head.follow(desk.text().lines().next().unwrap().as_bytes()).unwrap();
    let forged = Entry::after(&head, Timestamp::now(), deed(99)).line();
    desk.rewrite(|lines| vec![lines[0].clone(), forged]);
    assert_eq!(desk.broken().await, (2, "entry 2 is not the one that was written".to_owned()));
}

#[tokio::test]
async fn half_an_entry_of_a_killed_engine_is_cut_off() {
    let mut desk = Desk::with(2).await;
    let whole = desk.text();
    fs::write(desk.audit.path(), format!("{whole}{{\"act\":\"launch\",\"at")).unwrap();
    desk.again();
    desk.audit.record(deed(3)).await.unwrap();
    let verified = desk.audit.verify().await.unwrap();
    assert_eq!((verified.broken, verified.head.seq), (None, 3));
}

#[tokio::test]
async fn a_line_of_somebody_else_shows_and_spoils_none_of_ours() {
    let desk = Desk::with(2).await;
    fs::write(desk.audit.path(), format!("{}no newline", desk.text())).unwrap();
    desk.audit.record(deed(3)).await.unwrap();
    assert_eq!(desk.broken().await, (3, "it is not an entry".to_owned()));
    let page = desk.audit.page(0, None, 10).await.unwrap();
    assert_eq!((page.entries.len(), page.unreadable), (3, 1));
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_if_it_sends_and_else_written_later() {
    let desk = Desk::with(1).await;
    let away = desk.folder.path().join("away");
    fs::rename(desk.audit.path(), &away).unwrap();
    fs::create_dir(desk.audit.path()).unwrap();
    let refused = desk.audit.record(Deed::own(Act::Launch)).await.unwrap_err();
    assert!(refused.contains("audit.ndjson cannot be written"), "{refused}");
    desk.audit.record(Deed { job: Some(7), ..Deed::own(Act::Stop) }).await.unwrap_err();

    fs::remove_dir(desk.audit.path()).unwrap();
    fs::rename(&away, desk.audit.path()).unwrap();
    desk.audit.record(deed(3)).await.unwrap();
    let entries = desk.audit.page(0, None, 10).await.unwrap().entries;
    let acts: Vec<_> = entries.iter().map(|entry| (entry.deed.act, entry.deed.job)).collect();
    assert_eq!(acts, [(Act::End, Some(1)), (Act::Stop, Some(7)), (Act::End, Some(3))]);
    assert_eq!(desk.audit.verify().await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_make_one_chain() {
    let desk = Desk::new();
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let audit = Arc::clone(&desk.audit);
            tokio::spawn(async move { audit.record(deed(n)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verified = desk.audit.verify().await.unwrap();
    assert_eq!((verified.broken, verified.head.seq), (None, 64));
}

proptest! {
    #[test]
    fn any_byte_that_is_changed_breaks_the_chain_at_its_own_line(
        notes in proptest::collection::vec(".{0,40}", 1..8), at in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        let (mut head, mut bytes) = (Head::default(), Vec::new());
        for note in notes {
            let entry = Entry::after(&head, Timestamp::UNIX_EPOCH, Deed { note: Some(note), ..Deed::own(Act::Stop) });
            head = Head { seq: entry.seq, hash: entry.hash.clone() };
            bytes.extend(entry.line().bytes().chain([b'\n']));
        }
        // the last newline is none of an entry's
        let at = at.index(bytes.len() - 1);
        prop_assume!(bytes[at] != to);
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.ndjson");
        fs::write(&path, &bytes).unwrap();
        prop_assert_eq!(verify(&path, u64::MAX).unwrap().broken, None);
        bytes[at] = to;
        fs::write(&path, &bytes).unwrap();
        prop_assert_eq!(verify(&path, u64::MAX).unwrap().broken.map(|broken| broken.line), Some(line));
    }
}
