//! Heads of frames, whole, cut and twisted.

use super::*;

fn upload(name: &[u8], content_len: u64) -> Vec<u8> {
    let request = Head {
        command: Command::Upload,
        seq: 7,
        name: name.to_vec(),
        offset: 0,
        size: 0,
        content_len,
        tail_len: 0,
    };
    // An answer is a request with a code in front of the name.
    let mut frame = write_head(&request, Progress::Partial, 1, 2, content_len).to_vec();
    frame.drain(22..26);
    frame[17] = 1;
    let body = u32::try_from(frame.len()).unwrap() - 8 + u32::try_from(content_len).unwrap();
    frame[..8].copy_from_slice(&u64::from(body).to_le_bytes());
    frame[8..12].copy_from_slice(&body.to_be_bytes());
    frame
}

#[test]
fn a_head_is_read_once_it_is_there_and_not_before() {
    for content_len in [0, 1, 127, 128, 16_384, 2_097_152, 50_000_000] {
        let frame = upload(b"name", content_len);
        for len in 0..frame.len() {
            assert_eq!(read_head(&frame[..len]), Ok(None), "{len} bytes");
        }
        let (head, len) = read_head(&frame).unwrap().unwrap();
        assert_eq!(len, frame.len());
        assert_eq!(
            (head.command, head.seq, &head.name[..]),
            (Command::Upload, 7, &b"name"[..])
        );
        assert_eq!((head.offset, head.size), (1, 2));
        assert_eq!((head.content_len, head.tail_len), (content_len, 0));
    }
}

#[test]
fn numbers_are_read_as_c_does() {
    for (text, value) in [
        ("0", 0),
        ("524288", 524_288),
        ("-1", -1),
        (" +7 8", 7),
        ("12x", 12),
        ("", 0),
        ("x", 0),
        ("99999999999999999999", i64::MAX),
        ("-99999999999999999999", i64::MIN),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(number(text.as_bytes()), value, "{text:?}");
    }
}

#[test]
fn android_sizes_of_the_specification() {
    for (meant, wire) in [
        (32_768, [0xff, 0x80, 0, 0]),
        (40_000, [0x3f, 0x9c, 0, 0]),
        (65_598, [0x3e, 0x00, 1, 0]),
        (70_000, [0x70, 0x11, 1, 0]),
        (100_000, [0x9f, 0x86, 1, 0]),
    ] {
        let size = android_size(meant);
        assert_eq!(size[..4], wire, "{meant}");
        let wrong = u64::from_le_bytes(size) != u64::from(meant);
        let found = android_body(size, meant - 6);
        assert_eq!(found, wrong.then_some(u64::from(meant)), "{meant}");
        // A PC counts the prefix into its total, so it is never mistaken for Android.
        let honest = u64::from(meant).to_le_bytes();
        assert_eq!(android_body(honest, meant), None);
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = read_head(&bytes);
        let mut body = 150_u64.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 0, 0, 150, 0, 0, 0, 0, 0, 1]);
        body.extend_from_slice(&bytes);
        if let Ok(Some((head, len))) = read_head(&body) {
            proptest::prop_assert!(len <= body.len());
            let whole = u64::try_from(len).unwrap() + head.content_len + head.tail_len;
            proptest::prop_assert_eq!(whole, 158);
        }
    }
}
