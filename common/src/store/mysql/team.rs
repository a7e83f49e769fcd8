//! A user's lists of contacts, kept as the original's JSON: `[{"members":[],"teamname":"Work"}]`.

use mysql_async::Conn;
use serde_json::{Value, json};

use super::account::lock;
use super::connections::{row, write};
use super::fault::Fault;
use super::relation::{self, Pair};
use crate::api::{DEFAULT_TEAM, Refusal, TeamEdit};
use crate::id::{Peer, UserId};
use crate::store::Outcome;

/// What the original's table definition calls [`DEFAULT_TEAM`].
const DEFAULT_TEAM_CHINESE: &str = "我的好友";

/// The one spelling of a list's name.
fn canonical(name: &str) -> &str {
    match name {
        "" | DEFAULT_TEAM_CHINESE => DEFAULT_TEAM,
        name => name,
    }
}

/// The names of the lists. What cannot be read counts as never edited; [`DEFAULT_TEAM`] is always
/// among them, and none is there twice.
pub(super) fn parse(stored: &[u8]) -> Vec<String> {
    let stored: Value = serde_json::from_slice(stored).unwrap_or_default();
    let mut teams: Vec<String> = Vec::new();
    for team in stored.as_array().into_iter().flatten() {
        if let Some(name) = team.get("teamname").and_then(Value::as_str) {
            let name = canonical(name).to_owned();
            if !teams.contains(&name) {
                teams.push(name);
            }
        }
    }
    if !teams.iter().any(|team| team == DEFAULT_TEAM) {
        teams.insert(0, DEFAULT_TEAM.to_owned());
    }
    teams
}

fn format(teams: &[String]) -> String {
    let team = |name: &String| json!({ "members": [], "teamname": name });
    Value::Array(teams.iter().map(team).collect()).to_string()
}

/// Under which list a contact is shown whose row says `stored`.
pub(super) fn shown(teams: &[String], stored: &str) -> String {
    let stored = canonical(stored);
    let known = teams.iter().find(|team| *team == stored).or(teams.first());
    known.map_or_else(|| DEFAULT_TEAM.to_owned(), Clone::clone)
}

async fn teams_of(conn: &mut Conn, user: UserId) -> Result<Vec<String>, Fault> {
    let stored: Option<(Option<Vec<u8>>,)> = row(
        conn,
        "SELECT f_teaminfo FROM t_user WHERE f_user_id = ?",
        (user.0,),
    )
    .await?;
    let stored = stored.and_then(|(json,)| json).unwrap_or_default();
    Ok(parse(&stored))
}

pub(super) async fn edit(
    conn: &mut Conn,
    user: UserId,
    edit: &TeamEdit,
    limit: u32,
) -> Result<Outcome, Fault> {
    if lock(conn, [user.0; 2]).await?.is_empty() {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    let mut teams = teams_of(conn, user).await?;
    let moved = match edited(&mut teams, edit, limit) {
        Ok(moved) => moved,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    write(
        conn,
        "UPDATE t_user SET f_teaminfo = ? WHERE f_user_id = ?",
        (format(&teams), user.0),
    )
    .await?;
    if let Some((from, to)) = moved {
        let names = (&to, user.0, from.as_bytes());
        for sql in [
            "UPDATE t_user_relationship SET f_user1_teamname = ? \
             WHERE f_user_id1 = ? AND CAST(f_user1_teamname AS BINARY) = ?",
            "UPDATE t_user_relationship SET f_user2_teamname = ? \
             WHERE f_user_id2 = ? AND CAST(f_user2_teamname AS BINARY) = ?",
        ] {
            write(conn, sql, names).await?;
        }
    }
    Ok(Outcome::done())
}

/// Edits the list of names; answers from which to which name contacts move.
fn edited(
    teams: &mut Vec<String>,
    edit: &TeamEdit,
    limit: u32,
) -> Result<Option<(String, String)>, Refusal> {
    let place = |teams: &[String], name: &str| teams.iter().position(|team| team == name);
    match edit {
        TeamEdit::Add { name } => {
            let name = canonical(name);
            if place(teams, name).is_some() {
                return Err(Refusal::TeamExists);
            }
            if usize::try_from(limit).is_ok_and(|limit| teams.len() >= limit) {
                return Err(Refusal::TooMany);
            }
            teams.push(name.to_owned());
            Ok(None)
        }
        TeamEdit::Remove { name } => {
            if canonical(name) == DEFAULT_TEAM {
                return Err(Refusal::DefaultTeam);
            }
            let at = place(teams, name).ok_or(Refusal::NoSuchTeam)?;
            let name = teams.remove(at);
            Ok(Some((name, DEFAULT_TEAM.to_owned())))
        }
        TeamEdit::Rename { from, to } => {
            if canonical(from) == DEFAULT_TEAM {
                return Err(Refusal::DefaultTeam);
            }
            let at = place(teams, from).ok_or(Refusal::NoSuchTeam)?;
            let to = canonical(to);
            if place(teams, to).is_some() {
                return Err(Refusal::TeamExists);
            }
            teams[at] = to.to_owned();
            Ok(Some((from.clone(), to.to_owned())))
        }
    }
}

/// Locks the connection to a contact; tells whether the user's side of the row is the first.
async fn side(conn: &mut Conn, user: UserId, peer: Peer) -> Result<Option<(Pair, bool)>, Fault> {
    let pair = Pair::of(user.0, peer.number());
    let exists = relation::exists(conn, pair).await?;
    Ok(exists.then_some((pair, pair.small == user.0)))
}

pub(super) async fn set_remark(
    conn: &mut Conn,
    user: UserId,
    peer: Peer,
    remark: &str,
) -> Result<Outcome, Fault> {
    let Some((pair, first)) = side(conn, user, peer).await? else {
        return Ok(Outcome::Refused(Refusal::NotFriends));
    };
    let column = if first {
        "f_user1_markname"
    } else {
        "f_user2_markname"
    };
    set(conn, column, remark, pair).await
}

pub(super) async fn move_contact(
    conn: &mut Conn,
    user: UserId,
    peer: Peer,
    from: &str,
    to: &str,
) -> Result<Outcome, Fault> {
    let Some((pair, first)) = side(conn, user, peer).await? else {
        return Ok(Outcome::Refused(Refusal::NotFriends));
    };
    let teams = teams_of(conn, user).await?;
    let known = |name: &str| teams.iter().any(|team| team == canonical(name));
    if !known(from) || !known(to) {
        return Ok(Outcome::Refused(Refusal::NoSuchTeam));
    }
    let column = if first {
        "f_user1_teamname"
    } else {
        "f_user2_teamname"
    };
    set(conn, column, canonical(to), pair).await
}

async fn set(conn: &mut Conn, column: &str, text: &str, pair: Pair) -> Result<Outcome, Fault> {
    let sql = format!(
        "UPDATE t_user_relationship SET {column} = ? WHERE f_user_id1 = ? AND f_user_id2 = ?"
    );
    write(conn, &sql, (text, pair.small, pair.large)).await?;
    Ok(Outcome::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_json_is_read_and_written() {
        let stored = r#"[{"members":[],"teamname":"我的好友"},{"members":[],"teamname":"Work"}]"#;
        let teams = parse(stored.as_bytes());
        assert_eq!(teams, [DEFAULT_TEAM, "Work"]);
        assert_eq!(parse(format(&teams).as_bytes()), teams);
    }

    #[test]
    fn nothing_or_nonsense_is_the_default_list() {
        for stored in [
            "",
            "null",
            "{",
            "[]",
            "[1]",
            r#"[{"teamname":""}]"#,
            r#"{"a":1}"#,
        ] {
            assert_eq!(parse(stored.as_bytes()), [DEFAULT_TEAM], "{stored}");
        }
    }

    #[test]
    fn a_contact_of_an_unknown_list_is_shown_in_the_first() {
        let teams = vec!["Work".to_owned(), DEFAULT_TEAM.to_owned()];
        assert_eq!(shown(&teams, "gone"), "Work");
        assert_eq!(shown(&teams, ""), DEFAULT_TEAM);
    }
}
