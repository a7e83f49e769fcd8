//! The HTTP and WebSocket interface, row by row of its contract.
#![allow(
    clippy::too_many_lines,
    reason = "a table of refusals is read in one piece"
)]

use myim_tests::api::{Answer, Api};
use myim_tests::api_person::ApiPerson;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::Value;

mod accounts;
mod admin_accounts;
mod admin_lists;
mod admin_locks;
mod admin_watch;
mod backlog;
mod bad_requests;
mod bad_sockets;
mod bots;
mod contacts;
mod conversations;
mod delivery;
mod documents;
mod files;
mod frames;
mod groups;
mod incoming_webhooks;
mod invites;
mod large_groups;
mod messages;
mod polling;
mod server;
mod stranger;
mod trace;

/// One call and how it must be refused.
struct Row<'a> {
    method: &'a str,
    path: String,
    body: Option<Value>,
    status: u16,
    code: &'a str,
}

fn row<'a>(
    method: &'a str,
    path: impl Into<String>,
    body: impl Into<Option<Value>>,
    refused: (u16, &'a str),
) -> Row<'a> {
    Row {
        method,
        path: path.into(),
        body: body.into(),
        status: refused.0,
        code: refused.1,
    }
}

/// Every row is refused as it says; all that are not are told at once.
fn refused(api: &Api, rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for row in rows {
        let answer = api.call(row.method, &row.path, row.body.as_ref());
        if answer.status < 400 {
            wrong.push(format!("{answer}, not {} {}", row.status, row.code));
            continue;
        }
        let problem = answer.problem();
        if (answer.status, problem["code"].as_str()) != (row.status, Some(row.code)) {
            wrong.push(format!("{answer}, not {} {}", row.status, row.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Any status of success.
fn went_well(answer: &Answer) -> Value {
    assert!((200..300).contains(&answer.status), "{answer}");
    answer.ok(answer.status)
}

/// The everyday server with one more flag.
fn server_with(flag: &str, value: &str) -> Server {
    Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag(flag, value)
        .start()
}

/// Ann and Bob are friends, both are in a group with Cid, and Eve knows nobody.
struct Village {
    ann: ApiPerson,
    bob: ApiPerson,
    cid: ApiPerson,
    eve: ApiPerson,
    /// The conversation of Ann and Bob.
    direct: String,
    /// Ann is the owner.
    group: String,
    /// The conversation of the group.
    choir: String,
}

impl Village {
    fn new(server: &Server) -> Self {
        let (ann, bob) = server.acquainted();
        let (cid, eve) = (server.newcomer("cid"), server.newcomer("eve"));
        ann.befriend(&cid);
        let direct = ann.direct(&bob.user_id);
        let group = ann.create_group_with_members("Choir", &[&bob, &cid]);
        let choir = ann.of_group(&group);
        Self {
            ann,
            bob,
            cid,
            eve,
            direct,
            group,
            choir,
        }
    }
}
