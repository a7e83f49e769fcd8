//! The dump at the end of a history: the log as the database has it, who may read it, and the files
//! as the disk has them. Nothing of the server takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::history::Event;
use crate::files::sha256;
use crate::mariadb::Database;

/// The kind of a row that is a notice.
const NOTICE: &str = "0";

/// The first number of an inbox: behind it comes the number of its owner.
const INBOX_FIRST: u64 = 3 << 60;

/// A row of the log as text: conversation, number, sender, client id, kind, content in hexadecimal.
const SQLITE: &str = "SELECT f_conv || char(9) || f_seq || char(9) || f_senderid || char(9) || \
     f_client_id || char(9) || f_kind || char(9) || hex(f_msgcontent) FROM t_chatmsg \
     ORDER BY f_conv, f_seq";
const MARIADB: &str = "SELECT CONCAT_WS(CHAR(9), f_conv, f_seq, f_senderid, f_client_id, f_kind, \
     HEX(f_msgcontent)) FROM t_chatmsg ORDER BY f_conv, f_seq";

/// The rows of a SQLite file. One that is not there, or has no tables, has none: what the disk lost
/// is for the checker to say.
pub fn of_sqlite(file: &Path) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let read = || -> rusqlite::Result<Vec<String>> {
        let database = Connection::open_with_flags(file, flags)?;
        let mut rows = database.prepare(SQLITE)?;
        let rows = rows.query_map([], |row| row.get(0))?;
        rows.collect()
    };
    read().unwrap_or_else(|error| {
        eprintln!("{}: {error}", file.display());
        Vec::new()
    })
}

/// The rows of a database on MariaDB.
pub fn of_mariadb(database: &Database) -> Vec<String> {
    database.read(MARIADB)
}

/// The rows as events: what is stored, and who is a member of what. `direct` are conversations of
/// two with their users; of groups the notices tell.
pub fn events(rows: &[String], direct: &BTreeMap<String, [String; 2]>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut stays: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in rows {
        let fields: Vec<_> = row.split('\t').collect();
        let [conversation, seq, sender, client_id, kind, content] = fields[..] else {
            panic!("a row of the log has six fields: {row}");
        };
        let seq: u64 = seq.parse().expect("a number of an entry");
        let content = parsed(content);
        let is_message = kind != NOTICE;
        if !is_message {
            let member = |user: &str| (conversation.to_owned(), user.to_owned());
            let other = content["user"].as_u64().unwrap_or(0).to_string();
            match content["notice"].as_str().unwrap_or_default() {
                "group_created" => drop(stays.insert(member(sender), 0)),
                // A new member reads from the notice of it on.
                "member_joined" => drop(stays.insert(member(sender), seq - 1)),
                "member_added" => drop(stays.insert(member(&other), seq - 1)),
                "member_left" => events.extend(left(&mut stays, member(sender), seq)),
                "member_removed" => events.extend(left(&mut stays, member(&other), seq)),
                _ => {}
            }
        }
        events.push(Event::Stored {
            conversation: conversation.to_owned(),
            seq,
            sender: sender.to_owned(),
            client_id: client_id.to_owned(),
            content: is_message.then(|| sha256(text(&content).as_bytes())),
        });
    }
    for inbox in inboxes(rows) {
        let owner = (inbox - INBOX_FIRST).to_string();
        stays.insert((inbox.to_string(), owner), 0);
    }
    for ((conversation, user), after) in stays {
        events.push(Event::Member {
            conversation,
            user,
            after,
            until: None,
        });
    }
    for (conversation, users) in direct {
        events.extend(users.iter().map(|user| Event::Member {
            conversation: conversation.clone(),
            user: user.clone(),
            after: 0,
            until: None,
        }));
    }
    events
}

/// The inboxes in which something stands: each is its owner's alone.
fn inboxes(rows: &[String]) -> BTreeSet<u64> {
    let conversations = rows.iter().filter_map(|row| row.split('\t').next());
    let numbers = conversations.filter_map(|number| number.parse().ok());
    numbers.filter(|number| *number > INBOX_FIRST).collect()
}

/// Who was a member up to here; nothing if he was none.
fn left(
    stays: &mut BTreeMap<(String, String), u64>,
    who: (String, String),
    seq: u64,
) -> Option<Event> {
    let after = stays.remove(&who)?;
    let (conversation, user) = who;
    Some(Event::Member {
        conversation,
        user,
        after,
        until: Some(seq),
    })
}

fn parsed(hexadecimal: &str) -> Value {
    let digits = hexadecimal.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect();
    let content = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    content.unwrap_or(Value::Null)
}

/// The text of a message in either dialect: of segments, or of the items of an old client.
fn text(content: &Value) -> String {
    match content {
        Value::Object(fields) => {
            let own = ["text", "msgText"]
                .iter()
                .find_map(|name| fields.get(*name));
            match own.and_then(Value::as_str) {
                Some(words) => words.to_owned(),
                None => ["segments", "content"]
                    .iter()
                    .filter_map(|name| fields.get(*name))
                    .map(text)
                    .collect(),
            }
        }
        Value::Array(parts) => parts.iter().map(text).collect(),
        _ => String::new(),
    }
}

/// Every file under `blobs`, and what is in it.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn files(filecache: &Path) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut folders = vec![filecache.join("blobs")];
    while let Some(folder) = folders.pop() {
        for path in inside(&folder)? {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = fs::read(&path)?;
            let name = path.file_name().unwrap_or_default();
            events.push(Event::Kept {
                file: name.to_string_lossy().into_owned(),
                bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
                sha256: sha256(&content),
            });
        }
    }
    Ok(events)
}

fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64, sender: &str, kind: &str, content: &str) -> String {
        let hexadecimal: String = content.bytes().map(|byte| format!("{byte:02X}")).collect();
        format!("77\t{seq}\t{sender}\tc{seq}\t{kind}\t{hexadecimal}")
    }

    #[test]
    fn both_dialects_have_a_text() {
        let segments = serde_json::json!({"segments": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]});
        assert_eq!(text(&segments), "ab");
        let old = serde_json::json!({"msgType": 1, "content": [{"msgText": "c"}, {"faceID": 3}]});
        assert_eq!(text(&old), "c");
    }

    #[test]
    fn notices_tell_who_is_a_member() {
        let rows = [
            row(1, "1", "0", r#"{"notice":"group_created","name":"x"}"#),
            row(2, "1", "0", r#"{"notice":"member_added","user":2}"#),
            row(3, "2", "2", r#"[{"type":"text","text":"hello"}]"#),
            row(4, "1", "0", r#"{"notice":"member_removed","user":2}"#),
        ];
        let told = events(&rows, &BTreeMap::new());
        let member = |user: &str, after, until| Event::Member {
            conversation: "77".to_owned(),
            user: user.to_owned(),
            after,
            until,
        };
        assert!(told.contains(&member("1", 0, None)), "{told:?}");
        assert!(told.contains(&member("2", 1, Some(4))), "{told:?}");
        let content = Some(sha256(b"hello"));
        assert!(told.iter().any(|event| matches!(event,
            Event::Stored { seq: 3, content: stored, .. } if *stored == content)));
    }
}
