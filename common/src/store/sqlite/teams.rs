//! The named lists ("teams") in which a user keeps his contacts, and his remarks about them.
//!
//! The names stand as JSON in `t_user.f_teaminfo`, as the original kept them; a contact's list
//! is a name in its row of `t_user_relationship`.

use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::accounts::{profile, profile_columns};
use super::fault::{Applied, Stop};
use super::relations::{self, Side};
use crate::api::{Contact, ContactList, DEFAULT_TEAM, Refusal, TeamEdit};
use crate::id::{Peer, UserId};
use crate::store::{Outcome, StoreError};

/// The default list's name in databases that were made by the original's `table.sql`.
const DEFAULT_TEAM_CHINESE: &str = "我的好友";

/// The names of the lists, unique, the default among them; first if nothing was stored.
pub(super) fn read(json: Option<&str>) -> Vec<String> {
    let stored: Value = json
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for team in stored.as_array().into_iter().flatten() {
        if let Some(name) = team.get("teamname").and_then(Value::as_str) {
            let name = canonical(name);
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    if !names.iter().any(|name| name == DEFAULT_TEAM) {
        names.insert(0, DEFAULT_TEAM.to_owned());
    }
    names
}

fn write(names: &[String]) -> String {
    let teams: Vec<Value> = names
        .iter()
        .map(|name| json!({ "members": [], "teamname": name }))
        .collect();
    Value::Array(teams).to_string()
}

/// One name for what means the default list.
fn canonical(name: &str) -> &str {
    match name {
        "" | DEFAULT_TEAM_CHINESE => DEFAULT_TEAM,
        name => name,
    }
}

/// Adds, removes or renames a list.
pub(super) fn edit(conn: &Connection, user: UserId, edit: &TeamEdit, limit: u32) -> Applied {
    let mut names = relations::teams(conn, user)?.ok_or(Stop::from(Refusal::NoSuchUser))?;
    let find = |names: &[String], name: &str| names.iter().position(|known| known == name);
    let moved = match edit {
        TeamEdit::Add { name } => {
            let name = canonical(name);
            if find(&names, name).is_some() {
                return Err(Refusal::TeamExists.into());
            }
            if names.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                return Err(Refusal::TooMany.into());
            }
            names.push(name.to_owned());
            None
        }
        TeamEdit::Remove { name } => {
            let name = canonical(name);
            if name == DEFAULT_TEAM {
                return Err(Refusal::DefaultTeam.into());
            }
            names.remove(find(&names, name).ok_or(Refusal::NoSuchTeam)?);
            Some((name, DEFAULT_TEAM))
        }
        TeamEdit::Rename { from, to } => {
            let (from, to) = (canonical(from), canonical(to));
            if from == DEFAULT_TEAM {
                return Err(Refusal::DefaultTeam.into());
            }
            let row = find(&names, from).ok_or(Refusal::NoSuchTeam)?;
            if find(&names, to).is_some() {
                return Err(Refusal::TeamExists.into());
            }
            to.clone_into(&mut names[row]);
            Some((from, to))
        }
    };
    conn.prepare_cached("UPDATE t_user SET f_teaminfo = ?2 WHERE f_user_id = ?1")?
        .execute((user.0, write(&names)))?;
    if let Some((from, to)) = moved {
        relations::move_team(conn, user, from, to)?;
    }
    Ok(Outcome::done())
}

/// Sets or clears the user's remark for a contact.
pub(super) fn set_remark(conn: &Connection, user: UserId, peer: Peer, remark: &str) -> Applied {
    if !relations::exists(conn, user, peer)? {
        return Err(Refusal::NotFriends.into());
    }
    relations::set_remark(conn, Side::of(user, peer), remark)?;
    Ok(Outcome::done())
}

/// Keeps a contact in another list. Where it is kept now is not asked: the client may not know.
pub(super) fn move_contact(
    conn: &Connection,
    user: UserId,
    peer: Peer,
    from: &str,
    to: &str,
) -> Applied {
    if !relations::exists(conn, user, peer)? {
        return Err(Refusal::NotFriends.into());
    }
    let names = relations::teams(conn, user)?.unwrap_or_default();
    let (from, to) = (canonical(from), canonical(to));
    if ![from, to]
        .iter()
        .all(|name| names.iter().any(|known| known == name))
    {
        return Err(Refusal::NoSuchTeam.into());
    }
    relations::set_team(conn, Side::of(user, peer), to)?;
    Ok(Outcome::done())
}

/// The user's lists and who stands in them, in the order in which they became contacts.
pub(super) fn contacts(conn: &Connection, user: UserId) -> Result<ContactList, StoreError> {
    let Some(teams) = relations::teams(conn, user)? else {
        return Ok(ContactList {
            teams: read(None),
            contacts: Vec::new(),
        });
    };
    let mut statement = conn.prepare_cached(concat!(
        "SELECT r.f_id, r.f_user1_teamname AS team, r.f_user1_markname AS remark, ",
        profile_columns!(),
        " FROM t_user_relationship r CROSS JOIN t_user u ON u.f_user_id = r.f_user_id2
          WHERE r.f_user_id1 = ?1
          UNION ALL
          SELECT r.f_id, r.f_user2_teamname, r.f_user2_markname, ",
        profile_columns!(),
        " FROM t_user_relationship r CROSS JOIN t_user u ON u.f_user_id = r.f_user_id1
          WHERE r.f_user_id2 = ?1
          ORDER BY 1"
    ))?;
    let mut rows = statement.query([user.0])?;
    let mut contacts = Vec::new();
    while let Some(row) = rows.next()? {
        contacts.push(contact(row, &teams)?);
    }
    Ok(ContactList { teams, contacts })
}

/// A list that is not among the user's, as an original database may have it, is read as the first.
fn contact(row: &Row<'_>, teams: &[String]) -> Result<Contact, StoreError> {
    let stored: String = row.get("team")?;
    let team = canonical(&stored);
    let known = teams.iter().find(|name| *name == team);
    Ok(Contact {
        profile: profile(row)?,
        team: known.or(teams.first()).cloned().unwrap_or_default(),
        remark: row.get("remark")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_stand_in_an_original_database() {
        for nothing in [
            None,
            Some(""),
            Some("[]"),
            Some("{"),
            Some("null"),
            Some("7"),
        ] {
            assert_eq!(read(nothing), [DEFAULT_TEAM], "{nothing:?}");
        }
        let original = r#"[{"members":[],"teamname":"我的好友"},{"teamname":"Work"}]"#;
        assert_eq!(read(Some(original)), [DEFAULT_TEAM, "Work"]);
        let without_default = r#"[{"teamname":"Work"},{"teamname":"Work"},{"name":"?"},3]"#;
        assert_eq!(read(Some(without_default)), [DEFAULT_TEAM, "Work"]);
        let moved = r#"[{"teamname":"Work"},{"teamname":""}]"#;
        assert_eq!(read(Some(moved)), ["Work", DEFAULT_TEAM]);
    }

    #[test]
    fn names_are_written_as_the_original_did() {
        let names = [DEFAULT_TEAM.to_owned(), "\"😀".to_owned()];
        let json = write(&names);
        assert!(
            json.starts_with(r#"[{"members":[],"teamname":"My Friends"},"#),
            "{json}"
        );
        assert_eq!(read(Some(&json)), names);
    }
}
