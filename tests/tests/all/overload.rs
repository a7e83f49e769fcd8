//! More than usual at once: heads of requests that come slowly, a group of thousands, and somebody
//! who does not read. Everybody else is served.
//!
//! These want a processor for themselves; the test runner runs one at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use common::api::{NewAccount, Origin};
use common::id::{ClientId, DeviceId, GroupId, Millis, UserId};
use common::store::{Change, DatabaseUrl, OpenOptions, Outcome, Store, open};
use myim_tests::api_person::{ApiPerson, Device, said, segments};
use myim_tests::files::{Files, sha256, status_of};
use myim_tests::memory_cap;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::content;
use rustix::io::ioctl_fionread;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::crowds::open_many_files;

/// Connections whose heads never end.
const SLOW: usize = 2_000;
/// A head has ten seconds; until this many have gone all of them are closed.
const SLOW_CLOSED_WITHIN: Duration = Duration::from_secs(40);

/// Members of the large group who are not on line, and those who are.
const CROWD: u32 = 4_979;
const LISTENERS: usize = 20;
/// How fast, and how many, messages are written to it.
const EVERY: Duration = Duration::from_millis(10);
const MESSAGES: usize = 400;
/// How late a message may be heard on a busy machine.
const LATE_MAX: Duration = Duration::from_secs(30);

/// What somebody who reads nothing is sent: more than the buffers of two sockets hold.
const LARGE: usize = 20_000;
const LARGE_MESSAGES: usize = 400;

/// The memory of a small machine, and what is asked of a server that has no more: uploads at the same
/// time, each of so many bytes, and downloads of a file that nobody reads.
const CAP_BYTES: u64 = 256 << 20;
const UPLOADS: u64 = 50;
const UPLOAD_BYTES: usize = 4 << 20;
const DOWNLOADS: usize = 300;
const DOWNLOAD_BYTES: usize = 16 << 20;

/// Writes one more byte of its head, and reads what there is; whether the server has closed it.
fn is_closed(mut stream: &TcpStream) -> bool {
    if stream.write_all(b"x").is_err() {
        return true;
    }
    loop {
        match stream.read(&mut [0; 512]) {
            Ok(0) => return true,
            // It says that this took too long.
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn two_thousand_slow_heads_hinder_nobody_and_are_closed() {
    open_many_files();
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--greeting-per-address-max", "5000")
        .start();
    let (mut ann, mut bob) = server.friends();
    let before = server.program().resident_bytes();
    let mut slow: Vec<_> = (0..SLOW)
        .map(|_| {
            let mut stream = TcpStream::connect(server.chat).unwrap();
            let head = b"GET /api/v1/server HTTP/1.1\r\nhost: x\r\nx-slow: ";
            stream.write_all(head).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    let (began, mut longest, mut most) = (Instant::now(), Duration::ZERO, 0);
    while !slow.is_empty() {
        assert!(
            began.elapsed() < SLOW_CLOSED_WITHIN,
            "{} are open",
            slow.len()
        );
        slow.retain(|stream| !is_closed(stream));
        let asked = Instant::now();
        ann.say(bob.id, "are you served?");
        bob.hears(&["are you served?"]);
        longest = longest.max(asked.elapsed());
        most = most.max(server.program().resident_bytes());
        // Those who come are served too.
        assert_eq!(server.api().get("/server").status, 200);
    }
    eprintln!(
        "closed after {:?}, longest wait {longest:?}",
        began.elapsed()
    );
    assert!(longest < LATE_MAX, "{longest:?}");
    let grown = most.saturating_sub(before);
    assert!(grown < 128 << 20, "slow heads took {grown} bytes");
}

/// Puts many people into a group while the server is down: over the API each of them would need a
/// password.
fn fill(server: &Server, group: GroupId, people: &[&ApiPerson]) {
    let database = DatabaseUrl::Sqlite(server.setup().data_dir().join("myim.db"));
    Runtime::new().unwrap().block_on(async {
        let store = open(&database, &OpenOptions::default()).await.unwrap();
        let account = |number| Change::CreateAccount {
            account: NewAccount {
                username: format!("crowd{number}"),
                nickname: "One of many".to_owned(),
                password_hash: "none".to_owned(),
            },
            at: Millis(1),
        };
        let accounts: Vec<_> = (0..CROWD).map(account).collect();
        let made = commit(&*store, &accounts).await;
        let crowd = made.into_iter().map(|id| UserId(id.unwrap()));
        let own = people.iter().map(|person| {
            let id = u32::try_from(person.number()).unwrap();
            UserId(id)
        });
        let join = |user: UserId| Change::JoinGroup {
            origin: Origin {
                user,
                device: DeviceId(1),
                client_id: ClientId::new("join").unwrap(),
                tag: 0,
                at: Millis(1),
            },
            group,
            contacts_max: 10_000,
            members_max: 10_000,
        };
        let joins: Vec<_> = crowd.chain(own).map(join).collect();
        commit(&*store, &joins).await;
        // Now another may have it open.
        store.close().await;
    });
}

async fn commit(store: &dyn Store, changes: &[Change]) -> Vec<Option<u32>> {
    let mut done = Vec::new();
    for batch in changes.chunks(1000) {
        for outcome in store.commit(batch).await.unwrap() {
            let Outcome::Done { id, .. } = outcome else {
                panic!("{outcome:?}");
            };
            done.push(id);
        }
    }
    done
}

/// Says so many things, one every `every`, and when each of them was said.
fn write(
    device: &mut Device,
    conversation: &str,
    texts: &[String],
    every: Duration,
) -> Vec<Instant> {
    let began = Instant::now();
    let mut said_at = Vec::new();
    let mut asked = Vec::new();
    for (text, number) in texts.iter().zip(0..) {
        // What comes until then is read, so that nobody has to wait for this one.
        while device.pump(began + every * number).is_ok() {}
        said_at.push(Instant::now());
        let fields = json!({
            "to": {"conversation": conversation},
            "client_id": format!("w{number}"),
            "segments": segments(text),
        });
        asked.push(device.request("message.send", fields));
    }
    for id in asked {
        device.answer(id).unwrap();
    }
    said_at
}

/// Hears these in order, with nothing between them, and when each of them came.
fn listen(device: &mut Device, conversation: &str, texts: &[String]) -> Vec<Instant> {
    let mut last = None;
    let heard = texts.iter().map(|text| {
        let event = device.find(|event| {
            event["event"] == "message"
                && event["conversation"] == *conversation
                && !said(&event["message"]).is_empty()
        });
        assert_eq!(said(&event["message"]), *text);
        let seq = event["seq"].as_u64().unwrap();
        assert!(last.is_none_or(|last| last + 1 == seq), "{seq}: a gap");
        last = Some(seq);
        Instant::now()
    });
    heard.collect()
}

/// The writer writes, the others listen; how late the latest message was.
fn play(
    writer: &mut Device,
    listeners: &mut [Device],
    conversation: &str,
    texts: &[String],
    every: Duration,
) -> Duration {
    let (said_at, heard_at) = thread::scope(|scope| {
        let ears: Vec<_> = listeners
            .iter_mut()
            .map(|device| scope.spawn(move || listen(device, conversation, texts)))
            .collect();
        let said_at = write(writer, conversation, texts, every);
        let heard = ears.into_iter().map(|ear| ear.join().unwrap());
        (said_at, heard.collect::<Vec<_>>())
    });
    let late = |heard: &Vec<Instant>| {
        let pairs = said_at.iter().zip(heard);
        pairs.map(|(said, heard)| heard.duration_since(*said)).max()
    };
    heard_at.iter().filter_map(late).max().unwrap()
}

#[test]
fn twenty_people_hear_a_hundred_messages_a_second_in_a_group_of_five_thousand() {
    let mut server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--rate-sends-per-s", "0")
        .start();
    let writer = server.newcomer("writer");
    let people: Vec<_> = (0..LISTENERS)
        .map(|number| server.newcomer(&format!("listener{number}")))
        .collect();
    let group = writer.create_group_with_members("Stadium", &[]);
    let number = GroupId(group.parse().unwrap());
    server.stop();
    fill(&server, number, &people.iter().collect::<Vec<_>>());
    server.again();
    let conversation = writer.of_group(&group);
    let members = usize::try_from(CROWD).unwrap() + LISTENERS + 1;
    assert_eq!(
        writer.get(&format!("/groups/{group}")).ok(200)["members"],
        members
    );
    let looks = |person: &ApiPerson| {
        let mut device = person.connect();
        device.ok("conversation.open", json!({"conversation": conversation}));
        device
    };
    let mut listeners: Vec<_> = people.iter().map(looks).collect();
    let texts: Vec<_> = (0..MESSAGES)
        .map(|number| format!("goal {number}"))
        .collect();
    let began = Instant::now();
    let mut writer = writer.connect();
    let late = play(&mut writer, &mut listeners, &conversation, &texts, EVERY);
    eprintln!("{MESSAGES} in {:?}, latest after {late:?}", began.elapsed());
    assert!(late < LATE_MAX, "{late:?}");
}

#[test]
fn somebody_who_reads_nothing_makes_nobody_wait() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--rate-sends-per-s", "0")
        // Longer than the test: he is there all the time.
        .chat_flag("--write-stall-s", "300")
        .chat_flag("--heartbeat-s", "300")
        .start();
    let writer = server.newcomer("writer");
    let people: Vec<_> = ["bob", "cid", "deaf"]
        .map(|name| server.newcomer(name))
        .into();
    for person in &people {
        writer.befriend(person);
    }
    let group = writer.create_group_with_members("Choir", &people.iter().collect::<Vec<_>>());
    let conversation = writer.of_group(&group);
    let mut listeners: Vec<_> = people.iter().map(ApiPerson::connect).collect();
    for device in &mut listeners {
        device.catch_up();
    }
    let mut deaf = listeners.pop().unwrap();
    let words = "x".repeat(LARGE);
    let texts: Vec<_> = (0..LARGE_MESSAGES)
        .map(|number| format!("{number} {words}"))
        .collect();
    let mut device = writer.connect();
    let every = Duration::from_millis(2);
    let late = play(&mut device, &mut listeners, &conversation, &texts, every);
    // Otherwise it was not he who had to wait.
    let waiting = ioctl_fionread(deaf.stream()).unwrap();
    eprintln!("latest after {late:?}; {waiting} bytes wait for him who reads nothing");
    assert!(waiting > 0 && waiting < u64::try_from(LARGE * LARGE_MESSAGES / 2).unwrap());
    assert!(late < LATE_MAX, "{late:?}");
    // He has missed nothing.
    listen(&mut deaf, &conversation, &texts);
}

/// Uploads this; the status of the answer. One that is refused may end before all of it was sent.
fn upload(files: &Files, bytes: &[u8]) -> u16 {
    let length = bytes.len().to_string();
    let mut stream = files.begin("POST", "/files", &[("content-length", &length)]);
    // What was refused is answered all the same.
    let _sent = stream.write_all(bytes);
    status_of(&mut stream)
}

#[test]
fn a_server_with_little_memory_serves_a_flood_of_transfers() {
    let Some(cap) = memory_cap::or_skip(CAP_BYTES, "a server with little memory") else {
        return;
    };
    open_many_files();
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .wrapped(&cap.wrapper())
        .start();
    let (mut ann, mut bob) = server.friends();
    let files = server.files();
    let large = content(DOWNLOAD_BYTES, 1);
    files.post(&large).ok(201);
    let path = format!("/files/{}", sha256(&large));
    let unread: Vec<_> = (0..DOWNLOADS)
        .map(|_| files.begin("GET", &path, &[]))
        .collect();
    let longest = thread::scope(|scope| {
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|number| {
                let files = &files;
                scope.spawn(move || upload(files, &content(UPLOAD_BYTES, 2 + number)))
            })
            .collect();
        let mut longest = Duration::ZERO;
        while !uploads.iter().all(thread::ScopedJoinHandle::is_finished) {
            let asked = Instant::now();
            ann.say(bob.id, "are you served?");
            bob.hears(&["are you served?"]);
            longest = longest.max(asked.elapsed());
        }
        for upload in uploads {
            assert_eq!(upload.join().unwrap(), 201);
        }
        longest
    });
    drop(unread);
    for number in 0..UPLOADS {
        let bytes = content(UPLOAD_BYTES, 2 + number);
        let kept = files.get(&sha256(&bytes));
        assert_eq!(kept.status, 200, "{kept}");
        assert!(kept.body == bytes, "what was acknowledged is there");
    }
    eprintln!("longest wait {longest:?}");
    assert!(longest < LATE_MAX, "{longest:?}");
    assert_eq!(cap.kills().unwrap(), 0, "ended for its memory");
}
