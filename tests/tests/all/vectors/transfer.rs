//! The file and image captures.
//!
//! Large payloads were left out of the captures; such files get content of our own, and with it
//! another name.

use std::collections::HashMap;

use myim_tests::server::Server;
use myim_tests::transfer::{COMPLETE, NOT_FOUND, Transfer, content, md5_name};
use myim_tests::wire::{Fields, Flavor, TransferReply};

use super::captured::{Direction, Line, lines};

/// Our content for the recorded names whose payload was left out.
type Substitutes = HashMap<String, (String, Vec<u8>)>;

fn recorded_name(line: &Line) -> String {
    line.decoded["filemd5"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn substitutes(lines: &[Line]) -> Substitutes {
    let mut found = Substitutes::new();
    for line in lines
        .iter()
        .filter(|line| line.hex.is_empty() && !line.closed())
    {
        let name = recorded_name(line);
        let length = usize::try_from(line.number("filesize")).unwrap();
        let seed = u64::try_from(found.len()).unwrap() + 1;
        found.entry(name).or_insert_with(|| {
            let bytes = content(length, seed);
            (md5_name(&bytes), bytes)
        });
    }
    found
}

/// A slice of the content as the recorded line had it.
fn slice<'a>(line: &Line, bytes: &'a [u8]) -> &'a [u8] {
    let from = usize::try_from(line.number("offset")).unwrap();
    let length = usize::try_from(line.number("filedata_len")).unwrap();
    &bytes[from..from + length]
}

/// The package of a client, with our content in the place of what was left out.
fn request(line: &Line, substitutes: &Substitutes) -> Vec<u8> {
    let Some((name, bytes)) = substitutes.get(&recorded_name(line)) else {
        return line.bytes();
    };
    let cmd = i32::try_from(line.number("cmd")).unwrap();
    let data = if cmd == 1 { slice(line, bytes) } else { &[] };
    let mut fields = Fields(Vec::new())
        .int(cmd)
        .int(i32::try_from(line.number("seq")).unwrap())
        .text(name)
        .long(line.number("offset"))
        .long(line.number("filesize"))
        .text(data);
    let android = line.number("packlen") != line.number("packagesize");
    if cmd == 3 {
        if android {
            fields = fields.text("");
        }
        fields = fields.int(i32::try_from(line.number("clientnettype")).unwrap());
    }
    let flavor = if android { Flavor::Android } else { Flavor::Pc };
    fields.packed_for_transfer(flavor)
}

fn compare(reply: &TransferReply, line: &Line, substitutes: &Substitutes) {
    let place = line.place();
    let recorded = recorded_name(line);
    let substitute = substitutes.get(&recorded);
    let name = substitute.map_or(recorded.as_str(), |(name, _)| name);
    assert_eq!(reply.name, name.as_bytes(), "{place}");
    let fields = [
        ("cmd", i64::from(reply.cmd)),
        ("seq", i64::from(reply.seq)),
        ("errorcode", i64::from(reply.code)),
        ("offset", reply.offset),
        ("filesize", reply.size),
        ("filedata_len", i64::try_from(reply.data.len()).unwrap()),
    ];
    for (key, value) in fields {
        assert_eq!(value, line.number(key), "{key} at {place}");
    }
    if reply.code == NOT_FOUND || reply.data.is_empty() {
        return;
    }
    match substitute {
        Some((_, bytes)) => assert!(reply.data == slice(line, bytes), "{place}: other content"),
        None => assert_eq!(
            line.decoded["filedata_md5"],
            md5_name(&reply.data),
            "{place}"
        ),
    }
}

fn replay(
    file: &str,
    wanted: impl Fn(&str) -> bool,
    port: impl Fn(&Server) -> std::net::SocketAddr,
) {
    let server = Server::sqlite();
    let address = port(&server);
    let lines: Vec<_> = lines(file, wanted)
        .into_iter()
        .filter(|line| !line.conn.starts_with("chat-"))
        .collect();
    let substitutes = substitutes(&lines);
    // What the recorder put there by hand.
    for (recorded, (name, bytes)) in &substitutes {
        let uploaded = lines.iter().any(|line| {
            line.dir == Direction::C2s
                && recorded_name(line) == *recorded
                && line.number("cmd") == 1
        });
        if !uploaded {
            let mut peer = Transfer::connect(address, Flavor::Pc);
            assert!(peer.upload_as(name, bytes));
        }
    }
    let mut peers: HashMap<String, Transfer> = HashMap::new();
    for line in &lines {
        eprintln!("{} {:?} {}", line.place(), line.dir, line.conn);
        match (line.dir, line.closed()) {
            (Direction::C2s, true) => drop(peers.remove(&line.conn)),
            (Direction::C2s, false) => {
                let peer = peers
                    .entry(line.conn.clone())
                    .or_insert_with(|| Transfer::connect(address, Flavor::Pc));
                let bytes = request(line, &substitutes);
                assert!(
                    peer.send_raw(&bytes),
                    "{}: the server hung up",
                    line.place()
                );
            }
            (Direction::S2c, true) => {
                // Of the real clients' captures, some closes by the client were left out.
                match peers.remove(&line.conn) {
                    Some(mut peer) if scripted(&line.scenario) => peer.closed(),
                    _ => {}
                }
            }
            (Direction::S2c, false) => {
                let peer = peers.get_mut(&line.conn).expect("it is connected");
                let reply = peer
                    .answer()
                    .unwrap_or_else(|| panic!("{}: closed", line.place()));
                compare(&reply, line, &substitutes);
                let whole = reply.cmd == 4 && reply.code == COMPLETE;
                assert!(!whole || !reply.data.is_empty());
            }
        }
    }
}

fn scripted(name: &str) -> bool {
    !name.starts_with("android-") && !name.starts_with("win-")
}

#[test]
fn scripted_files() {
    replay("file.jsonl", scripted, |server| server.file);
}

#[test]
fn client_files() {
    replay("file.jsonl", |name| !scripted(name), |server| server.file);
}

#[test]
fn scripted_images() {
    replay("image.jsonl", scripted, |server| server.image);
}

#[test]
fn client_images() {
    replay("image.jsonl", |name| !scripted(name), |server| server.image);
}
