//! What administrators do: one subject, one file. Every action is written down in the transaction
//! that does it; what they only look at is not.
//!
//! **Invariant:** whoever gets here is an [`Administrator`], and only [`administrator`] and the
//! admin socket make one.

mod accounts;
mod groups;
mod invites;
mod look;
mod sessions;
mod upgrades;
mod verify;

use std::sync::Arc;

use common::api::Refusal;
use common::auth::random_text;
use common::id::UserId;
use common::store::audit::{OPERATOR, Record};
use common::store::{Change, StoreError, admin};

use super::{Failure, SignedIn, done};
use crate::app::App;

pub use accounts::{Made, NewUser, disable, enable, make_account, reset_password, set_role};
pub use groups::{ListedGroup, dissolve, groups};
pub use invites::{NewInvite, invites, make_invite, revoke_invite};
pub use look::{Stats, account, accounts, activity, book, errors, files, settings, stats};
pub use sessions::{ListedSession, end_session, sessions, sessions_of};
pub use upgrades::{NewUpgrade, publish_upgrade, set_upgrade_percent, upgrades, withdraw_upgrade};
pub use verify::begin_verification;

/// Somebody who may administer this server.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// [`OPERATOR`] for who runs the machine.
    user: UserId,
    /// What he is called in the book.
    name: Arc<str>,
}

impl Administrator {
    /// Who runs the machine: whoever could open the admin socket, or the database. `uid` is
    /// his number there.
    pub fn operator(uid: u32) -> Self {
        Self {
            user: OPERATOR,
            name: format!("operator (uid {uid})").into(),
        }
    }

    pub fn user(&self) -> UserId {
        self.user
    }
}

/// The administrator that somebody who is signed in is.
///
/// # Errors
/// `NotAnAdmin`; the store's.
pub async fn administrator(app: &App, signed: &SignedIn) -> Result<Administrator, Failure> {
    let user = signed.actor.user;
    let state = admin::state(&*app.store, user).await?;
    if !state.is_admin || state.disabled.is_some() {
        return Err(Refusal::NotAnAdmin.into());
    }
    Ok(Administrator {
        user,
        name: Arc::clone(&signed.actor.username),
    })
}

/// What is written down of an action.
struct Deed {
    action: &'static str,
    /// As `user:7`; with nothing behind the colon the number that is made is put there.
    target: String,
    detail: String,
}

impl Deed {
    fn new(action: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            action,
            target: target.into(),
            detail: detail.into(),
        }
    }
}

/// Does it and writes it down. Answers the number that it made, if it makes one.
///
/// # Errors
/// The change's refusals, `NotAnAdmin`; the store's.
async fn carry_out(
    app: &App,
    who: &Administrator,
    deed: Deed,
    change: Change,
) -> Result<Option<u32>, Failure> {
    let Deed {
        action,
        target,
        detail,
    } = deed;
    // Not on what: the book says that, and the code of an invite does not belong into a log.
    tracing::info!(by = %who.name, action, "administration");
    let change = Change::Audited {
        change: Box::new(change),
        record: Record {
            at: app.clock.now(),
            actor: who.user,
            by: who.name.as_ref().to_owned(),
            action,
            target,
            detail,
        },
    };
    done(&app.log.commit(change).await?)
}

fn random(length: usize) -> Result<String, StoreError> {
    random_text(length).map_err(|error| StoreError::Broken(format!("no random numbers: {error}")))
}
