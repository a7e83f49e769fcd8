//! What one may see of other people, and how to find them.

use common::api::{Profile, Refusal};
use common::id::{Peer, UserId};
use common::store::people;

use super::{Failure, check_name};
use crate::actor::Actor;
use crate::app::App;

/// The longest text to look for, in bytes: longer than any name.
const SOUGHT_BYTES_MAX: usize = 255;

/// A user's profile, as the actor may see it.
///
/// # Errors
/// `NoSuchUser`; the store's.
pub async fn person(app: &App, actor: &Actor, user: UserId) -> Result<Profile, Failure> {
    let mut people = persons(app, actor, &[user]).await?;
    people.pop().ok_or_else(|| Refusal::NoSuchUser.into())
}

/// The profiles of those of these users that there are, in the order asked, as the actor may see
/// them.
///
/// # Errors
/// The store's.
pub async fn persons(app: &App, actor: &Actor, users: &[UserId]) -> Result<Vec<Profile>, Failure> {
    let peers: Vec<Peer> = users.iter().copied().map(Peer::User).collect();
    let profiles = app.store.profiles(&peers).await?;
    Ok(profiles
        .into_iter()
        .map(|profile| as_seen_by(actor.user, profile))
        .collect())
}

/// Users whose user name or nickname begins with the text, or whose number it is, ascending by
/// number behind `after`.
///
/// # Errors
/// `Invalid` text; the store's.
pub async fn find_people(
    app: &App,
    actor: &Actor,
    text: &str,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Profile>, Failure> {
    check_name("the query", text, SOUGHT_BYTES_MAX)?;
    let found = people::find(&*app.store, text, after, limit).await?;
    Ok(found
        .into_iter()
        .map(|profile| as_seen_by(actor.user, profile))
        .collect())
}

/// Takes out what only the owner may see: when he was born, and how to reach him.
pub fn as_seen_by(viewer: UserId, profile: Profile) -> Profile {
    if profile.id == Peer::User(viewer) {
        return profile;
    }
    Profile {
        birthday: 0,
        phone: String::new(),
        mail: String::new(),
        address: String::new(),
        ..profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_to_reach_somebody_is_seen_by_himself_alone() {
        let mut profile = Profile::fresh(Peer::User(UserId(7)), "ann", "Ann");
        profile.phone = "123".to_owned();
        profile.signature = "hi".to_owned();
        assert_eq!(as_seen_by(UserId(7), profile.clone()), profile);
        let seen = as_seen_by(UserId(8), profile);
        assert_eq!((seen.phone.as_str(), seen.birthday), ("", 0));
        assert_eq!(seen.signature, "hi");
    }
}
