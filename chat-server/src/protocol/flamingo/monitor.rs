//! The text port for operators: who is on line, and what is known of a user.
//!
//! The lines are those of the original server, so that existing scripts can read them, except that
//! no password is ever shown.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use common::api::DEFAULT_TEAM;
use common::id::{Peer, UserId};
use common::net::Connection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::hub::Manner;

const HELP: &str = "\
1. help-show help info
2. ul-show online user list
3. su-show userinfo specified by userid: su [userid]
4. elpb-enable log package binary data
5. dlpb-disable log package binary data
";
/// The longest line anybody needs.
const LINE_BYTES_MAX: usize = 1024;
const STALL: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(600);

/// Serves one operator until he leaves.
pub(crate) async fn serve(app: Arc<App>, mut connection: Connection, shutdown: CancellationToken) {
    let mut inbox = BytesMut::new();
    let mut answer = HELP.to_owned();
    loop {
        if connection
            .socket
            .write_all(answer.as_bytes(), STALL)
            .await
            .is_err()
        {
            return;
        }
        answer.clear();
        let read = tokio::select! {
            read = connection.socket.read(&mut inbox, LINE_BYTES_MAX) => read,
            () = tokio::time::sleep(IDLE) => return,
            () = shutdown.cancelled() => return,
        };
        if !matches!(read, Ok(1..)) {
            return;
        }
        while let Some(end) = inbox.iter().position(|byte| *byte == b'\n') {
            let line = inbox.split_to(end + 1);
            answer += &answer_line(&app, String::from_utf8_lossy(&line).trim()).await;
        }
        if inbox.len() > LINE_BYTES_MAX {
            return;
        }
    }
}

async fn answer_line(app: &App, line: &str) -> String {
    let mut words = line.split_whitespace();
    match words.next() {
        None => String::new(),
        Some("help") => HELP.to_owned(),
        Some("ul") => online_users(app),
        Some("su") => match words.next() {
            Some(id) => user(app, id).await,
            None => "please specify userid.\n".to_owned(),
        },
        // Packages are never logged: these only keep old scripts going.
        Some("elpb" | "dlpb") => "OK.\n".to_owned(),
        Some(_) => "cmd not support\n".to_owned(),
    }
}

fn online_users(app: &App) -> String {
    let mut sessions = app.hub.sessions();
    sessions.retain(|session| session.manner != Manner::Webhook);
    if sessions.is_empty() {
        return "No user online.\n".to_owned();
    }
    let mut text = String::new();
    for session in sessions {
        let (number, user, kind) = (session.number, session.actor.user, session.kind.number());
        let (name, status) = (&session.actor.username, session.status());
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "sessionid:{number},userid:{user},username:{name},clienttype:{kind},status:{status}."
        );
    }
    text
}

async fn user(app: &App, id: &str) -> String {
    const NOT_FOUND: &str = "user not found.\n";
    let Ok(id) = id.parse::<u32>() else {
        return NOT_FOUND.to_owned();
    };
    let Some(peer) = Peer::from_number(id) else {
        return NOT_FOUND.to_owned();
    };
    let profile = match app.store.profiles(&[peer]).await {
        Ok(mut profiles) => profiles.pop(),
        Err(error) => return format!("{error}.\n"),
    };
    let Some(profile) = profile else {
        return NOT_FOUND.to_owned();
    };
    let teams = match peer {
        Peer::User(user) => teams(app, user).await,
        Peer::Group(_) => String::new(),
    };
    // The missing quote behind the signature is the original's.
    format!(
        "\"address\":\"{}\", \"birthday\":{},\"customface\": \"{}\", \"facetype\":{},\
         \"gender\":{},\"mail\":\"{}\",\"nickname\":\"{}\",\"phonenumber\":\"{}\",\
         \"signature\":\"{},\"userid\":{},\"username\":\"{}\", teaminfo:{}\n",
        profile.address,
        profile.birthday,
        profile.avatar.custom,
        profile.avatar.builtin,
        profile.gender,
        profile.mail,
        profile.nickname,
        profile.phone,
        profile.signature,
        profile.id.number(),
        profile.username,
        teams,
    )
}

/// The lists as the original stores them: nothing for a user who never made one.
async fn teams(app: &App, user: UserId) -> String {
    let list = match app.store.contacts(user).await {
        Ok(list) => list,
        Err(error) => return error.to_string(),
    };
    if list.teams == [DEFAULT_TEAM] {
        return String::new();
    }
    let stored: Vec<Value> = list
        .teams
        .iter()
        .map(|team| json!({ "members": [], "teamname": team }))
        .collect();
    Value::from(stored).to_string()
}
