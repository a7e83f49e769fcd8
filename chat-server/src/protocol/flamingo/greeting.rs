//! A connection before somebody logs in: heartbeat, registration, login, and nothing else.

use std::time::Duration;

use common::api::{Account, Refusal};
use common::config::ChatConfig;
use common::wire::chat::Packet;
use common::wire::command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::json::Request;
use super::link::{Ended, Link};
use super::packets;
use crate::app::App;
use crate::command::{Credentials, Failure, Registration, login, register};
use crate::hub::ClientKind;

/// How long a replaced client may keep its connection: it has to read why, and then it goes.
const REPLACED_LINGER: Duration = Duration::from_secs(5);

/// A successful login that was not answered yet.
pub(super) struct Login {
    pub account: Account,
    pub kind: ClientKind,
    pub status: i32,
    pub seq: i32,
}

/// The time limits of a connection that is not logged in.
pub(super) struct Greeting {
    first_bytes_by: Instant,
    login_by: Instant,
    /// How long a frame may take to arrive.
    frame: Duration,
    has_bytes: bool,
}

impl Greeting {
    /// For somebody who came at `accepted`.
    pub(super) fn for_newcomer(config: &ChatConfig, accepted: Instant) -> Self {
        let frame = Duration::from_secs(config.first_bytes_timeout_s);
        Self {
            first_bytes_by: accepted + frame,
            login_by: accepted + Duration::from_secs(config.login_timeout_s),
            frame,
            has_bytes: false,
        }
    }

    pub(super) fn for_replaced() -> Self {
        let until = Instant::now() + REPLACED_LINGER;
        Self {
            first_bytes_by: until,
            login_by: until,
            frame: REPLACED_LINGER,
            has_bytes: true,
        }
    }

    /// Answers until somebody logs in.
    pub(super) async fn run(
        &mut self,
        app: &App,
        link: &mut Link,
        shutdown: &CancellationToken,
    ) -> Result<Box<Login>, Ended> {
        loop {
            while let Some(packet) = link.next_packet()? {
                if let Some(login) = Box::pin(answered(app, link, packet)).await? {
                    return Ok(login);
                }
            }
            let (deadline, reason) = self.deadline(link);
            tokio::select! {
                filled = link.fill() => filled?,
                () = tokio::time::sleep_until(deadline) => return Err(Ended::TimedOut(reason)),
                () = shutdown.cancelled() => return Err(Ended::Stopping),
            }
            self.has_bytes = true;
        }
    }

    fn deadline(&self, link: &Link) -> (Instant, &'static str) {
        let login = (self.login_by, "nobody logged in");
        if !self.has_bytes {
            return login.min((self.first_bytes_by, "nothing was sent"));
        }
        match link.unfinished_since() {
            Some(since) => login.min((since + self.frame, "a frame was not finished")),
            None => login,
        }
    }
}

async fn answered(app: &App, link: &mut Link, packet: Packet) -> Result<Option<Box<Login>>, Ended> {
    let login = answer(app, link, &packet).await;
    link.flush().await?;
    Ok(login)
}

/// Adds the answer to what is written next; a right login is answered by whoever begins the session.
async fn answer(app: &App, link: &mut Link, packet: &Packet) -> Option<Box<Login>> {
    match packet.command {
        command::HEARTBEAT => link.push(&packets::empty(command::HEARTBEAT, packet.seq)),
        command::REGISTER => {
            if let Some(answer) = answer_register(app, link, packet).await {
                link.push(&answer);
            }
        }
        command::LOGIN => match try_login(app, link, packet).await {
            Attempt::Right(login) => return Some(login),
            Attempt::Wrong(answer) => link.push(&answer),
            Attempt::Unreadable => {}
        },
        other => link.push(&packets::not_logged_in(other, packet.seq)),
    }
    None
}

/// Registers; `None` where the original is silent: the request is no JSON of the right shape.
pub(super) async fn answer_register(app: &App, link: &Link, packet: &Packet) -> Option<Packet> {
    let request = Request::read_misdeclared(packet)?;
    let wanted = Registration {
        username: request.text("username")?,
        nickname: request.text("nickname")?,
        password: request.text("password")?,
        invite: None,
    };
    let (code, msg) = registered(app, link.address(), wanted).await;
    Some(packets::code(command::REGISTER, packet.seq, code, &msg))
}

/// Registers and says what came of it in the clients' numbers.
pub(super) async fn registered(
    app: &App,
    from: std::net::IpAddr,
    wanted: Registration,
) -> (i32, String) {
    match register(app, from, wanted).await {
        Ok(user) => {
            tracing::info!(%user, "an account was registered");
            (0, packets::OK.to_owned())
        }
        Err(Failure::Refused(Refusal::UsernameTaken)) => (
            command::code::ALREADY_REGISTERED,
            "registered already".to_owned(),
        ),
        Err(failure) => {
            tracing::info!(%failure, "a registration failed");
            (
                command::code::REGISTER_FAILED,
                format!("register failed: {}", told(&failure)),
            )
        }
    }
}

/// A failure in words for whoever asked.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Store(_) => packets::NOT_NOW.to_owned(),
        other => other.to_string(),
    }
}

/// What a login request came to.
pub(super) enum Attempt {
    Right(Box<Login>),
    Wrong(Packet),
    /// No JSON of the right shape: the original is silent.
    Unreadable,
}

pub(super) async fn try_login(app: &App, link: &Link, packet: &Packet) -> Attempt {
    let Some((who, client, status)) = read_login(packet) else {
        return Attempt::Unreadable;
    };
    let answer =
        |code, msg: &str| Attempt::Wrong(packets::code(command::LOGIN, packet.seq, code, msg));
    let Some(kind) = client_kind(client) else {
        return answer(command::code::UNKNOWN, "unknown kind of client");
    };
    match login(app, link.address(), &who).await {
        Ok(account) => {
            let status = normal_status(kind, status);
            Attempt::Right(Box::new(Login {
                account,
                kind,
                status,
                seq: packet.seq,
            }))
        }
        // Only who knows the password is told.
        Err(Failure::Refused(refusal @ Refusal::AccountDisabled)) => {
            answer(command::code::WRONG_PASSWORD, &refusal.to_string())
        }
        Err(Failure::Refused(_)) => answer(command::code::NOT_REGISTERED, "not registered"),
        Err(Failure::WrongPassword) => answer(command::code::WRONG_PASSWORD, "incorrect password"),
        Err(failure) => {
            tracing::warn!(%failure, "a login failed");
            answer(command::code::UNKNOWN, &told(&failure))
        }
    }
}

fn read_login(packet: &Packet) -> Option<(Credentials, i32, i32)> {
    let request = Request::read_misdeclared(packet)?;
    let who = Credentials {
        username: request.text("username")?,
        password: request.text("password")?,
    };
    Some((
        who,
        request.integer("clienttype")?,
        request.integer("status")?,
    ))
}

/// The Windows client that reconnects calls itself 0.
fn client_kind(number: i32) -> Option<ClientKind> {
    match number {
        0 | 1 => Some(ClientKind::Pc),
        2 => Some(ClientKind::Android),
        3 => Some(ClientKind::Ios),
        4 => Some(ClientKind::Mac),
        _ => None,
    }
}

/// The Windows client that reconnects says 4, "away" in an older numbering; it means on line.
fn normal_status(kind: ClientKind, status: i32) -> i32 {
    match (kind, status) {
        (ClientKind::Pc, 1 | 2) => status,
        (ClientKind::Pc, _) => 1,
        (_, status) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reconnecting_pc_is_a_pc_on_line() {
        let kind = client_kind(0).unwrap();
        assert_eq!(kind, ClientKind::Pc);
        assert_eq!(normal_status(kind, 4), 1);
        assert_eq!(normal_status(ClientKind::Pc, 2), 2);
        assert_eq!(normal_status(ClientKind::Android, 4), 4);
        assert!(client_kind(9).is_none());
    }
}
