//! Rows 1 to 19: packages, sizes, and what is refused before anything else is looked at.

use std::time::Duration;

use myim_tests::person::{code, login_data, message, password};
use myim_tests::server::Server;
use myim_tests::wire::{
    CHAT_BODY_BYTES_MAX, Fields, Flavor, chat_header, deflate, length_prefix, plain, zlib,
};
use serde_json::{Value, json};

use super::NOT_LOGGED_IN;

tests! {
    sqlite:
        row_001_compressed_heartbeat_before_login,
        row_002_plain_heartbeat_with_compresssize_0,
        row_003_reply_header,
        row_004_reply_body,
        row_005_android_total_leaves_the_prefix_out,
        row_006_garbage_checksum_and_reserved_bytes,
        row_007_flag_7_is_plain,
        row_008_impossible_origin_size_closes,
        row_009_impossible_compress_size_closes_at_once,
        row_010_the_largest_size_is_not_refused_at_header_time,
        row_011_what_zlib_may_and_may_not_do,
        row_012_segments_do_not_matter,
        row_013_structural_errors_close,
        row_014_trailing_bytes_are_ignored,
        row_015_android_size_bug_is_absorbed,
        row_016_android_utf16_length_bug_is_absorbed,
        row_017_one_write_a_reply,
        row_018_commands_before_login,
        row_019_unknown_command_after_login_closes;
    mariadb:
        row_012_segments_do_not_matter,
        row_016_android_utf16_length_bug_is_absorbed,
}

fn heartbeat(seq: i32) -> Fields {
    Fields::chat(1000, seq, "")
}

fn row_001_compressed_heartbeat_before_login(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&zlib(&heartbeat(7).body()));
    let reply = peer.next_packet();
    assert_eq!((reply.cmd, reply.seq, reply.text()), (1000, 7, ""));
    peer.silent();
}

fn row_002_plain_heartbeat_with_compresssize_0(server: &mut Server) {
    let mut peer = server.peer(Flavor::Android);
    peer.send_raw(&plain(&heartbeat(-5).body()));
    let reply = peer.next_packet();
    assert_eq!((reply.cmd, reply.seq, reply.text()), (1000, -5, ""));
    peer.silent();
}

fn row_003_reply_header(server: &mut Server) {
    // `Packet::take` and `Peer` check the sizes and the reserved bytes of everything received. A
    // small reply may be plain, a big one is compressed.
    let mut ann = server.join("ann", Flavor::Pc);
    ann.send_raw(&zlib(&heartbeat(1).body()));
    let small = ann.next_packet();
    assert_eq!(small.origin_size, 15);
    assert!(small.flag == 1 || small.compress_size == small.origin_size);
    assert_eq!(small.reserved, [0; 16]);
    for number in 0..20 {
        let seq = ann.change_team(0, &format!("team number {number}"), "");
        ann.reply(1003, seq);
    }
    ann.send(1003, 5, "");
    let big = ann.next_packet();
    assert!(big.origin_size > 512, "{}", big.origin_size);
    assert_eq!(big.flag, 1, "a body of this size is worth compressing");
    assert!(big.compress_size < big.origin_size);
}

fn row_004_reply_body(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    peer.send(1000, 0x0102_0304, "");
    let body = peer.next_packet().body;
    assert_eq!(
        body,
        [0, 0, 0, 15, 0, 0, 0, 0, 3, 0xe8, 1, 2, 3, 4, 0],
        "length, checksum 0, command, number, empty data"
    );
}

fn row_005_android_total_leaves_the_prefix_out(server: &mut Server) {
    let mut peer = server.peer(Flavor::Android);
    peer.send_raw(&plain(&heartbeat(3).android_body()));
    assert_eq!(peer.next_packet().seq, 3);
    // A length that means nothing at all is ignored too.
    let mut body = heartbeat(4).body();
    body[..4].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
    peer.send_raw(&plain(&body));
    assert_eq!(peer.next_packet().seq, 4);
}

fn row_006_garbage_checksum_and_reserved_bytes(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    let mut body = heartbeat(8).body();
    body[4..6].copy_from_slice(&[0x41, 0xff]);
    let mut package = zlib(&body);
    package[9..25].copy_from_slice(&[0xa5; 16]);
    peer.send_raw(&package);
    assert_eq!(peer.next_packet().seq, 8);
}

fn row_007_flag_7_is_plain(server: &mut Server) {
    let mut peer = server.peer(Flavor::Android);
    let mut package = plain(&heartbeat(9).body());
    package[0] = 7;
    // The first byte also tells the protocol: a known one opens the connection.
    peer.send_raw(&plain(&heartbeat(8).body()));
    assert_eq!(peer.next_packet().seq, 8);
    peer.send_raw(&package);
    assert_eq!(peer.next_packet().seq, 9);
}

fn row_008_impossible_origin_size_closes(server: &mut Server) {
    for size in [0, -1, i32::MIN, CHAT_BODY_BYTES_MAX + 1] {
        for (flag, compress_size) in [(0, 0), (1, 64)] {
            let mut peer = server.peer(Flavor::Pc);
            peer.send_raw(&chat_header(flag, size, compress_size));
            peer.closed();
        }
    }
    server.peer(Flavor::Pc).silent();
}

fn row_009_impossible_compress_size_closes_at_once(server: &mut Server) {
    for size in [0, -1, CHAT_BODY_BYTES_MAX + 1] {
        let mut peer = server.peer(Flavor::Pc);
        peer.send_raw(&chat_header(1, 100, size));
        peer.closed();
    }
}

fn row_010_the_largest_size_is_not_refused_at_header_time(server: &mut Server) {
    for (flag, compress_size) in [(0, 0), (1, CHAT_BODY_BYTES_MAX)] {
        let mut peer = server.peer(Flavor::Pc);
        peer.send_raw(&chat_header(flag, CHAT_BODY_BYTES_MAX, compress_size));
        peer.quiet_for(Duration::from_secs(1));
        // Still being read: some more bytes do not change that.
        peer.send_raw(&[0; 1000]);
        peer.quiet_for(Duration::from_millis(200));
    }
}

fn row_011_what_zlib_may_and_may_not_do(server: &mut Server) {
    let body = heartbeat(11).body();
    let announce = |origin: i32, packed: &[u8]| {
        let packed_size = i32::try_from(packed.len()).unwrap();
        [&chat_header(1, origin, packed_size)[..], packed].concat()
    };
    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&announce(15, b"this is not zlib"));
    peer.closed();

    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&announce(14, &deflate(&body)));
    peer.closed();

    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&announce(500, &deflate(&body)));
    assert_eq!(peer.next_packet().seq, 11);
}

fn row_012_segments_do_not_matter(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    let two = [heartbeat(1), heartbeat(2)].map(|beat| beat.packed(Flavor::Pc));
    peer.send_raw(&two.concat());
    assert_eq!([peer.next_packet().seq, peer.next_packet().seq], [1, 2]);

    for flavor in [Flavor::Pc, Flavor::Android] {
        for byte in heartbeat(3).packed(flavor) {
            peer.send_raw(&[byte]);
        }
        assert_eq!(peer.next_packet().seq, 3);
    }
    peer.silent();
}

fn row_013_structural_errors_close(server: &mut Server) {
    let body = |fields: &[u8]| Fields(fields.to_vec()).body();
    let start = [0, 0, 3, 0xe8, 0, 0, 0, 1];
    let with = |tail: &[u8]| body(&[&start[..], tail].concat());
    for broken in [
        vec![0; 4],
        body(&[]),
        body(&start[..4]),
        with(&[]),
        with(&[5, b'a']),
        with(&[0x80]),
        with(&length_prefix(usize::try_from(u32::MAX).unwrap())),
        with(&[0xff; 5]),
        with(&[0xff; 40]),
        with(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]),
    ] {
        let mut peer = server.peer(Flavor::Pc);
        peer.send_raw(&plain(&broken));
        peer.closed();
    }
    server.peer(Flavor::Pc).silent();
}

fn row_014_trailing_bytes_are_ignored(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    peer.send_fields(&heartbeat(4).raw(b"extra"));
    assert_eq!(peer.next_packet().seq, 4);
    let mut ann = server.join("ann", Flavor::Pc);
    let seq = ann.request_with(1003, "", |fields| fields.int(7).text("more"));
    assert_eq!(code(&ann.reply(1003, seq)), 0);
}

fn row_015_android_size_bug_is_absorbed(server: &mut Server) {
    let (mut ann, mut bob) = server.friends_on(Flavor::Android, Flavor::Pc);
    for size in [32_767, 32_768, 33_000, 40_000] {
        let chat = |text: &str| Fields::chat(1100, 1, message(text)).int(bob.id);
        let room = size - chat("").android_body().len() - 2;
        let fields = chat(&"x".repeat(room));
        assert_eq!(fields.android_body().len(), size);
        let package = fields.packed(Flavor::Android);
        if size == 40_000 {
            assert_eq!(package[1..5], [0x3f, 0x9c, 0, 0], "as in the description");
        }
        ann.send_raw(&package);
        assert_eq!(bob.hear().text().len(), room, "a body of {size} bytes");
    }
    ann.silent_but_notices();
}

fn row_016_android_utf16_length_bug_is_absorbed(server: &mut Server) {
    // Android counts UTF-16 units and writes UTF-8 bytes.
    let send = |cmd: i32, data: &str| {
        let mut peer = server.peer(Flavor::Android);
        let units = data.encode_utf16().count();
        let fields = Fields(Vec::new())
            .int(cmd)
            .int(0)
            .raw(length_prefix(units))
            .raw(data);
        peer.send_fields(&fields);
        let reply = peer.expect(cmd).json();
        peer.silent_but_notices();
        reply
    };
    let account = json!({"username": "飞行", "nickname": "火烈鸟😀", "password": "密码三"});
    assert_eq!(code(&send(1001, &account.to_string())), 0);
    let reply = send(1002, &login_data("飞行", "密码三", 2, 3));
    assert_eq!(code(&reply), 0);
    assert_eq!(reply["nickname"], "火烈鸟😀");
    let wrong = send(1002, &login_data("飞行", "密码四", 2, 3));
    assert_eq!(code(&wrong), 103);
}

fn row_017_one_write_a_reply(server: &mut Server) {
    // Android reads a body with one `read`: each reply must arrive whole.
    let mut ann = server.join("ann", Flavor::Android);
    for seq in 0..50 {
        for cmd in [1000, 1003] {
            ann.send(cmd, seq, "");
            let bytes = ann.read_once();
            let size = i32::from_le_bytes(bytes[5..9].try_into().unwrap());
            assert_eq!(bytes.len(), 25 + usize::try_from(size).unwrap());
        }
    }
}

fn row_018_commands_before_login(server: &mut Server) {
    let mut peer = server.peer(Flavor::Pc);
    let expected: Value = serde_json::from_str(NOT_LOGGED_IN).unwrap();
    for (seq, cmd) in [
        1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1100, 1101, 1103, 1104,
    ]
    .into_iter()
    .chain([1105, 1106, 1102, 2000, 4242, 0, -1])
    .enumerate()
    {
        // No trailing fields: they are not looked at yet.
        let seq = i32::try_from(seq).unwrap();
        peer.send(cmd, seq, "x");
        let reply = peer.next_packet();
        assert_eq!((reply.cmd, reply.seq), (cmd, seq));
        assert_eq!(reply.json(), expected);
    }
    peer.silent();
}

fn row_019_unknown_command_after_login_closes(server: &mut Server) {
    server.register("ann");
    for cmd in [4242, 1102, 2000, 2001, 0, -1] {
        let mut ann = server.login("ann", Flavor::Pc);
        ann.send(cmd, 1, "x");
        ann.closed();
    }
    assert_eq!(
        code(&server.login("ann", Flavor::Pc).login),
        0,
        "{}",
        password("ann")
    );
}
