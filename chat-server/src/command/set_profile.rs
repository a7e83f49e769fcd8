//! Changes the own profile and tells the friends.

use std::sync::Arc;

use common::api::Profile;
use common::store::Change;

use super::register::NICKNAME_BYTES_MAX;
use super::{Failure, check_name, check_text, done, too_long, uncancelled};
use crate::actor::Actor;
use crate::app::App;
use crate::presence;

/// The longest texts, in bytes. Each is what the smallest buffer of the Windows client holds.
const SIGNATURE_BYTES_MAX: usize = 255;
const ADDRESS_BYTES_MAX: usize = 63;
const PHONE_BYTES_MAX: usize = 31;
const MAIL_BYTES_MAX: usize = 47;
/// The column of an adopted database holds 32 characters: an MD5 in hexadecimal.
const AVATAR_BYTES_MAX: usize = 32;

/// Replaces the session's user's profile; id and user name stay.
///
/// # Errors
/// `Invalid` for a field that cannot be; the store's.
pub async fn set_profile(app: &Arc<App>, actor: &Actor, profile: Profile) -> Result<(), Failure> {
    check_name("the nickname", &profile.nickname, NICKNAME_BYTES_MAX)?;
    // People break lines in their signature.
    if profile.signature.len() > SIGNATURE_BYTES_MAX {
        return Err(too_long("the signature", SIGNATURE_BYTES_MAX));
    }
    check_text("the address", &profile.address, ADDRESS_BYTES_MAX)?;
    check_text("the phone number", &profile.phone, PHONE_BYTES_MAX)?;
    check_text("the mail address", &profile.mail, MAIL_BYTES_MAX)?;
    check_text("the avatar", &profile.avatar.custom, AVATAR_BYTES_MAX)?;
    let (actor, at) = (actor.clone(), app.clock.now());
    uncancelled(app, |app| async move {
        done(&app.log.commit(Change::SetProfile { profile, at }).await?)?;
        // The change is saved; friends who cannot be told now read it with their next contact list.
        if let Err(error) = presence::announce_profile(&app, &actor).await {
            tracing::warn!(%error, "friends were not told of a changed profile");
        }
        Ok(())
    })
    .await
}
