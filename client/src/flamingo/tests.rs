//! The client against servers that say exactly what a test wants them to say.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::id::{GroupId, Peer, UserId};
use common::wire::chat::{self, Decoder, Encoding, Packet};
use common::wire::command;
use common::wire::stream::{Reader, Writer};
use common::wire::transfer::{self as wire, TransferKind, TransferReply, TransferRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::transfer::{self, Transfer};
use super::{Client, Error, Event, Imitate, Options, RawConnection};

const SOON: Duration = Duration::from_millis(300);

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn options() -> Options {
    Options {
        timeout: Duration::from_secs(5),
        heartbeat: None,
        ..Options::default()
    }
}

/// A server's side of one connection.
struct Served {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Served {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = Decoder::default().decode(&mut self.buffer).unwrap() {
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap() == 0 {
                return None;
            }
        }
    }

    async fn say(&mut self, packet: &Packet) {
        let mut frame = Vec::new();
        chat::encode(packet, Encoding::Zlib, &mut frame).unwrap();
        self.stream.write_all(&frame).await.unwrap();
    }
}

/// Answers each request with what `answers` makes of it, until the client leaves.
async fn serve(
    listener: TcpListener,
    answers: impl Fn(&Packet) -> Vec<Packet> + Send + 'static,
) -> tokio::task::JoinHandle<Vec<Packet>> {
    tokio::spawn(async move {
        let mut served = Served::accept(&listener).await;
        let mut heard = Vec::new();
        while let Some(packet) = served.next().await {
            for answer in answers(&packet) {
                served.say(&answer).await;
            }
            heard.push(packet);
        }
        heard
    })
}

fn reply(request: &Packet, data: &str) -> Packet {
    Packet::new(request.command, request.seq, data.to_owned())
}

const LOGIN_REPLY: &str = r#"{"code": 0, "msg": "ok", "userid": 8,"username":"bob", "nickname":"Bob", "facetype": 0, "customface":"", "gender":0, "birthday":19900101, "signature":"", "address": "", "phonenumber": "", "mail":""}"#;

#[tokio::test]
async fn a_login_and_a_friend_list_among_pushes() {
    let (listener, address) = listen().await;
    let heard = serve(listener, |request| {
        let push = Packet::new(command::CHAT, request.seq, r#"{"content":[{"msgText":"hi"}]}"#)
            .with_trailing(Writer::new().i32(2).i32(8).fields());
        let answer = match request.command {
            command::LOGIN => reply(request, LOGIN_REPLY),
            command::FRIEND_LIST => reply(
                request,
                r#"{"code": 0, "msg": "ok", "userinfo":[{"members":[{"userid":2,"username":"ann","status":1},{"userid":268435456,"username":"268435456","nickname":"grp"}],"teamname":"My Friends"}]}"#,
            ),
            _ => return vec![],
        };
        vec![push, answer]
    })
    .await;
    let client = Client::connect_with(&address, options()).await.unwrap();
    let login = client.login("bob", "secret").await.unwrap();
    assert_eq!((login.id, login.birthday), (UserId(8), 19_900_101));
    let teams = client.friend_list().await.unwrap();
    assert_eq!(teams[0].name, "My Friends");
    assert_eq!(teams[0].members[1].id, Peer::Group(GroupId(268_435_456)));
    for _ in 0..2 {
        let event = client.next_event().await.unwrap();
        assert_eq!(event.text().as_deref(), Some("hi"));
    }
    client
        .send_text(Peer::User(UserId(2)), "你好")
        .await
        .unwrap();
    drop(client);
    let heard = heard.await.unwrap();
    let login: serde_json::Value = serde_json::from_slice(&heard[0].data).unwrap();
    assert_eq!(login["clienttype"], 1);
    assert_eq!(Reader::new(&heard[2].trailing).i32(), Ok(2));
}

#[tokio::test]
async fn several_requests_at_once_get_their_own_answers() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut served = Served::accept(&listener).await;
        let mut requests = Vec::new();
        for _ in 0..3 {
            requests.push(served.next().await.unwrap());
        }
        for request in requests.iter().rev() {
            let data: serde_json::Value = serde_json::from_slice(&request.data).unwrap();
            let name = data["username"].as_str().unwrap();
            let data = format!(
                r#"{{"code":0,"userinfo":[{{"userid":5,"username":"{name}","nickname":""}}]}}"#
            );
            served.say(&reply(request, &data)).await;
        }
        served
    });
    let client = Client::connect_with(&address, options()).await.unwrap();
    let (a, b, c) = tokio::join!(client.find("a"), client.find("b"), client.find("c"));
    for (found, name) in [(a, "a"), (b, "b"), (c, "c")] {
        assert_eq!(found.unwrap().unwrap().username, name);
    }
    drop(server.await.unwrap());
}

#[tokio::test]
async fn another_ones_operation_is_no_answer() {
    let (listener, address) = listen().await;
    let _server = serve(listener, |request| {
        vec![
            reply(request, r#"{"userid":3, "type":2, "username": "carol"}"#),
            reply(request, r#"{"userid":2, "type":5, "username": "ann"}"#),
        ]
    })
    .await;
    let client = Client::connect_with(&address, options()).await.unwrap();
    client.remove_friend(UserId(2)).await.unwrap();
    let asked = Event::FriendRequest {
        user: UserId(3),
        name: "carol".to_owned(),
    };
    assert_eq!(client.next_event().await.unwrap(), asked);
}

#[tokio::test]
async fn refusals_silence_and_closing_are_told_apart() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut served = Served::accept(&listener).await;
        let request = served.next().await.unwrap();
        let refusal = r#"{"code": 103, "msg": "incorrect password"}"#;
        served.say(&reply(&request, refusal)).await;
        served.next().await.unwrap();
        served.next().await.unwrap();
    });
    let quick = Options {
        timeout: SOON,
        ..options()
    };
    let client = Client::connect_with(&address, quick).await.unwrap();
    let refused = client.login("bob", "wrong").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the server refused login: incorrect password (code 103)"
    );
    let silent = client.friend_list().await.unwrap_err();
    assert!(matches!(silent, Error::NoReply { .. }), "{silent}");
    let closed = client.friend_list().await.unwrap_err();
    assert!(matches!(closed, Error::Closed), "{closed}");
    server.await.unwrap();
    let ended = client.next_event().await.unwrap_err();
    assert!(matches!(ended, Error::Closed | Error::Connection(_)));
    assert!(matches!(client.next_event().await, Err(Error::Closed)));
    assert!(matches!(
        client.heartbeat().await,
        Err(Error::Closed | Error::Connection(_))
    ));
}

#[tokio::test]
async fn a_full_queue_slows_the_server_and_loses_nothing() {
    let (listener, address) = listen().await;
    let count = 3000;
    let server = tokio::spawn(async move {
        let mut served = Served::accept(&listener).await;
        for number in 0..count {
            let data = format!("{{\"n\":{number},\"pad\":\"{}\"}}", "x".repeat(2000));
            let push = Packet::new(command::CHAT, 0, data)
                .with_trailing(Writer::new().i32(1).i32(2).fields());
            served.say(&push).await;
        }
    });
    let small = Options {
        events_max: 4,
        ..options()
    };
    let client = Client::connect_with(&address, small).await.unwrap();
    for number in 0..count {
        let Event::Chat { json, .. } = client.next_event().await.unwrap() else {
            panic!("a chat");
        };
        assert_eq!(json["n"], number);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn heartbeats_come_by_themselves_and_are_not_shown() {
    let (listener, address) = listen().await;
    let heard = serve(listener, |request| vec![reply(request, "")]).await;
    let lively = Options {
        heartbeat: Some(Duration::from_millis(20)),
        imitate: Imitate::Android,
        ..options()
    };
    let client = Client::connect_with(&address, lively).await.unwrap();
    let shown = tokio::time::timeout(SOON, client.next_event()).await;
    assert!(shown.is_err(), "{shown:?}");
    client.heartbeat().await.unwrap();
    drop(client);
    let heard = heard.await.unwrap();
    assert!(heard.len() > 3);
    assert!(
        heard
            .iter()
            .all(|packet| packet.command == command::HEARTBEAT)
    );
}

#[tokio::test]
async fn what_is_pushed_becomes_events() {
    let id = |number: i32| Writer::new().i32(number).fields();
    let read = |command, data: &str, trailing: Vec<u8>| {
        Event::read(Packet::new(command, 0, data.to_owned()).with_trailing(trailing))
    };
    let presence = read(
        command::USER_STATUS,
        r#"{ "type": 1, "onlinestatus": 4, "clienttype": 2}"#,
        id(2),
    );
    let expected = Event::Presence {
        user: UserId(2),
        status: 4,
        client_type: 2,
    };
    assert_eq!(presence, expected);
    let changed = read(command::USER_STATUS, r#"{"type": 3}"#, id(0x1000_0000));
    let peer = Peer::Group(GroupId(0x1000_0000));
    assert_eq!(changed, Event::ProfileChanged { peer });
    assert_eq!(read(command::KICKED, "", vec![]), Event::Kicked);
    let fields = Writer::new().bytes(b"HDR").bytes(b"DATA").i32(2).fields();
    let expected = Event::RemoteDesktop {
        target: Peer::User(UserId(2)),
        header: Bytes::from_static(b"HDR"),
        data: Bytes::from_static(b"DATA"),
    };
    assert_eq!(read(command::REMOTE_DESKTOP, "", fields), expected);
    let refused = read(command::CHAT, r#"{"code": 2, "msg": "not login"}"#, vec![]);
    assert!(matches!(refused, Event::Refused { code: 2, .. }));
    for (command, data) in [
        (command::CHAT, "{}"),
        (command::USER_STATUS, r#"{"type": 1}"#),
        (command::OPERATE_FRIEND, ""),
        (4242, "{}"),
    ] {
        assert!(matches!(read(command, data, vec![]), Event::Unknown(_)));
    }
}

#[tokio::test]
async fn raw_connections_hear_silence_and_closing() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut served = Served::accept(&listener).await;
        let heard = served.next().await.unwrap();
        served.say(&heard).await;
        served.next().await
    });
    let mut raw = RawConnection::connect(&address).await.unwrap();
    raw.expect_silence(Duration::from_millis(30)).await.unwrap();
    let packet = Packet::new(command::HEARTBEAT, 9, "");
    raw.send(&packet, Encoding::Android).await.unwrap();
    let not_silent = raw.expect_silence(SOON).await.unwrap_err();
    assert!(not_silent.to_string().contains("seq: 9"), "{not_silent}");
    raw.finish().await.unwrap();
    raw.expect_close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(server.await.unwrap(), None);
}

/// A file server that keeps one file in memory and follows the protocol.
async fn serve_file(listener: TcpListener, mut file: Vec<u8>) -> tokio::task::JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = BytesMut::new();
        let mut position = 0;
        loop {
            let Some(request) = wire::Decoder::default().request(&mut buffer).unwrap() else {
                if stream.read_buf(&mut buffer).await.unwrap() == 0 {
                    return file;
                }
                continue;
            };
            let mut out = Vec::new();
            file_reply(request, &mut file, &mut position)
                .encode(&mut out)
                .unwrap();
            stream.write_all(&out).await.unwrap();
        }
    })
}

fn file_reply(request: TransferRequest, file: &mut Vec<u8>, at: &mut usize) -> TransferReply {
    match request {
        TransferRequest::Upload {
            seq,
            name,
            offset,
            size,
            data,
        } => {
            assert_eq!(usize::try_from(offset), Ok(file.len()));
            file.extend_from_slice(&data);
            let done = usize::try_from(size) == Ok(file.len());
            TransferReply {
                kind: TransferKind::Upload,
                seq,
                code: if done { 2 } else { 1 },
                name,
                offset: if done { size } else { offset },
                size,
                data: Bytes::new(),
            }
        }
        TransferRequest::Download {
            seq,
            name,
            net_type,
        } => {
            let chunk = if net_type == 1 { 65_536 } else { 524_288 };
            let missing = name.starts_with(b"missing");
            let end = if missing {
                *at
            } else {
                file.len().min(*at + chunk)
            };
            let code = match (missing, end == file.len()) {
                (true, _) => 3,
                (false, true) => 2,
                (false, false) => 1,
            };
            let offset = if missing { 0 } else { *at };
            let data = Bytes::copy_from_slice(&file[*at..end]);
            *at = if code == 1 { end } else { 0 };
            TransferReply {
                kind: TransferKind::Download,
                seq,
                code,
                name,
                offset: i64::try_from(offset).unwrap(),
                size: i64::try_from(file.len()).unwrap(),
                data,
            }
        }
    }
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|place| u8::try_from(place * place % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn files_go_up_in_pieces_as_either_client_sends_them() {
    for imitate in [Imitate::Pc, Imitate::Android] {
        for bytes in [1, 65_536, 200_000, 524_288, 1_200_000] {
            let (listener, address) = listen().await;
            let kept = serve_file(listener, Vec::new()).await;
            let sent = content(bytes);
            let uploaded = transfer::upload_bytes(&address, &sent, imitate)
                .await
                .unwrap();
            assert!(!uploaded.was_there);
            assert_eq!(uploaded.name.len(), 32);
            assert!(kept.await.unwrap() == sent, "{imitate:?} {bytes}");
        }
    }
}

#[tokio::test]
async fn files_come_down_in_pieces_one_after_the_other() {
    let (listener, address) = listen().await;
    let file = content(1_200_000);
    let server = serve_file(listener, file.clone()).await;
    let mut transfer = Transfer::connect(&address, Imitate::Pc).await.unwrap();
    let missing = transfer
        .download("missing", 0, &mut Vec::new(), |_, _| {})
        .await;
    assert_eq!(
        missing.unwrap_err().to_string(),
        "the server has no file named missing"
    );
    for net_type in [0, 1] {
        let (mut to, mut steps) = (Vec::new(), Vec::new());
        let downloaded = transfer
            .download("name", net_type, &mut to, |done, _| steps.push(done))
            .await
            .unwrap();
        assert_eq!(downloaded.bytes, 1_200_000);
        assert!(to == file);
        assert_eq!(steps[0], if net_type == 0 { 524_288 } else { 65_536 });
    }
    drop(transfer);
    server.await.unwrap();
}

#[tokio::test]
async fn an_upload_from_disk_is_named_by_its_md5() {
    let (listener, address) = listen().await;
    let _server = serve_file(listener, Vec::new()).await;
    // A file that is in every checkout, and stays the same while the test runs.
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let bytes = std::fs::read(&path).unwrap();
    let mut seen = 0;
    let uploaded = transfer::upload(&address, &path, Imitate::Pc, |done, _| seen = done)
        .await
        .unwrap();
    let (name, size) = transfer::digest(&mut &bytes[..]).await.unwrap();
    assert_eq!((&uploaded.name, uploaded.bytes), (&name, size));
    assert_eq!(seen, size);
    assert!(matches!(
        transfer::upload_bytes(&address, b"", Imitate::Pc).await,
        Err(Error::EmptyFile)
    ));
    let abc = transfer::digest(&mut &b"abc"[..]).await.unwrap().0;
    assert_eq!(abc, "900150983cd24fb0d6963f7d28e17f72");
}
