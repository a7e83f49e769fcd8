//! A user's contacts as the API shows them, and changing one of them.

use common::api::{Contact, ContactList, Refusal};
use common::id::{Peer, UserId};

use super::{Failure, as_seen_by, contacts, move_contact, set_remark};
use crate::actor::Actor;
use crate::app::App;

/// What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ContactEdit {
    /// Empty for none.
    pub remark: Option<String>,
    /// The name of the list to keep the contact in.
    pub list: Option<String>,
}

/// The user's lists, and his contacts as he may see them; without the groups, which the list of
/// conversations has.
///
/// # Errors
/// The store's.
pub async fn people_of(app: &App, actor: &Actor) -> Result<ContactList, Failure> {
    let ContactList { teams, contacts } = contacts(app, actor).await?;
    let people = contacts
        .into_iter()
        .filter(|contact| matches!(contact.profile.id, Peer::User(_)))
        .map(|contact| Contact {
            profile: as_seen_by(actor.user, contact.profile),
            ..contact
        });
    Ok(ContactList {
        teams,
        contacts: people.collect(),
    })
}

/// Returns the contact as it is then.
///
/// # Errors
/// `NotFriends`, `NoSuchTeam`, `Invalid` remark; the store's.
pub async fn change_contact(
    app: &App,
    actor: &Actor,
    user: UserId,
    edit: ContactEdit,
) -> Result<Contact, Failure> {
    let peer = Peer::User(user);
    let before = contact(app, actor, peer).await?;
    if let Some(remark) = edit.remark {
        set_remark(app, actor, peer, remark).await?;
    }
    if let Some(list) = edit.list.filter(|list| *list != before.team) {
        move_contact(app, actor, peer, before.team, list).await?;
    }
    contact(app, actor, peer).await
}

async fn contact(app: &App, actor: &Actor, peer: Peer) -> Result<Contact, Failure> {
    let all = people_of(app, actor).await?.contacts;
    let mut all = all.into_iter();
    let found = all.find(|contact| contact.profile.id == peer);
    found.ok_or_else(|| Refusal::NotFriends.into())
}
