//! One open transaction of either database, as far as shared changes need it.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Row, Value};
use crate::api::{Body, Entry, NewAccount, Notice, Origin, Refusal};
use crate::id::{ClientId, ConvId, Millis, Seq, UserId};
use crate::store::{Guard, Outcome, StoreError};

/// What a change may do inside its transaction.
///
/// A change checks all its conditions before it writes its first row: a refused change has
/// nothing to undo. It locks users, groups and conversations in this order, each ascending, so
/// that two servers never wait for each other. How many rows an UPDATE touched is not told alike
/// by the databases; only INSERT and DELETE may be asked.
pub(in crate::store) trait Tx {
    type Fault: From<StoreError>;

    /// Inserts what is not there yet.
    const INSERT_IGNORE: &'static str;
    /// What stands behind a SELECT that locks the rows it finds.
    const FOR_UPDATE: &'static str;

    fn select(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Self::Fault>> + Send;

    /// Answers how many rows were inserted or deleted.
    fn execute(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<u64, Self::Fault>> + Send;

    /// Locks users and groups; answers which of them there are.
    fn lock(
        &mut self,
        numbers: &[u32],
    ) -> impl Future<Output = Result<BTreeSet<u32>, Self::Fault>> + Send;

    /// Locks a conversation; answers its last number.
    fn head(&mut self, conv: ConvId) -> impl Future<Output = Result<Seq, Self::Fault>> + Send;

    /// What was saved under this name.
    fn sent(
        &mut self,
        sender: UserId,
        client_id: &ClientId,
    ) -> impl Future<Output = Result<Option<Entry>, Self::Fault>> + Send;

    /// What stands against an entry of this sender; nothing if he may write it. Comes after
    /// [`Tx::head`]: the rules of a group stay as they are while its conversation is locked.
    fn check_guard(
        &mut self,
        sender: UserId,
        conv: ConvId,
        guard: Guard,
        at: Millis,
    ) -> impl Future<Output = Result<Option<Refusal>, Self::Fault>> + Send;

    /// Makes an account, as [`crate::store::Change::CreateAccount`] does. Comes before anything
    /// else is written: it may be refused.
    fn create_account(
        &mut self,
        account: &NewAccount,
        at: Millis,
    ) -> impl Future<Output = Result<Outcome, Self::Fault>> + Send;

    /// Appends notices and answers with their entries.
    fn append(
        &mut self,
        notices: Vec<(ConvId, Origin, Notice)>,
    ) -> impl Future<Output = Result<Vec<Entry>, Self::Fault>> + Send;
}

/// The answer to a change that was applied before, recognised by its first notice; a refusal if
/// its client id stands for something else.
pub(super) async fn applied<T: Tx>(
    tx: &mut T,
    conv: ConvId,
    origin: &Origin,
    notice: &Notice,
) -> Result<Option<Outcome>, T::Fault> {
    let same = |entry: &Entry| {
        entry.conv == conv && matches!(&entry.body, Body::Notice(saved) if saved == notice)
    };
    applied_as(tx, origin, same).await
}

/// As [`applied`], where `same` tells whether an entry is the first one of this change.
pub(super) async fn applied_as<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    same: impl FnOnce(&Entry) -> bool,
) -> Result<Option<Outcome>, T::Fault> {
    let Some(entry) = tx.sent(origin.user, &origin.client_id).await? else {
        return Ok(None);
    };
    Ok(Some(if same(&entry) {
        Outcome::AlreadyThere {
            conv: entry.conv,
            seq: entry.seq,
            at: entry.origin.at,
        }
    } else {
        Outcome::Refused(Refusal::ClientIdConflict)
    }))
}

/// Appends notices and is done. The first one has the change's own client id.
pub(super) async fn done_with<T: Tx>(
    tx: &mut T,
    origin: &Origin,
    notices: Vec<(ConvId, Notice)>,
) -> Result<Outcome, T::Fault> {
    let notices = notices
        .into_iter()
        .enumerate()
        .map(|(nth, (conv, notice))| Ok((conv, derived(origin, nth)?, notice)))
        .collect::<Result<_, StoreError>>()?;
    Ok(Outcome::Done {
        id: None,
        entries: tx.append(notices).await?,
    })
}

/// The origin of the nth notice of one change. Only the first one is looked for again; the others'
/// client ids are random, because one that could be guessed may stand for a message already.
fn derived(origin: &Origin, nth: usize) -> Result<Origin, StoreError> {
    if nth == 0 {
        return Ok(origin.clone());
    }
    let text = format!("+{}", Uuid::now_v7().simple());
    let client_id = ClientId::new(text)
        .ok_or_else(|| StoreError::Broken("a random client id is too long".to_owned()))?;
    Ok(Origin {
        client_id,
        ..origin.clone()
    })
}

/// Refuses a change.
pub(super) fn refused<F>(refusal: Refusal) -> Result<Outcome, F> {
    Ok(Outcome::Refused(refusal))
}
