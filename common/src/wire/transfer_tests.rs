//! What the file frame must keep: the specification's bytes, and every limit.

use proptest::prelude::*;

use super::*;

const NAME: &[u8] = b"900150983cd24fb0d6963f7d28e17f72";

fn request(bytes: &[u8]) -> Result<Option<TransferRequest>, TransferError> {
    Decoder::default().request(&mut BytesMut::from(bytes))
}

fn reply(bytes: &[u8]) -> Result<Option<TransferReply>, TransferError> {
    Decoder::default().reply(&mut BytesMut::from(bytes))
}

fn written(request: &TransferRequest, style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(style, &mut out).unwrap();
    out
}

fn upload(offset: i64, size: i64, data: Vec<u8>) -> TransferRequest {
    TransferRequest::Upload {
        seq: 0,
        name: Bytes::from_static(NAME),
        offset,
        size,
        data: data.into(),
    }
}

fn check_reply(kind: TransferKind, code: i32, offset: i64, size: i64, data: &str, head: &[u8]) {
    let value = TransferReply {
        kind,
        seq: 0,
        code,
        name: Bytes::from_static(NAME),
        offset,
        size,
        data: Bytes::copy_from_slice(data.as_bytes()),
    };
    let mut out = Vec::new();
    value.encode(&mut out).unwrap();
    assert_eq!(&out[..27], head);
    assert_eq!(&out[27..59], NAME);
    assert_eq!(reply(&out), Ok(Some(value)));
}

#[test]
fn requests_of_the_specification() {
    let head = [
        0x37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x37, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x20,
    ];
    let bytes = [&head[..], NAME, b"\x010\x013\x03abc"].concat();
    let abc = upload(0, 3, b"abc".to_vec());
    assert_eq!(written(&abc, Style::Pc), bytes);
    assert_eq!(request(&bytes), Ok(Some(abc)));

    let download = |net_type| TransferRequest::Download {
        seq: 0,
        name: Bytes::from_static(NAME),
        net_type,
    };
    let head = [
        0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x38, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0x20,
    ];
    let bytes = [&head[..], NAME, b"\x010\x010\0\0\0\0\0"].concat();
    assert_eq!(written(&download(0), Style::Pc), bytes);
    assert_eq!(request(&bytes), Ok(Some(download(0))));

    let head = [
        0x39, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x33, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0x20,
    ];
    let bytes = [&head[..], NAME, b"\x010\x010\0\0\0\0\0\x01"].concat();
    assert_eq!(written(&download(1), Style::Android), bytes);
    // The extra string hides the net type: Android always counts as broadband.
    assert_eq!(request(&bytes), Ok(Some(download(0))));
}

#[test]
fn replies_of_the_specification() {
    let head = |size: u8, command: u8, code: u8| {
        let start = [size, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, size, 0, 0, 0, 0];
        [&start[..], &[0, command, 0, 0, 0, 0, 0, 0, 0, code, 0x20]].concat()
    };
    use TransferKind::{Download, Upload};
    check_reply(Upload, code::COMPLETE, 3, 3, "", &head(0x38, 2, 2));
    check_reply(Download, code::COMPLETE, 0, 3, "abc", &head(0x3b, 4, 2));
    check_reply(Download, code::MISSING, 0, 0, "", &head(0x38, 4, 3));
}

#[test]
fn a_header_is_judged_before_its_body_arrives() {
    for size in [0, -1, i64::MIN, i64::MAX, 52_428_801] {
        let error = Err(TransferError::Size(size));
        assert_eq!(request(&size.to_le_bytes()), error);
    }
    assert_eq!(request(&52_428_800_i64.to_le_bytes()), Ok(None));
    let tight = Decoder::new(100).request(&mut BytesMut::from(&101_i64.to_le_bytes()[..]));
    assert_eq!(tight, Err(TransferError::Size(101)));
}

#[test]
fn what_is_no_transfer() {
    let frame = |fields: &[u8]| {
        let mut out = Vec::new();
        let size = PREFIX_BYTES + fields.len();
        out.extend_from_slice(&u64::try_from(size).unwrap().to_le_bytes());
        out.extend_from_slice(&[0; PREFIX_BYTES]);
        out.extend_from_slice(fields);
        out
    };
    let truncated = Err(TransferError::Body(Malformed::Truncated));
    assert_eq!(request(&frame(b"")), truncated);
    assert_eq!(
        request(&frame(b"\0\0\0\x09\0\0\0\0")),
        Err(TransferError::Command(9))
    );
    assert_eq!(
        request(&frame(b"\0\0\0\x01\0\0\0\0\0\x010\x010\0")),
        Err(TransferError::EmptyName)
    );
    let no_net_type = frame(b"\0\0\0\x03\0\0\0\0\x01x\x010\x010\0");
    assert_eq!(request(&no_net_type), truncated);
    assert_eq!(reply(&no_net_type), Err(TransferError::Command(3)));
}

#[test]
fn android_headers_are_recovered_at_every_length() {
    for edge in [
        0x80_usize, 0x100, 0x8000, 0xff80, 0x1_0000, 70_000, 100_000, 0x80_0000,
    ] {
        for length in edge - 80..edge + 40 {
            let value = upload(0, 1 << 40, vec![7; length]);
            let bytes = written(&value, Style::Android);
            assert_eq!(request(&bytes), Ok(Some(value)), "{length}");
        }
    }
}

#[test]
fn too_large_is_refused() {
    let mut out = Vec::new();
    let most = BODY_BYTES_MAX - 55;
    let value = upload(0, 3, vec![0; most + 1]);
    let refused = value.encode(Style::Pc, &mut out);
    assert_eq!(
        refused,
        Err(TooLarge {
            bytes: BODY_BYTES_MAX + 1
        })
    );
    assert!(out.is_empty());
    let value = upload(0, 3, vec![0; most]);
    assert_eq!(request(&written(&value, Style::Pc)), Ok(Some(value)));
}

#[test]
fn data_is_not_copied() {
    let bytes = written(&upload(0, 5, vec![1; 5000]), Style::Pc);
    let mut buffer = BytesMut::from(&bytes[..]);
    let start = buffer.as_ptr().addr();
    let Ok(Some(TransferRequest::Upload { data, .. })) = Decoder::default().request(&mut buffer)
    else {
        panic!("an upload");
    };
    assert!((start..start + bytes.len()).contains(&data.as_ptr().addr()));
}

fn requests() -> impl Strategy<Value = TransferRequest> {
    let bytes = |most: usize| prop::collection::vec(any::<u8>(), 0..most).prop_map(Bytes::from);
    let name = prop::collection::vec(any::<u8>(), 1..40).prop_map(Bytes::from);
    prop_oneof![
        (
            any::<i32>(),
            name.clone(),
            any::<i64>(),
            any::<i64>(),
            bytes(2000)
        )
            .prop_map(|(seq, name, offset, size, data)| TransferRequest::Upload {
                seq,
                name,
                offset,
                size,
                data
            }),
        (any::<i32>(), name, any::<i32>()).prop_map(|(seq, name, net_type)| {
            TransferRequest::Download {
                seq,
                name,
                net_type,
            }
        }),
    ]
}

proptest! {
    #[test]
    fn requests_are_read_back_byte_by_byte(value in requests()) {
        let mut buffer = BytesMut::new();
        let mut found = None;
        for byte in written(&value, Style::Pc) {
            prop_assert_eq!(&found, &None);
            buffer.extend_from_slice(&[byte]);
            found = Decoder::default().request(&mut buffer).unwrap();
        }
        prop_assert_eq!(found, Some(value));
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn replies_are_read_back(
        seq: i32,
        code: i32,
        upload: bool,
        name in prop::collection::vec(any::<u8>(), 1..40),
        offset: i64,
        size: i64,
        data in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let kind = if upload { TransferKind::Upload } else { TransferKind::Download };
        let (name, data) = (name.into(), data.into());
        let value = TransferReply { kind, seq, code, name, offset, size, data };
        let mut out = Vec::new();
        value.encode(&mut out).unwrap();
        prop_assert_eq!(reply(&out), Ok(Some(value)));
    }

    #[test]
    fn arbitrary_bytes_are_harmless(size in -2..200_i64, body: Vec<u8>, command in 0..6_u8) {
        let mut bytes = size.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, command]);
        bytes.extend_from_slice(&body);
        let _ = request(&bytes);
        let _ = reply(&bytes);
        let _ = request(&body);
        let mut buffer = BytesMut::new();
        for byte in bytes {
            buffer.extend_from_slice(&[byte]);
            if Decoder::default().request(&mut buffer).is_err() {
                break;
            }
        }
    }
}
