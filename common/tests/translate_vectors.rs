//! Every chat message captured from the original programs, shown as segments.

#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic is the report; clippy does not see that all of this is one"
)]

use std::path::Path;

use serde_json::Value;

use common::api::{BlobClass, KnownSegment, Segment};
use common::id::BlobId;
use common::wire::translate::{Found, PICTURE, Wanted, names, to_segments};

const CHAT: i64 = 1100;

/// The JSON of every chat message in the captures, as clients sent it and as it was passed on.
fn messages() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/chat.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut messages = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let decoded = &line["decoded"];
        let one = std::slice::from_ref(decoded);
        let frames = decoded["frames"].as_array().map_or(one, Vec::as_slice);
        for frame in frames {
            if frame["cmd"] == CHAT {
                messages.push(frame["data"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    messages
}

/// As if everything had been uploaded.
fn find(wanted: &Wanted) -> Option<Found> {
    let blob = BlobId::from_hex(&wanted.name.repeat(2))?;
    Some(Found { blob, size: 400 })
}

fn check_item(item: &Value, segment: &Segment) {
    let Segment::Known(known) = segment else {
        panic!("{item}")
    };
    match known {
        KnownSegment::Text { text } => assert_eq!(&item["msgText"], text),
        KnownSegment::Face { id } => assert_eq!(&item["faceID"], id),
        KnownSegment::Nudge {} => assert_eq!(item["shake"], 1),
        KnownSegment::Image {
            file,
            width,
            height,
            name,
            ..
        } => {
            assert_eq!(item["pic"][1], file.to_string()[..32]);
            assert_eq!(item["pic"][3], *width);
            assert_eq!(item["pic"][4], *height);
            let path = item["pic"][0].as_str().unwrap();
            assert!(path.ends_with(name.as_deref().unwrap()));
        }
        KnownSegment::File { file, name, .. } => {
            assert_eq!(item["file"][1], file.to_string()[..32]);
            assert_eq!(&item["file"][0], name);
        }
        KnownSegment::Mention { .. } | KnownSegment::Custom { .. } => panic!("{item}"),
    }
}

#[test]
fn every_captured_message_is_shown_whole() {
    let (mut items_checked, mut messages_checked) = (0, 0);
    for message in messages() {
        let segments = to_segments(message.as_bytes(), &find);
        assert!(!segments.is_empty(), "{message}");
        messages_checked += 1;
        // The standard reader is stricter than ours; the captures that it refuses are nonsense.
        let json: Value = serde_json::from_str(&message).unwrap_or_default();
        let Some(items) = json["content"].as_array() else {
            continue;
        };
        assert_eq!(items.len(), segments.len(), "{message}");
        for (item, segment) in items.iter().zip(&segments) {
            check_item(item, segment);
            items_checked += 1;
        }
    }
    assert!(messages_checked > 120, "{messages_checked}");
    assert!(items_checked > 120, "{items_checked}");
}

#[test]
fn a_captured_picture_that_is_not_there_is_said_to_be_one() {
    let mut seen = 0;
    for message in messages() {
        let wanted = names(message.as_bytes());
        if wanted
            .first()
            .is_some_and(|wanted| wanted.class == BlobClass::Image)
        {
            let text = KnownSegment::Text {
                text: PICTURE.to_owned(),
            };
            let segments = to_segments(message.as_bytes(), &|_| None);
            assert_eq!(segments, [Segment::from(text)]);
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}
