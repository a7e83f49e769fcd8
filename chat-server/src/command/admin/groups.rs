//! Looking at groups, and ending them.

use common::api::{Profile, Refusal};
use common::id::{GroupId, Peer};
use common::store::Change;
use common::store::group::{self, GroupChange};

use super::{Administrator, Deed, carry_out};
use crate::app::{App, fresh_client_id};
use crate::command::Failure;

/// A group and its owner.
#[derive(Clone, Debug)]
pub struct ListedGroup {
    pub group: group::ListedGroup,
    /// `None` where the owner of an adopted group is gone.
    pub owner: Option<Profile>,
}

/// Groups in the order of their numbers.
///
/// # Errors
/// The store's.
pub async fn groups(
    app: &App,
    _who: &Administrator,
    text: &str,
    after: GroupId,
    limit: u32,
) -> Result<Vec<ListedGroup>, Failure> {
    let found = group::list(&*app.store, text, after, limit).await?;
    let owners: Vec<Peer> = found
        .iter()
        .filter_map(|group| group.owner.map(Peer::User))
        .collect();
    let profiles = app.store.profiles(&owners).await?;
    let with_owner = found.into_iter().map(|group| {
        let owner = group.owner.and_then(|owner| {
            let is_owner = |profile: &&Profile| profile.id == Peer::User(owner);
            profiles.iter().find(is_owner).cloned()
        });
        ListedGroup { group, owner }
    });
    Ok(with_owner.collect())
}

/// Ends a group, whoever owns it.
///
/// # Errors
/// `NoSuchGroup`, `NotAnAdmin`; the store's.
pub async fn dissolve(app: &App, who: &Administrator, group: GroupId) -> Result<(), Failure> {
    let found = app.store.profiles(&[Peer::Group(group)]).await?;
    let profile = found.into_iter().next().ok_or(Refusal::NoSuchGroup)?;
    let change = Change::Group(GroupChange::DissolveForeign {
        group,
        client_id: fresh_client_id(),
        at: app.clock.now(),
    });
    let deed = Deed::new("group.dissolve", format!("group:{group}"), profile.nickname);
    carry_out(app, who, deed, change).await.map(drop)
}
