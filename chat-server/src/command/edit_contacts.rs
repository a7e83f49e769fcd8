//! Keeps a user's contact lists in order: lists, remarks, moving between lists.

use common::api::{ContactList, TeamEdit};
use common::id::Peer;
use common::store::Change;

use super::{Failure, check_name, check_text, done};
use crate::actor::Actor;
use crate::app::App;

/// The longest list name, in characters: the column of an adopted database holds 32.
const TEAM_NAME_LENGTH_MAX: usize = 32;
/// The longest remark, in characters: the same, and the Windows client shows 31.
const REMARK_LENGTH_MAX: usize = 31;
/// The longest remark, in bytes: the Windows client's buffer holds 63.
const REMARK_BYTES_MAX: usize = 63;

/// # Errors
/// The store's.
pub async fn contacts(app: &App, actor: &Actor) -> Result<ContactList, Failure> {
    Ok(app.store.contacts(actor.user).await?)
}

/// # Errors
/// `TeamExists`, `NoSuchTeam`, `DefaultTeam`, `TooMany`, `Invalid` name; the store's.
pub async fn edit_teams(app: &App, actor: &Actor, edit: TeamEdit) -> Result<(), Failure> {
    if let TeamEdit::Add { name } | TeamEdit::Rename { to: name, .. } = &edit {
        check_name("the list's name", name, TEAM_NAME_LENGTH_MAX * 4)?;
        check_length("the list's name", name, TEAM_NAME_LENGTH_MAX)?;
    }
    let change = Change::EditTeams {
        user: actor.user,
        edit,
        limit: app.config.teams_max,
    };
    done(&app.log.commit(change).await?).map(drop)
}

/// # Errors
/// `NotFriends`, `Invalid` remark; the store's.
pub async fn set_remark(
    app: &App,
    actor: &Actor,
    peer: Peer,
    remark: String,
) -> Result<(), Failure> {
    check_text("the remark", &remark, REMARK_BYTES_MAX)?;
    check_length("the remark", &remark, REMARK_LENGTH_MAX)?;
    let change = Change::SetRemark {
        user: actor.user,
        peer,
        remark,
    };
    done(&app.log.commit(change).await?).map(drop)
}

/// # Errors
/// `NotFriends`, `NoSuchTeam`, `Invalid` for the same or an empty list; the store's.
pub async fn move_contact(
    app: &App,
    actor: &Actor,
    peer: Peer,
    from: String,
    to: String,
) -> Result<(), Failure> {
    if from == to || from.is_empty() || to.is_empty() {
        return Err(Failure::Invalid {
            field: "the list",
            problem: "is the same or has no name",
        });
    }
    let change = Change::MoveContact {
        user: actor.user,
        peer,
        from,
        to,
    };
    done(&app.log.commit(change).await?).map(drop)
}

fn check_length(field: &'static str, text: &str, length_max: usize) -> Result<(), Failure> {
    if text.encode_utf16().count() > length_max {
        return Err(Failure::TooLong {
            field,
            most: length_max,
            unit: "characters",
        });
    }
    Ok(())
}
