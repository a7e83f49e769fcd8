//! Invites: codes that let somebody make an account.

use common::id::Millis;
use common::store::Change;
use common::store::invite::{self, Invite, InviteChange};

use super::{Administrator, Deed, carry_out, random};
use crate::app::App;
use crate::command::{Failure, check_text};

/// The length of a code; each letter is worth 5 bits.
const CODE_LENGTH: usize = 16;
/// The longest note, in bytes: the column holds so many characters.
const NOTE_BYTES_MAX: usize = 255;

/// What an invite is to be good for.
#[derive(Clone, Debug, Default)]
pub struct NewInvite {
    /// How often; without limit if left out.
    pub uses_max: Option<u32>,
    /// Until when; for ever if left out.
    pub expires: Option<Millis>,
    pub note: String,
}

/// Makes an invite.
///
/// # Errors
/// `Invalid` for a field that cannot be, `TooMany`, `NotAnAdmin`; the store's.
pub async fn make_invite(
    app: &App,
    who: &Administrator,
    new: NewInvite,
) -> Result<Invite, Failure> {
    check_text("the note", &new.note, NOTE_BYTES_MAX)?;
    let invalid = |field, problem| Failure::Invalid { field, problem };
    if new.uses_max == Some(0) {
        return Err(invalid("`uses_max`", "is 0, so nobody could use it"));
    }
    let created = app.clock.now();
    if new.expires.is_some_and(|expires| expires <= created) {
        return Err(invalid("`expires_at`", "is in the past"));
    }
    let invite = Invite {
        code: random(CODE_LENGTH)?,
        creator: who.user,
        created,
        expires: new.expires,
        uses_max: new.uses_max,
        uses: 0,
        note: new.note,
    };
    let target = format!("invite:{}", invite.code);
    let deed = Deed::new("invite.create", target, invite.note.clone());
    let change = Change::Invite(InviteChange::Make(invite.clone()));
    carry_out(app, who, deed, change).await?;
    Ok(invite)
}

/// All invites, the newest first.
///
/// # Errors
/// The store's.
pub async fn invites(app: &App, _who: &Administrator) -> Result<Vec<Invite>, Failure> {
    Ok(invite::list(&*app.store).await?)
}

/// Takes an invite back.
///
/// # Errors
/// `NoSuchInvite`, `NotAnAdmin`; the store's.
pub async fn revoke_invite(app: &App, who: &Administrator, code: String) -> Result<(), Failure> {
    // What is no code is not put into the book.
    if invite::get(&*app.store, &code).await?.is_none() {
        return Err(common::api::Refusal::NoSuchInvite.into());
    }
    let deed = Deed::new("invite.revoke", format!("invite:{code}"), "");
    let change = Change::Invite(InviteChange::Revoke { code });
    carry_out(app, who, deed, change).await.map(drop)
}
