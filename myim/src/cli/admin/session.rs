//! `myim admin session …`

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::output::{text, time};
use super::trouble::Trouble;
use super::{Desk, user};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List the devices that are signed in
    List {
        /// Only those of this user
        user: Option<String>,
    },
    /// Sign a device out
    Revoke {
        /// The session's number
        #[arg(value_name = "NUMBER")]
        session: String,
    },
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::List { user } => list(desk, user).await,
        Verb::Revoke { session } => {
            if session.is_empty() || !session.bytes().all(|byte| byte.is_ascii_digit()) {
                let sentence =
                    format!("{session:?} is no number of a session; session list shows them");
                return Err(Trouble::usage(sentence));
            }
            let path = format!("/sessions/{session}");
            desk.way.call(Method::DELETE, &path, None).await?;
            let value = json!({"session_id": session, "done": "is over"});
            desk.output
                .line(&value, &format!("Session {session} is over."))
        }
    }
}

async fn list(desk: &Desk, user: Option<String>) -> Result<(), Trouble> {
    let mut all = Vec::new();
    let keep = |page| {
        all.extend(page);
        Ok(())
    };
    let path = match user {
        Some(user) => format!("/users/{}/sessions", user::find(desk, &user).await?.0),
        None => "/sessions".to_owned(),
    };
    desk.way.pages(&path, u64::MAX, keep).await?;
    let head = [
        "SESSION",
        "USER",
        "KIND",
        "DEVICE",
        "CONNECTED",
        "LAST USED",
        "UNTIL",
    ];
    desk.output.list(&all, head, |session| {
        [
            text(session, "session_id"),
            text(session, "username"),
            text(session, "kind"),
            text(session, "name"),
            text(session, "connected"),
            time(session, "seen_at"),
            time(session, "expires_at"),
        ]
    })
}
