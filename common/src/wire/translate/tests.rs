//! Both directions against each other, against what clients require, and against nonsense.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{BlobClass, ForwardedFrom, SegmentedContent};
use crate::id::{BlobId, Millis, Seq, UserId};

const AT: Millis = Millis(1_700_000_001_999);

fn blob(number: u8) -> BlobId {
    BlobId([number; 32])
}

/// In these tests a content's MD5 is the first half of its SHA-256.
fn md5(blob: BlobId) -> String {
    blob.to_string()[..32].to_owned()
}

fn find(wanted: &Wanted) -> Option<Found> {
    let blob = BlobId::from_hex(&wanted.name.repeat(2))?;
    let size = u64::from(blob.0[0]);
    (size < 200).then_some(Found { blob, size })
}

fn known(segments: &[Segment]) -> Names {
    let blobs = needs(segments).blobs;
    Names {
        people: [(UserId(7), "Ann".to_owned())].into(),
        blobs: blobs.into_iter().map(|key| (key, md5(key.1))).collect(),
        quoted: Some("the question".to_owned()),
    }
}

fn text(text: &str) -> Segment {
    let text = text.to_owned();
    KnownSegment::Text { text }.into()
}

fn image(number: u8, name: &str) -> Segment {
    let known = KnownSegment::Image {
        file: blob(number),
        width: 50,
        height: 60,
        size: u64::from(number),
        name: Some(name.to_owned()),
        thumbhash: None,
    };
    known.into()
}

fn file(number: u8, name: &str) -> Segment {
    let known = KnownSegment::File {
        file: blob(number),
        name: name.to_owned(),
        size: u64::from(number),
        mime: "application/octet-stream".to_owned(),
    };
    known.into()
}

fn written(segments: Vec<Segment>) -> Vec<Value> {
    let names = known(&segments);
    to_flamingo(&SegmentedContent::new(segments), AT, &names)
        .iter()
        .map(|json| serde_json::from_slice(json).unwrap())
        .collect()
}

/// Texts beside each other are one text.
fn merged(segments: impl IntoIterator<Item = Segment>) -> Vec<Segment> {
    let mut merged: Vec<Segment> = Vec::new();
    for segment in segments {
        if let (
            Some(Segment::Known(KnownSegment::Text { text })),
            Segment::Known(KnownSegment::Text { text: more }),
        ) = (merged.last_mut(), &segment)
        {
            text.push_str(more);
        } else {
            merged.push(segment);
        }
    }
    merged
}

#[test]
fn a_message_has_what_the_clients_require() {
    let json = to_flamingo(
        &SegmentedContent::new(vec![
            text("a \"b\"\\\r\n\t你好 🙂"),
            KnownSegment::Face { id: 101 }.into(),
            KnownSegment::Nudge {}.into(),
            file(9, "ä.zip"),
        ]),
        AT,
        &known(&[file(9, "ä.zip")]),
    );
    let md5 = md5(blob(9));
    let expected = r#"{"clientType":1,"content":[{"msgText":"a \"b\"\\\r\n\t你好 🙂"},{"faceID":101},{"shake":1},{"file":["ä.zip","MD5",9,0]}],"msgType":1,"time":1700000001}"#;
    assert_eq!(json.len(), 1);
    assert_eq!(
        String::from_utf8(json[0].clone()).unwrap(),
        expected.replace("MD5", &md5)
    );
}

#[test]
fn a_picture_is_announced_and_then_there() {
    let json = written(vec![
        text("look "),
        image(9, "../me.PNG"),
        image(9, "me.png"),
    ]);
    let (md5, local) = (md5(blob(9)), format!("{}.png", md5(blob(9))));
    let announced = json!({"pic": [local, local, 0, 50, 60]});
    assert_eq!(
        json,
        [
            json!({"msgType": 1, "clientType": 1, "time": 1_700_000_001,
                   "content": [{"msgText": "look "}, announced, announced]}),
            json!({"msgType": 2, "clientType": 1, "time": 1_700_000_001,
                   "content": [{"pic": [local, md5, 9, 50, 60]}]}),
        ]
    );
}

#[test]
fn what_the_clients_have_no_words_for_is_a_text() {
    let later = serde_json::from_value(json!({"type": "poll"})).unwrap();
    let custom = KnownSegment::Custom { data: json!({}) };
    let mention = |user_id| Segment::from(KnownSegment::Mention { user_id });
    let mut content = SegmentedContent::new(vec![
        mention(Mentioned::User(UserId(7))),
        mention(Mentioned::User(UserId(8))),
        mention(Mentioned::All),
        image(1, "p.png"),
        file(2, "a.zip"),
        KnownSegment::Face { id: u32::MAX }.into(),
        custom.into(),
        later,
    ]);
    content.reply_to = Some(Seq(3));
    content.forwarded_from = Some(ForwardedFrom {
        user: UserId(9),
        nickname: "Bob".to_owned(),
    });
    let json = to_flamingo(&content, AT, &known(&[]));
    let json: Value = serde_json::from_slice(&json[0]).unwrap();
    assert_eq!(
        json["content"],
        json!([{"msgText": "[forwarded from Bob]\n> the question\n@Ann @8 @all [picture]\
                 [file: a.zip][face 4294967295][a message of a newer program]\
                 [a message of a newer program]"}])
    );
}

#[test]
fn names_and_numbers_do_not_hurt_the_clients() {
    let long = format!("{}.tar", "昵".repeat(80));
    let names = ["..\\..\\a/b\".exe", "", "a\u{0}b", &long];
    let expected = ["b_.exe", "file", "a_b", &format!("{}.tar", "昵".repeat(38))];
    for (name, expected) in names.into_iter().zip(expected) {
        let json = written(vec![file(9, name)]);
        assert_eq!(json[0]["content"][0]["file"][0], expected, "{name:?}");
    }
    let mut huge = image(9, "p.webp");
    if let Segment::Known(KnownSegment::Image { size, width, .. }) = &mut huge {
        (*size, *width) = (u64::MAX, u32::MAX);
    }
    let json = written(vec![huge]);
    let local = format!("{}.jpg", md5(blob(9)));
    assert_eq!(json[1]["content"][0]["pic"][0], local);
    assert_eq!(json[1]["content"][0]["pic"][2], u32::MAX);
    assert_eq!(json[1]["content"][0]["pic"][3], 0);
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    for text_of in ["a", "\u{1}", "\"", "🙂"] {
        let words = text_of.repeat(DATA_BYTES_MAX);
        let segments = vec![text("first"), KnownSegment::Nudge {}.into(), text(&words)];
        let mut all = segments.clone();
        all.extend([image(9, "p.png"), text("last")]);
        let names = known(&all);
        let json = to_flamingo(&SegmentedContent::new(all), AT, &names);
        assert_eq!(json.len(), 1, "a picture that was cut off is not sent");
        assert!(json[0].len() <= DATA_BYTES_MAX && json[0].len() > DATA_BYTES_MAX - 16);
        let read: Value = serde_json::from_slice(&json[0]).unwrap();
        let cut = read["content"][2]["msgText"].as_str().unwrap();
        let beginning = cut.strip_suffix(fit::CUT).unwrap();
        assert!(words.starts_with(beginning));
    }
    let json = notice(&"\\".repeat(DATA_BYTES_MAX), Millis(i64::MIN));
    assert!(json.len() <= DATA_BYTES_MAX);
}

#[test]
fn pictures_and_files_of_the_clients() {
    let name = md5(blob(9));
    let unknown = md5(blob(200));
    let content = json!({"msgType": 5, "content": [
        {"pic": ["/sdcard/DCIM/me.jpg", name.to_uppercase(), "9", 50, 60]},
        {"pic": [format!("{name}.jpg"), format!("{name}.jpg"), 0, 50, 60]},
        {"pic": ["a.jpg", "", 0, 50, 60]},
        {"pic": []},
        {"pic": ["a.jpg", unknown, 1, 2, 3]},
        {"file": ["C:\\a.zip", name, 9, 0]},
        {"file": ["b.zip", name, 9, 1]},
        {"file": ["c.zip", unknown, 400, 0]},
        {"file": 7},
    ]})
    .to_string();
    let wanted = |class, name: &str| Wanted {
        class,
        name: name.to_owned(),
    };
    assert_eq!(
        names(content.as_bytes()),
        [
            wanted(BlobClass::Image, &name),
            wanted(BlobClass::Image, &unknown),
            wanted(BlobClass::File, &name),
            wanted(BlobClass::File, &unknown),
        ]
    );
    assert_eq!(
        to_segments(content.as_bytes(), &find),
        [
            image(9, "me.jpg"),
            text(PICTURE),
            text(PICTURE),
            text(PICTURE),
            text(PICTURE),
            file(9, "a.zip"),
            text("[file: b.zip]"),
            text("[file: c.zip]"),
            text("[file: file]"),
        ]
    );
}

#[test]
fn what_is_no_segment_is_said_in_words() {
    let content = br#"{"content":[{"faceID":-1},{"faceID":"53"},{"msgText":7},{"msgText":null,
        "shake":1},{"remotedesktop":1},{"later":1},7,{"msgText":""}]}"#;
    assert_eq!(
        to_segments(content, &find),
        [
            text(FACE),
            KnownSegment::Face { id: 53 }.into(),
            text("7"),
            KnownSegment::Nudge {}.into(),
            text(REMOTE_DESKTOP),
            text(NEWER),
            text(NEWER),
            text(""),
        ]
    );
    for nothing in ["", "[]", "{}", r#"{"content":{}}"#, r#"{"content":[]}"#] {
        let segments = to_segments(nothing.as_bytes(), &find);
        assert_eq!(segments, [text(UNREADABLE)], "{nothing}");
    }
}

#[test]
fn an_excerpt_is_one_short_line() {
    let segments = [text(" a\r\n\tb "), image(1, "p"), file(2, "f"), text("c")];
    assert_eq!(excerpt(&segments), "a b [picture][file: f]c");
    assert_eq!(
        excerpt(&[text(&"你".repeat(400))]),
        format!("{}…", "你".repeat(40))
    );
    assert_eq!(excerpt(&[]), "");
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        any::<String>().prop_map(|words| text(&words)),
        (0..=i32::MAX.unsigned_abs()).prop_map(|id| KnownSegment::Face { id }.into()),
        Just(KnownSegment::Nudge {}.into()),
        (0_u8..200).prop_map(|number| image(number, &format!("{}.png", md5(blob(number))))),
        (0_u8..200, "[^/\\\\<>:\"|?*\\p{Cc}]{1,29}").prop_map(|(n, name)| file(n, &name)),
    ]
}

/// An item as real clients send it, or as a careless one might, and the text people see of it.
fn item() -> impl Strategy<Value = (Value, Option<String>)> {
    prop_oneof![
        any::<String>().prop_map(|text| (json!({"msgText": text}), Some(text))),
        any::<i64>().prop_map(|id| (json!({"faceID": id}), None)),
        Just((json!({"shake": 1}), None)),
        Just((json!({"remotedesktop": 1}), None)),
        (any::<String>(), "[0-9a-fA-F.]{0,33}", any::<i64>())
            .prop_map(|(name, md5, n)| (json!({"pic": [name, md5, n, n, n]}), None)),
        (any::<String>(), "[0-9a-f]{32}", 0..2)
            .prop_map(|(name, md5, online)| (json!({"file": [name, md5, 1, online]}), None)),
        any::<bool>().prop_map(|it| (json!({"pic": it, "file": it}), None)),
        any::<u8>().prop_map(|it| (json!(it), None)),
    ]
}

proptest! {
    #[test]
    fn there_and_back_again(segments in prop::collection::vec(segment(), 1..20)) {
        let names = known(&segments);
        let json = to_flamingo(&SegmentedContent::new(segments.clone()), AT, &names);
        let (first, pictures) = json.split_first().unwrap();
        let is_image = |s: &Segment| matches!(s, Segment::Known(KnownSegment::Image { .. }));
        let announced = segments.iter().cloned().map(|s| if is_image(&s) { text(PICTURE) } else { s });
        prop_assert_eq!(merged(to_segments(first, &find)), merged(announced));

        let mut images: Vec<Segment> = Vec::new();
        for image in segments.into_iter().filter(is_image) {
            if !images.contains(&image) {
                images.push(image);
            }
        }
        let came: Vec<_> = pictures.iter().flat_map(|json| to_segments(json, &find)).collect();
        prop_assert_eq!(came, images);
    }

    #[test]
    fn every_visible_text_of_a_client_arrives(items in prop::collection::vec(item(), 1..20)) {
        let (items, seen): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let count = items.len();
        let content = json!({"msgType": 1, "time": 1, "font": ["x", 12, 0, 0, 0, 0], "content": items});
        let segments = to_segments(content.to_string().as_bytes(), &find);
        prop_assert_eq!(segments.len(), count);
        for (segment, seen) in segments.iter().zip(seen) {
            if let Some(seen) = seen {
                prop_assert_eq!(segment, &text(&seen));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(content: Vec<u8>) {
        names(&content);
        prop_assert!(!to_segments(&content, &find).is_empty());
    }

    #[test]
    fn whatever_is_written_fits_and_is_read(words: String, times in 1_usize..20_000) {
        let content = SegmentedContent::new(vec![text(&words.repeat(times))]);
        let json = to_flamingo(&content, AT, &Names::default());
        prop_assert!(json[0].len() <= DATA_BYTES_MAX);
        let read = to_segments(&json[0], &find);
        let Segment::Known(KnownSegment::Text { text: read }) = &read[0] else { panic!() };
        let beginning = read.strip_suffix(fit::CUT).unwrap_or(read);
        prop_assert!(words.repeat(times).starts_with(beginning));
    }
}
