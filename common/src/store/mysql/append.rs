//! Messages, many at once: the group commit.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::fault::Fault;
use super::guard::{Ask, Held};
use super::log::{Heads, SendKey, saved, send_key, write_entries};
use super::shared;
use crate::api::{Entry, Refusal};
use crate::id::{BlobId, ConvId};
use crate::store::{Append, Outcome};

/// Applies consecutive appends. Locks heads first, so that what it then looks at cannot change
/// before the commit.
pub(super) async fn append_all(
    conn: &mut Conn,
    appends: &[&Append],
) -> Result<Vec<Outcome>, Fault> {
    let convs: BTreeSet<ConvId> = appends.iter().map(|append| append.conv).collect();
    let mut heads = Heads::lock(conn, &convs).await?;

    let keys: Vec<SendKey> = appends.iter().map(|a| send_key(&a.origin)).collect();
    let mut known = saved(conn, &keys).await?;
    let asks = appends.iter().map(|append| Ask::from(*append));
    let files: BTreeSet<BlobId> = appends.iter().flat_map(|a| a.files.clone()).collect();
    let files: Vec<BlobId> = files.into_iter().collect();
    let conditions = Conditions {
        held: Held::find(conn, asks).await?,
        present: shared::present(conn, &files).await?,
    };
    let accepted = |append: &Append| {
        !known.contains_key(&send_key(&append.origin)) && conditions.refusal(append).is_none()
    };
    let fresh: BTreeSet<ConvId> = appends
        .iter()
        .filter(|append| accepted(append))
        .map(|append| append.conv)
        .collect();
    heads.create(conn, &fresh).await?;

    let mut entries = Vec::with_capacity(appends.len());
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        outcomes.push(one(
            append,
            &mut heads,
            &mut known,
            &conditions,
            &mut entries,
        ));
    }
    write_entries(conn, &entries).await?;
    for (append, outcome) in appends.iter().zip(&outcomes) {
        if let Outcome::Done { entries, .. } = outcome
            && let [entry] = &**entries
        {
            let files = append.files_among(&conditions.present);
            shared::refer(conn, (entry.conv, entry.seq), files).await?;
        }
    }
    Ok(outcomes)
}

/// What must hold for messages to be taken, as it is while their conversations are locked.
struct Conditions {
    held: Held,
    present: BTreeSet<BlobId>,
}

impl Conditions {
    fn refusal(&self, append: &Append) -> Option<Refusal> {
        let lacking = || {
            append
                .lacks_files(&self.present)
                .then_some(Refusal::NoSuchFile)
        };
        self.held.refusal(&Ask::from(append)).or_else(lacking)
    }
}

/// Decides one append; what is accepted joins `known` and `entries`.
fn one(
    append: &Append,
    heads: &mut Heads,
    known: &mut HashMap<SendKey, Entry>,
    conditions: &Conditions,
    entries: &mut Vec<Entry>,
) -> Outcome {
    let key = send_key(&append.origin);
    if let Some(entry) = known.get(&key) {
        return repeated(
            entry,
            entry.conv == append.conv && entry.body == append.body,
        );
    }
    if let Some(refusal) = conditions.refusal(append) {
        return Outcome::Refused(refusal);
    }
    let entry = heads.number(append.conv, &append.origin, &append.body);
    known.insert(key, entry.clone());
    entries.push(entry.clone());
    Outcome::Done {
        id: None,
        entries: vec![entry],
    }
}

/// The answer to a client id that was used before.
pub(super) fn repeated(entry: &Entry, same: bool) -> Outcome {
    if same {
        Outcome::AlreadyThere {
            conv: entry.conv,
            seq: entry.seq,
            at: entry.origin.at,
        }
    } else {
        Outcome::Refused(Refusal::ClientIdConflict)
    }
}
