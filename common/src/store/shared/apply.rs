//! Which topic applies which change.

use super::{
    Tx, admin, block, bot, file, group, incoming_hook, invite, message, meta, outgoing_hook,
    people, place, search, session, upgrade,
};
use crate::store::{Change, Outcome, StoreError};

/// Applies a change that both databases share.
pub(in crate::store) async fn apply<T: Tx>(
    tx: &mut T,
    change: &Change,
) -> Result<Outcome, T::Fault> {
    match change {
        Change::JoinGroup {
            origin,
            group,
            contacts_max,
            members_max,
        } => group::join(tx, origin, *group, *contacts_max, *members_max).await,
        Change::LeaveGroup { origin, group } => group::leave(tx, origin, *group).await,
        Change::Session(change) => session::apply(tx, change).await,
        Change::Admin(change) => admin::apply(tx, change).await,
        Change::Invite(change) => invite::apply(tx, change).await,
        Change::Block(change) => block::apply(tx, change).await,
        Change::Bot(change) => bot::apply(tx, change).await,
        Change::File(change) => file::apply(tx, change).await,
        Change::IncomingHook(change) => incoming_hook::apply(tx, change).await,
        Change::Group(change) => group::apply(tx, change).await,
        Change::Message(change) => message::apply(tx, change).await,
        Change::Meta(change) => meta::apply(tx, change).await,
        Change::OutgoingHook(change) => outgoing_hook::apply(tx, change).await,
        Change::People(change) => people::apply(tx, change).await,
        Change::Place(change) => place::apply(tx, change).await,
        Change::Search(change) => search::apply(tx, change).await,
        Change::Upgrade(change) => upgrade::apply(tx, change).await,
        _ => Err(StoreError::Broken("a change that is not shared".to_owned()).into()),
    }
}
