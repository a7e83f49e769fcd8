//! Heads of frames, whole, cut and twisted: always what the codec of whole frames says.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::super::transfer::{Decoder, Style, TransferReply, TransferRequest};
use super::*;

fn written(request: &TransferRequest, style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(style, &mut out).unwrap();
    out
}

fn upload(name: &[u8], data: usize) -> TransferRequest {
    TransferRequest::Upload {
        seq: 7,
        name: Bytes::copy_from_slice(name),
        offset: 65_536,
        size: 3_000_000_000,
        data: vec![0xa5; data].into(),
    }
}

#[test]
fn a_head_is_read_once_it_is_there_and_not_before() {
    for style in [Style::Pc, Style::Android] {
        // 32,700 to 32,900: where the Android client begins to miscount.
        for data in [0, 1, 127, 128, 16_384, 32_700, 32_900, 70_000, 2_097_152] {
            let frame = written(&upload(b"name", data), style);
            let end = frame.len() - data;
            for len in 0..end {
                assert_eq!(read_head(&frame[..len]), Ok(None), "{len} of {end} bytes");
            }
            for arrived in [end, frame.len()] {
                let (head, len) = read_head(&frame[..arrived]).unwrap().unwrap();
                assert_eq!(len, end);
                assert_eq!((head.kind, head.seq), (TransferKind::Upload, 7));
                assert_eq!(head.name, b"name");
                assert_eq!((head.offset, head.size), (65_536, 3_000_000_000));
                let lens = (usize::try_from(head.content_len), head.tail_len);
                assert_eq!(lens, (Ok(data), 0));
            }
        }
    }
}

#[test]
fn a_download_needs_its_network_type() {
    for (style, tail) in [(Style::Pc, 4), (Style::Android, 5)] {
        let request = TransferRequest::Download {
            seq: 1,
            name: Bytes::from_static(b"update.version"),
            net_type: 1,
        };
        let frame = written(&request, style);
        let (head, _) = read_head(&frame).unwrap().unwrap();
        assert_eq!((head.content_len, head.tail_len), (0, tail));
    }
    let mut short = written(&upload(b"name", 3), Style::Pc);
    short[17] = 3;
    assert!(read_head(&short).is_err());
}

#[test]
fn a_name_without_end_is_given_up() {
    let frame = written(&upload(&[b'a'; 100_000], 3), Style::Pc);
    assert_eq!(read_head(&frame[..HEAD_BYTES_MAX - 1]), Ok(None));
    assert_eq!(read_head(&frame[..HEAD_BYTES_MAX]), Err(HeadError::TooLong));
}

#[test]
fn a_reply_is_the_same_in_pieces() {
    let frame = written(&upload(b"name", 3), Style::Pc);
    let (head, _) = read_head(&frame).unwrap().unwrap();
    for len in [0, 1, 200, 65_536, 524_288] {
        let reply = TransferReply {
            kind: TransferKind::Upload,
            seq: 7,
            code: 2,
            name: Bytes::from_static(b"name"),
            offset: 12,
            size: 3_456,
            data: vec![9; len].into(),
        };
        let mut whole = Vec::new();
        reply.encode(&mut whole).unwrap();
        assert_eq!(head.reply(2, 12, 3_456, len), whole[..whole.len() - len]);
    }
}

proptest! {
    /// Arbitrary bytes behind an honest beginning, so that something is understood now and then.
    #[test]
    fn whole_and_streamed_requests_are_read_the_same(
        command in 0_u8..5,
        fields in proptest::collection::vec(prop_oneof![0_u8..6, any::<u8>()], 8..200),
    ) {
        let size = u32::try_from(fields.len()).unwrap() + 10;
        let mut frame = u64::from(size).to_le_bytes().to_vec();
        frame.extend_from_slice(&size.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0, 0, 0, command]);
        frame.extend_from_slice(&fields);
        let whole = Decoder::default().request(&mut BytesMut::from(&frame[..]));
        let streamed = read_head(&frame);
        match (whole, streamed) {
            (Ok(Some(whole)), Ok(Some((head, len)))) => {
                let (seq, name) = match whole {
                    TransferRequest::Upload { seq, name, .. } => (seq, name),
                    TransferRequest::Download { seq, name, .. } => (seq, name),
                };
                prop_assert_eq!(head.seq, seq);
                prop_assert_eq!(head.name, name);
                let all = u64::try_from(len).unwrap() + head.content_len + head.tail_len;
                prop_assert_eq!(all, u64::from(size) + 8);
            }
            (Err(_), Err(_)) => {}
            (whole, streamed) => prop_assert!(false, "{:?} {:?}", whole, streamed),
        }
    }
}
