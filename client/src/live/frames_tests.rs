//! Tests of frames.

use serde_json::json;

use super::*;

const CHAT: &str = "1152921507827974153";

fn chat() -> ConversationId {
    ConversationId::from_decimal(CHAT).unwrap()
}

#[test]
fn requests_are_written_as_the_api_reads_them() {
    let said = hello(1, "v1", Some("e"), Backlog::Recent, Status::Away);
    let wanted = json!({"id": 1, "op": "hello", "token": "v1", "epoch": "e", "backlog": "recent", "status": "away"});
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), wanted);
    assert_eq!(
        ack(None, chat(), Seq(7)),
        format!(r#"{{"op":"ack","conversation":"{CHAT}","seq":7}}"#)
    );
    assert_eq!(
        watch(3, &[UserId(7)]),
        r#"{"id":3,"op":"presence.watch","user_ids":["7"]}"#
    );
    assert_eq!(ping(4), r#"{"id":4,"op":"ping"}"#);
}

#[test]
fn what_has_a_place_is_an_entry_and_what_has_none_passes() {
    let text = json!({"event": "group.member_joined", "conversation": CHAT, "seq": 3,
        "time": "2026-01-31T12:00:00.000Z", "sender": "7", "group_id": "268435456"});
    let Some(Frame::Entry {
        seq: Seq(3),
        content: EntryContent::Notice(notice),
        ..
    }) = read(&text.to_string())
    else {
        panic!("an entry");
    };
    assert_eq!(notice.sender, UserId(7));
    assert_eq!(notice.fields.len(), 1, "{notice:?}");
    let text = json!({"event": "read", "conversation": CHAT, "user_id": "7", "seq": 3});
    let Some(Frame::Passing(Passing::Read { seq: Seq(3), .. })) = read(&text.to_string()) else {
        panic!("a read mark");
    };
    let text = json!({"event": "session.revoked"});
    let Some(Frame::Passing(Passing::Other { name, .. })) = read(&text.to_string()) else {
        panic!("something else");
    };
    assert_eq!(name, "session.revoked");
}

#[test]
fn an_entry_of_a_newer_server_keeps_its_place() {
    let text = json!({"event": "message", "conversation": CHAT, "seq": 3, "message": {"x": 1}});
    let Some(Frame::Entry { seq, content, .. }) = read(&text.to_string()) else {
        panic!("an entry");
    };
    assert_eq!(seq, Seq(3));
    assert!(matches!(content, EntryContent::Notice(notice) if notice.name == "message"));
}

#[test]
fn what_is_neither_is_nothing() {
    for wrong in ["", "[]", "{}", r#"{"id":1}"#, r#"{"event":1}"#] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
