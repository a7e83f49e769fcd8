//! What the server takes, and for how long it waits.

use std::io::Write;
use std::net::TcpStream;

use myim_tests::files::{sha256, status_of};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::content;

use super::server_with;

#[test]
fn a_file_that_is_too_large_is_refused_before_it_comes() {
    let server = server_with(&[("--upload-bytes-max", "1000")]);
    let files = server.files();
    files.post(&content(1000, 1)).ok(201);
    files.post(&content(1001, 2)).refused(413, "file_too_large");
    // A client that waits for the go-ahead sends nothing at all.
    let headers = [("content-length", "4000000000"), ("expect", "100-continue")];
    let mut stream = files.begin("POST", "/files", &headers);
    assert_eq!(status_of(&mut stream), 413);
    // Nobody knows how long this will be.
    let mut stream = files.begin("POST", "/files", &[("transfer-encoding", "chunked")]);
    for _ in 0..2 {
        stream.write_all(b"200\r\n").unwrap();
        stream.write_all(&[7; 0x200]).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(status_of(&mut stream), 413);
    let place = files.create_with(&[("upload-defer-length", "1")]);
    let refused = files.patch(&place, 0, &[7; 1001]);
    refused.refused(413, "too_much_content");
    let refused = files.patch_with(&place, 0, b"1", &[("upload-length", "1001")]);
    refused.refused(413, "file_too_large");
}

#[test]
fn the_disk_keeps_its_reserve() {
    let mut server = server_with(&[("--disk-free-bytes-min", "1000TiB")]);
    let files = server.files();
    files.post(b"x").refused(507, "disk_full");
    let length = [("upload-length", "1")];
    let refused = files.tus("POST", "/files/", &length, b"");
    refused.refused(507, "disk_full");
    // What others were promised counts, and is counted again after a crash.
    let (most, free) = (1_u64 << 50, free_bytes(&server));
    server.stop();
    server.again_with(|setup| {
        let setup = setup
            .without_chat_flag("--disk-free-bytes-min")
            .transfer_flag("--upload-bytes-max", &most.to_string());
        setup.transfer_flag("--upload-day-bytes-max", &most.to_string())
    });
    let files = server.files();
    let half = (free / 2 + (2 << 30)).to_string();
    let length = [("upload-length", half.as_str())];
    let place = files.create_with(&length);
    let refused = files.tus("POST", "/files/", &length, b"");
    refused.refused(507, "disk_full");
    files.post(b"small").ok(201);
    server.crash();
    // Uploads are counted beside serving, so for a moment there may be room.
    let deadline = std::time::Instant::now() + myim_tests::peer::PATIENCE;
    loop {
        let answer = files.tus("POST", "/files/", &length, b"");
        if answer.status == 507 {
            break;
        }
        assert_eq!(answer.status, 201, "{answer}");
        assert!(std::time::Instant::now() < deadline, "{answer}");
        files.tus("DELETE", answer.header("location"), &[], b"");
    }
    assert_eq!(files.tus("DELETE", &place, &[], b"").status, 204);
    let answer = files.tus("POST", "/files/", &length, b"");
    assert_eq!(answer.status, 201, "{answer}");
}

fn free_bytes(server: &Server) -> u64 {
    let disk = rustix::fs::statvfs(server.setup().filecache()).unwrap();
    disk.f_bavail * disk.f_frsize
}

#[test]
fn a_user_has_a_quota_and_all_together_have_one() {
    let server = server_with(&[
        ("--user-quota-bytes", "1000"),
        ("--total-quota-bytes", "1500"),
    ]);
    let [ann, bob, eve] =
        ["ann", "bob", "eve"].map(|name| server.files().with_token(&server.newcomer(name).token));
    ann.post(&content(400, 1)).ok(201);
    // The same content counts once.
    ann.post(&content(400, 1)).ok(200);
    ann.post(&content(601, 2)).refused(507, "quota_user");
    let length = [("upload-length", "601")];
    let refused = ann.tus("POST", "/files/", &length, b"");
    refused.refused(507, "quota_user");
    // Two that would each fit, and the same one twice.
    let (one, two, same) = (ann.create(500), ann.create(500), ann.create(500));
    assert_eq!(ann.patch(&one, 0, &content(500, 3)).status, 204);
    let refused = ann.patch(&two, 0, &content(500, 4));
    refused.refused(507, "quota_user");
    assert_eq!(ann.patch(&same, 0, &content(500, 3)).status, 204);
    bob.post(&content(600, 5)).ok(201);
    eve.post(&content(10, 6)).refused(507, "quota_total");
}

/// Each of them would fit if the others did not come in the same moment.
#[test]
fn many_at_once_stay_within_a_quota() {
    let server = server_with(&[("--user-quota-bytes", "1000")]);
    let ann = server.files().with_token(&server.newcomer("ann").token);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..16)
            .map(|seed| {
                let ann = ann.clone();
                scope.spawn(move || ann.post(&content(400, 100 + seed)).status)
            })
            .collect();
        uploads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(201), count(507)), (2, 14), "{statuses:?}");
}

#[test]
fn row_115_an_address_without_a_token_has_a_day_quota() {
    let server = server_with(&[("--upload-day-bytes-max", "1000")]);
    let files = server.files();
    files.post(&content(600, 1)).ok(201);
    files.post(&content(500, 2)).refused(507, "quota_day");
    let (one, two) = (files.create(300), files.create(300));
    assert_eq!(files.patch(&one, 0, &content(300, 3)).status, 204);
    let refused = files.patch(&two, 0, &content(300, 4));
    refused.refused(507, "quota_day");
    // Who is signed in has another one.
    let ann = files.with_token(&server.newcomer("ann").token);
    ann.post(&content(2000, 5)).ok(201);
}

#[test]
fn row_59_a_head_that_never_ends_is_not_waited_for() {
    let server = Server::sqlite();
    let files = server.files();
    let mut stream = myim_tests::http::connect(files.api.address);
    stream
        .write_all(b"POST /files HTTP/1.1\r\nHost: x\r\n")
        .unwrap();
    let mut end = Vec::new();
    // However it says goodbye, it does.
    let _ = std::io::Read::read_to_end(&mut stream, &mut end);
    // Too many headers, and too long ones.
    for header in [
        "a: b\r\n".repeat(100),
        format!("a: {}\r\n", "b".repeat(100_000)),
    ] {
        let mut stream = myim_tests::http::connect(files.api.address);
        let head = format!("GET /files/x HTTP/1.1\r\nHost: x\r\n{header}\r\n");
        // The server may close before all of it is written.
        let _ = stream.write_all(head.as_bytes());
        assert_eq!(status_of(&mut stream), 431);
    }
}

#[test]
fn idle_uploads_cost_two_small_files_and_nothing_else() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let files = server.files();
    let descriptors = || {
        let folder = format!("/proc/{}/fd", server.program().pid());
        std::fs::read_dir(folder).unwrap().count()
    };
    files.post(b"warm").ok(201);
    let (before, memory) = (descriptors(), server.program().resident_bytes());
    let places = many(server.file, 500);
    assert_eq!(places.len(), 500);
    assert!(
        descriptors() <= before + 8,
        "{} from {before}",
        descriptors()
    );
    let grown = server.program().resident_bytes().saturating_sub(memory);
    // A buffer for each would be many times as much.
    assert!(grown < 32 << 20, "{grown} bytes more");
    let answer = files.patch(&places[250], 0, b"x");
    assert_eq!(answer.header("myim-file"), sha256(b"x"));
}

/// Begins so many uploads of one byte over one connection; where they stand.
fn many(address: std::net::SocketAddr, count: usize) -> Vec<String> {
    use std::io::BufRead;
    let mut stream: TcpStream = myim_tests::http::connect(address);
    let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
    let mut places = Vec::new();
    for _ in 0..count {
        let request = "POST /files/ HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n\
             Upload-Length: 1\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(place) = line.strip_prefix("location: ") {
                places.push(place.trim().to_owned());
            }
        }
    }
    places
}

#[test]
fn many_slow_uploads_hold_little_memory() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let files = server.files();
    let memory = server.program().resident_bytes();
    let (size, part) = (3_000_000, 2_000_000);
    let bytes = content(size, 1);
    let length = size.to_string();
    let headers = [("content-length", length.as_str())];
    let mut streams: Vec<TcpStream> = (0..100)
        .map(|_| files.begin("POST", "/files", &headers))
        .collect();
    for stream in &mut streams {
        stream.write_all(&bytes[..part]).unwrap();
    }
    let grown = server.program().resident_bytes().saturating_sub(memory);
    // Half of what came. What is on its way is some hundred KiB for each: the socket's library, a
    // piece that is read and one that is hashed, and what the allocator keeps.
    assert!(grown < 100 << 20, "{grown} bytes more for 100 uploads");
    for stream in &mut streams {
        stream.write_all(&bytes[part..]).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(status_of(stream), 201);
    }
}

/// With less, somebody far away would wait for us more than send.
#[test]
fn over_http2_a_mebibyte_may_be_under_way() {
    use std::io::Read;
    const SETTINGS: u8 = 4;
    const WINDOW_UPDATE: u8 = 8;
    const INITIAL_WINDOW_SIZE: u16 = 4;
    /// What a connection may have before anybody says anything, RFC 9113.
    const AT_FIRST: u32 = 65_535;
    let server = Server::sqlite();
    let mut stream = myim_tests::http::connect(server.file);
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap());
    let (mut of_a_stream, mut in_all) = (None, None);
    while of_a_stream.is_none() || in_all.is_none() {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = usize::try_from(word(&head) >> 8).unwrap();
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).unwrap();
        match head[3] {
            SETTINGS => {
                let mut settings = payload.chunks(6);
                let found = settings.find(|one| one[..2] == INITIAL_WINDOW_SIZE.to_be_bytes());
                of_a_stream = of_a_stream.or(found.map(|one| word(&one[2..])));
            }
            WINDOW_UPDATE => in_all = Some(AT_FIRST + word(&payload)),
            _ => {}
        }
    }
    assert_eq!((of_a_stream, in_all), (Some(1 << 20), Some(1 << 20)));
}
