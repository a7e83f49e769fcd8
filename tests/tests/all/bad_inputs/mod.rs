//! What nobody should send: each item of the list is answered or closed, logged, and meanwhile
//! everybody else is served.

mod floods;
mod heads;
mod limits;
mod texts;
mod uploads;
pub(crate) mod watch;

use std::time::Duration;

use myim_tests::peer::{Nothing, PATIENCE, Peer};
use myim_tests::person::{Person, code, login_data, message, password, register};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{Chunk, PC_CHUNK, Transfer, content, md5_name};
use myim_tests::wire::{
    CHAT_BODY_BYTES_MAX, Fields, Flavor, chat_header, deflate, length_prefix, plain, zlib,
};
use serde_json::{Value, json};

use self::watch::Watch;

/// Two friends who go on talking while somebody misbehaves, and an eye on the server and its log.
#[derive(Debug)]
struct Bystanders<'s> {
    ann: Person,
    bob: Person,
    seen: usize,
    watch: Watch<'s>,
}

impl<'s> Bystanders<'s> {
    fn watch(server: &'s Server) -> Self {
        let (ann, bob) = server.friends();
        let watch = Watch::new(server);
        let seen = log(server).len();
        Self {
            ann,
            bob,
            seen,
            watch,
        }
    }

    /// Others are served, and the log has a new line that contains one of these words.
    fn undisturbed(&mut self, server: &Server, words: &[&str]) {
        self.served();
        let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
        let all = log(server);
        let new = &all[self.seen..];
        let fits = |line: &str| words.iter().any(|word| line.contains(word));
        if !new.lines().any(fits) {
            // The log is another stream: it may be a moment behind.
            let late = words.iter().any(|word| {
                let patience = Duration::from_secs(5);
                server
                    .programs()
                    .iter()
                    .any(|one| one.logs_within(word, patience))
            });
            assert!(
                late,
                "nothing about {words:?} in the new part of the log:\n{new}"
            );
        }
        self.seen = log(server).len();
    }

    fn served(&mut self) {
        self.ann.say(self.bob.id, "are you served?");
        assert_eq!(self.bob.hear().text(), "are you served?");
        self.watch.held("what was sent last");
    }
}

/// What all programs of the server logged, in lower case.
fn log(server: &Server) -> String {
    let logs: Vec<_> = server
        .programs()
        .iter()
        .map(|program| program.log())
        .collect();
    logs.concat().to_lowercase()
}

/// Words with which a closed connection may be explained.
const CLOSED: [&str; 4] = ["closed", "closing", "close ", "refused"];

#[test]
fn half_a_header_and_silence() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--login-timeout-s", "2")
        .start();
    let mut others = Bystanders::watch(&server);
    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&chat_header(0, 15, 0)[..12]);
    peer.closed();
    others.undisturbed(&server, &CLOSED);
    // A whole header and half a body is no better.
    let mut peer = server.peer(Flavor::Pc);
    peer.send_raw(&chat_header(0, 1000, 0));
    peer.send_raw(&[0; 10]);
    peer.closed();
    others.undisturbed(&server, &CLOSED);
}

#[test]
fn impossible_sizes() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    for size in [0, -1, i32::MIN, i32::MAX, CHAT_BODY_BYTES_MAX + 1] {
        for (flag, origin, packed) in [(0, size, 0), (1, size, 100), (1, 100, size)] {
            let mut peer = server.peer(Flavor::Pc);
            peer.send_raw(&chat_header(flag, origin, packed));
            peer.closed();
            others.undisturbed(&server, &CLOSED);
        }
    }
}

#[test]
fn zlib_garbage() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let good = zlib(&Fields::chat(1000, 1, "").body());
    let mut cut = good.clone();
    cut.truncate(good.len() - 6);
    let left = i32::try_from(cut.len() - 25).unwrap();
    cut[5..9].copy_from_slice(&left.to_le_bytes());
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 0xff;
    let noise = [&chat_header(1, 100, 50)[..], &content(50, 1)].concat();
    for bytes in [noise, cut, flipped] {
        for logged_in in [false, true] {
            let mut peer = server.peer(Flavor::Pc);
            if logged_in {
                peer.send(1002, 0, login_data("bob", &password("bob"), 3, 1));
                peer.expect(1002);
            }
            peer.send_raw(&bytes);
            peer.closed_at_last();
            others.undisturbed(&server, &CLOSED);
        }
    }
}

#[test]
fn zlib_bombs() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let fields = Fields::chat(1000, 1, vec![b' '; 10_000_000]);
    let body = fields.body();
    let packed = deflate(&body);
    assert!(packed.len() < 11_000, "a small bomb: {}", packed.len());
    let bomb = |announced: usize| {
        let sizes = [announced, packed.len()].map(|size| i32::try_from(size).unwrap());
        [&chat_header(1, sizes[0], sizes[1])[..], &packed].concat()
    };
    let before = server.program().resident_bytes();
    for announced in [100, 60_000, body.len()] {
        for _ in 0..20 {
            let mut peer = server.peer(Flavor::Pc);
            peer.send_raw(&bomb(announced));
            peer.closed();
        }
        others.undisturbed(&server, &CLOSED);
    }
    let grown = server.program().resident_bytes().saturating_sub(before);
    assert!(grown < 48 << 20, "memory grew by {grown} bytes");
    // Of a logged-in user it is one big heartbeat, or too much.
    let mut eve = server.join("eve", Flavor::Pc);
    eve.send_raw(&bomb(body.len()));
    match eve.try_next(PATIENCE) {
        Ok(reply) => assert_eq!(reply.cmd, 1000),
        Err(nothing) => assert_eq!(nothing, Nothing::Closed),
    }
    others.served();
}

#[test]
fn lengths_past_the_end() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    for length in [1, 127, 128, 65_536, usize::try_from(i32::MAX).unwrap()] {
        let fields = Fields(Vec::new())
            .int(1002)
            .int(1)
            .raw(length_prefix(length));
        let mut peer = server.peer(Flavor::Pc);
        peer.send_fields(&fields);
        peer.closed();
        others.undisturbed(&server, &CLOSED);
    }
}

#[test]
fn unknown_commands() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    for (number, cmd) in [4242, 1102, i32::MAX, i32::MIN].into_iter().enumerate() {
        let mut eve = server.join(&format!("eve{number}"), Flavor::Pc);
        eve.send(cmd, 1, "x");
        eve.closed();
        others.undisturbed(&server, &CLOSED);
    }
}

/// JSON that is hostile or merely strange, for any command.
fn strange_json() -> Vec<Vec<u8>> {
    let deep = |open: &str, close: &str| open.repeat(10_000) + "1" + &close.repeat(10_000);
    let mut strange: Vec<Vec<u8>> = [
        "[]",
        "1",
        "\"x\"",
        "null",
        "true",
        "{",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":1e999999}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "\u{feff}{}",
        r#"{"userid":"2","type":"1"}"#,
        r#"{"username":1,"password":2,"clienttype":"1","status":"1"}"#,
        r#"{"groupid":"268435456"}"#,
        r#"{"groupid":99999999999999999999}"#,
        r#"{"userid":2147483648,"type":1}"#,
        r#"{"userid":-2,"type":1}"#,
        r#"{"userid":2.5,"type":1}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    strange.push(deep("[", "]").into_bytes());
    strange.push(deep("{\"\":", "}").into_bytes());
    strange.push("[".repeat(10_000).into_bytes());
    strange.push(b"{\"username\":\"\xff\xfe\",\"content\":[\"\xc0\x80\"]}".to_vec());
    strange.push(b"\x00\x01\x02".to_vec());
    strange
}

#[test]
fn strange_json_before_and_after_login() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let mut stranger = server.peer(Flavor::Pc);
    for data in strange_json() {
        for cmd in [1001, 1002] {
            stranger.send(cmd, 1, &data);
            for reply in stranger.barrier() {
                assert_ne!(code(&reply.json()), 0, "{}", String::from_utf8_lossy(&data));
            }
        }
        others
            .watch
            .held(&format!("{:.100}", String::from_utf8_lossy(&data)));
    }
    let mut eve = server.join("eve", Flavor::Pc);
    for data in strange_json() {
        for cmd in [1004, 1005, 1006, 1007, 1008, 1009, 1010] {
            eve.request(cmd, &data);
            eve.barrier();
        }
        eve.send_chat(2, &data);
        eve.request_with(1101, &data, |fields| fields.text("{\"targets\":[2]}"));
        eve.request_with(1101, message("x"), |fields| fields.text(&data));
        eve.barrier();
        others
            .watch
            .held(&format!("{:.100}", String::from_utf8_lossy(&data)));
    }
    others.served();
    assert_eq!(others.bob.members().len(), 1, "none of this made a friend");
}

#[test]
fn the_same_key_twice() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let data = r#"{"username":"eve","username":"eve2","nickname":"e","password":"xxx"}"#;
    let mut peer = server.peer(Flavor::Pc);
    peer.send(1001, 1, data);
    // Either name may win; two accounts, or half of one, may not come of it.
    let created = peer.barrier().iter().any(|reply| code(&reply.json()) == 0);
    let found = ["eve", "eve2"].map(|name| others.ann.search(name).len());
    assert_eq!(found.iter().sum::<usize>(), usize::from(created));
    others.ann.send_chat(
        others.bob.id,
        r#"{"time":1,"time":"x","a":1,"a":2,"content":[]}"#,
    );
    others.served_after_maybe();
}

impl Bystanders<'_> {
    /// A message may or may not have gone before.
    fn served_after_maybe(&mut self) {
        self.ann.say(self.bob.id, "are you served?");
        while self.bob.hear().text() != "are you served?" {}
        self.watch.held("what was sent last");
    }
}

#[test]
fn invalid_utf8_in_a_message() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let data = b"{\"content\":[{\"msgText\":\"\xff\xfe\xc0\"}],\"time\":1,\"msgType\":1}";
    others.ann.send_chat(others.bob.id, data);
    // Dropped, or passed on as something that is valid: `hear` parses strictly.
    others.served_after_maybe();
}

#[test]
fn hostile_user_names() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let long = "x".repeat(10_000);
    let names = [
        long.as_str(),
        "",
        " ",
        "a\"b",
        "a'b; DROP TABLE t_user; --",
        "a\\b",
        "😀😀",
        "a\u{0}b",
        "a\nb",
        "\u{202e}evil\u{202c}",
        "\u{200f}\u{200f}",
        "a/../b",
        "268435456",
        "%s%n",
    ];
    for name in names {
        let made = register(server.chat, name, "nick", "ppp");
        if made == 0 {
            let mut peer = server.peer(Flavor::Pc);
            peer.send(1002, 0, login_data(name, "ppp", 1, 1));
            let reply = peer.expect(1002).json();
            assert_eq!((code(&reply), &reply["username"]), (0, &json!(name)));
            assert_eq!(others.ann.search(name)[0]["username"], json!(name));
        } else {
            assert_eq!(made, 100, "{name:?}");
            assert!(others.ann.search(name).is_empty());
        }
        others.watch.held(&format!("the name {name:.100?}"));
    }
    assert_eq!(register(server.chat, &long, "nick", "ppp"), 100, "too long");
    assert_eq!(register(server.chat, "", "nick", "ppp"), 100, "empty");
    // Nicknames, group names and teams end up in other people's clients.
    for name in names {
        others
            .ann
            .request(1009, json!({"groupname": name, "type": 0}).to_string());
        others.ann.change_team(0, name, "");
        others.ann.mark(2, name);
        let profile = json!({
            "nickname": name, "facetype": 0, "customface": name, "gender": 0, "birthday": 1,
            "signature": name, "address": name, "phonenumber": name, "mail": name,
        });
        others.ann.request(1007, profile.to_string());
        others.ann.barrier();
        others.watch.held(&format!("{name:.100?} as a nickname"));
    }
    // Whatever was kept is valid JSON, fits the clients' buffers, and team names stay unique.
    let teams = others.ann.teams();
    let mut unique = teams.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), teams.len());
    let limits = [
        ("nickname", 63),
        ("markname", 63),
        ("mail", 63),
        ("signature", 255),
    ];
    for (_, member) in others.bob.members().into_iter().chain(others.ann.members()) {
        for (key, limit) in limits {
            assert!(
                member[key].as_str().unwrap().len() <= limit,
                "{key} in {member}"
            );
        }
    }
    others.served();
}

#[test]
fn messages_to_oneself_strangers_and_groups_one_has_left() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let (ann, bob) = (&mut others.ann, &mut others.bob);
    let mut eve = server.join("eve", Flavor::Pc);
    for target in [ann.id, 999, 0, -1, i32::MAX, 268_435_455, 299_999_999] {
        eve.say(target, "hello stranger");
        eve.silent();
        others.watch.held(&format!("a message to {target}"));
    }
    let group = ann.create_group("g");
    bob.join_group(group);
    ann.notice();
    ann.operate(group, 4, None);
    ann.expect(1005);
    bob.notice();
    ann.say(group, "I have left");
    ann.silent();
    ann.say(ann.id, "a note to myself");
    ann.forget();
    // What they got is what friends say.
    bob.say(ann.id, "still friends");
    ann.hears(&["still friends"]);
    others.served();
}

#[test]
fn an_unfriended_user_cannot_write() {
    let server = Server::sqlite();
    let (mut ann, mut bob) = server.friends();
    ann.operate(bob.id, 4, None);
    ann.expect(1005);
    bob.expect(1005);
    bob.say(ann.id, "but why?");
    bob.silent();
    ann.silent();
}

#[test]
fn uploads_that_do_not_keep_their_word() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let good = content(PC_CHUNK + 100, 1);
    let name = md5_name(&good);
    let size = i64::try_from(good.len()).unwrap();
    let first = Chunk {
        name: &name,
        offset: 0,
        size,
        data: &good[..PC_CHUNK],
    };
    let rest = |offset: i64, size: i64, data: &'static [u8]| (offset, size, data);
    let step = i64::try_from(PC_CHUNK).unwrap();
    for (offset, size, data) in [
        // Other content than the name says, more than was announced, behind the end, before the
        // beginning, and another size than at first.
        rest(step, size, &[7; 100]),
        rest(step, size, &[7; 101]),
        rest(size, size, &[7; 1]),
        rest(size + 1, size, &[7; 1]),
        rest(-1, size, &[7; 1]),
        rest(step, i64::MAX, &[7; 100]),
        rest(step + 1, size, &[7; 99]),
    ] {
        let mut peer = Transfer::connect(server.file, Flavor::Pc);
        peer.send_chunk(first);
        peer.reply();
        peer.send_chunk(Chunk {
            name: &name,
            offset,
            size,
            data,
        });
        peer.closed();
        others.undisturbed(&server, &["upload", "transfer", "closed", "refused"]);
    }
    // Shorter than promised: the client goes away.
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    peer.send_chunk(first);
    peer.reply();
    drop(peer);
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    assert_eq!(peer.download(&name), None);
    assert_eq!(peer.upload(&good), name);
}

#[test]
fn names_that_are_paths() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let outside = server.setup().directory().join("outside");
    let absolute = outside.to_string_lossy().into_owned();
    for name in [
        "../../etc/passwd",
        "../outside",
        "/etc/passwd",
        &absolute,
        "",
        "a\0b",
        "..",
        ".",
        "C:\\windows",
        "900150983cd24fb0d6963f7d28e17f7",
        "900150983cd24fb0d6963f7d28e17f7g",
        "900150983cd24fb0d6963f7d28e17f72\0",
    ] {
        for address in [server.file, server.image] {
            let mut peer = Transfer::connect(address, Flavor::Pc);
            peer.send_chunk(Chunk {
                name,
                offset: 0,
                size: 3,
                data: b"abc",
            });
            peer.closed();
            others.undisturbed(&server, &["name", "closed", "refused"]);
        }
    }
    assert!(!outside.exists());
    let long = "a".repeat(1_000_000);
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    peer.send_get(&long, 0);
    assert!(peer.answer().is_none_or(|reply| reply.code == 3));
    others.served();
}

#[test]
fn noise_on_every_port() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    for seed in 1..60 {
        for address in [server.chat, server.file, server.image] {
            let mut peer = Peer::connect(address, Flavor::Pc);
            let mut bytes = content(300, seed);
            if seed % 3 == 0 {
                // A plausible header in front gets the noise further in.
                bytes = [&chat_header(u8::from(seed % 2 == 0), 200, 200)[..], &bytes].concat();
            } else if seed % 3 == 1 {
                bytes = [&200_i64.to_le_bytes()[..], &bytes].concat();
            }
            peer.try_send_raw(&bytes);
        }
        others.served();
    }
    let mut tls = server.peer(Flavor::Pc);
    tls.send_raw(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
    let mut http = server.peer(Flavor::Pc);
    http.send_raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    others.served();
}

#[test]
fn failed_logins_are_throttled_and_successful_ones_are_not() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--login-failures-max", "5")
        .start();
    let mut others = Bystanders::watch(&server);
    for _ in 0..30 {
        server.login("ann", Flavor::Android);
    }
    let mut peer = server.peer(Flavor::Pc);
    let mut codes: Vec<i64> = Vec::new();
    for _ in 0..10 {
        peer.send(1002, 0, login_data("bob", "guess", 1, 1));
        codes.push(code(&peer.expect(1002).json()));
    }
    assert!(codes.iter().all(|code| *code != 0));
    assert_eq!(codes[0], 103);
    assert_ne!(codes[9], 103, "not even looked at any more: {codes:?}");
    assert_eq!(
        server.login("ann", Flavor::Android).login["code"],
        Value::from(0)
    );
    others.served();
}

#[test]
fn a_message_over_the_limit_is_dropped() {
    let server = Server::sqlite();
    let mut others = Bystanders::watch(&server);
    let (ann, bob) = (&mut others.ann, &mut others.bob);
    ann.say(bob.id, &"x".repeat(60_000));
    assert_eq!(bob.hear().text().len(), 60_000);
    for size in [70_000, 1_000_000, 9_000_000] {
        ann.send_raw(&plain(
            &Fields::chat(1100, 1, message(&"x".repeat(size)))
                .int(bob.id)
                .body(),
        ));
        ann.silent_but_notices();
        others.watch.held(&format!("a message of {size} bytes"));
    }
    others.served();
}
