//! Changes single parts of the own profile.

use std::sync::Arc;

use common::api::{Avatar, Profile, Refusal};
use common::id::UserId;

use super::files::chosen_avatar;
use super::{Failure, set_profile};
use crate::actor::Actor;
use crate::app::App;

/// What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileEdit {
    pub nickname: Option<String>,
    pub avatar: Option<Avatar>,
    pub signature: Option<String>,
    pub gender: Option<i32>,
    /// As a decimal number yyyymmdd.
    pub birthday: Option<i32>,
    pub phone: Option<String>,
    pub mail: Option<String>,
    pub address: Option<String>,
}

/// The own profile, all of it.
///
/// # Errors
/// The store's.
pub async fn own_profile(app: &App, actor: &Actor) -> Result<Profile, Failure> {
    let account = app.store.account(actor.user).await?;
    let account = account.ok_or(Refusal::NoSuchUser)?;
    Ok(account.profile)
}

/// Changes the profile of `actor`, for whom `by` chose it: he himself, or the owner of a bot.
/// Returns the profile as it is then.
///
/// # Errors
/// `NoSuchFile` for a picture that is none or that `by` may not use; as [`set_profile`].
pub async fn change_profile(
    app: &Arc<App>,
    actor: &Actor,
    by: UserId,
    mut edit: ProfileEdit,
) -> Result<Profile, Failure> {
    let old = own_profile(app, actor).await?;
    if let Some(avatar) = &mut edit.avatar
        && *avatar != old.avatar
    {
        avatar.custom = chosen_avatar(app, by, &avatar.custom).await?;
    }
    if edit.gender.is_some_and(|gender| !(0..=1).contains(&gender)) {
        return Err(Failure::Invalid {
            field: "the gender",
            problem: "is neither 0 nor 1",
        });
    }
    let profile = Profile {
        id: old.id,
        username: old.username,
        nickname: edit.nickname.unwrap_or(old.nickname),
        avatar: edit.avatar.unwrap_or(old.avatar),
        gender: edit.gender.unwrap_or(old.gender),
        birthday: edit.birthday.unwrap_or(old.birthday),
        signature: edit.signature.unwrap_or(old.signature),
        address: edit.address.unwrap_or(old.address),
        phone: edit.phone.unwrap_or(old.phone),
        mail: edit.mail.unwrap_or(old.mail),
        is_bot: old.is_bot,
    };
    set_profile(app, actor, profile.clone()).await?;
    Ok(profile)
}
