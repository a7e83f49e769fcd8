//! Rows 81 to 97: uploads and downloads.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{
    ANDROID_CHUNK, COMPLETE, Chunk, IN_PROGRESS, NOT_FOUND, PC_CHUNK, Transfer, content, md5_name,
};
use myim_tests::wire::{Fields, Flavor};

tests! {
    sqlite:
        row_081_a_small_upload,
        row_082_an_upload_from_a_pc,
        row_083_an_upload_from_an_android,
        row_084_the_content_is_there_already,
        row_085_impossible_uploads,
        row_086_a_broken_upload_leaves_nothing,
        row_087_names_that_do_not_match,
        row_088_two_upload_the_same,
        row_089_broadband_download,
        row_090_cellular_download,
        row_091_exactly_one_chunk,
        row_092_android_download_request,
        row_093_unknown_name,
        row_094_files_placed_by_hand,
        row_095_package_sizes,
        row_096_broken_requests,
        row_097_two_directories;
    mariadb:
        row_081_a_small_upload,
        row_082_an_upload_from_a_pc,
        row_084_the_content_is_there_already,
        row_086_a_broken_upload_leaves_nothing,
        row_087_names_that_do_not_match,
        row_088_two_upload_the_same,
        row_097_two_directories,
}

fn pc(server: &Server) -> Transfer {
    Transfer::connect(server.file, Flavor::Pc)
}

/// Every file under this directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// How many stored files have this content.
fn copies(server: &Server, content: &[u8]) -> usize {
    files(&server.setup().filecache())
        .iter()
        .filter(|path| fs::read(path).is_ok_and(|bytes| bytes == content))
        .count()
}

fn chunk<'a>(name: &'a str, offset: i64, size: i64, data: &'a [u8]) -> Chunk<'a> {
    Chunk {
        name,
        offset,
        size,
        data,
    }
}

fn row_081_a_small_upload(server: &mut Server) {
    let name = md5_name(b"abc");
    assert_eq!(name, "900150983cd24fb0d6963f7d28e17f72");
    let mut pc = pc(server);
    pc.send_chunk(chunk(&name, 0, 3, b"abc"));
    let reply = pc.reply();
    assert_eq!(
        (reply.cmd, reply.code, reply.offset, reply.size),
        (2, COMPLETE, 3, 3)
    );
    assert_eq!(
        (reply.name.as_slice(), reply.data.len()),
        (name.as_bytes(), 0)
    );
    assert_eq!(copies(server, b"abc"), 1);
    assert_eq!(pc.download(&name).as_deref(), Some(&b"abc"[..]));
}

fn row_082_an_upload_from_a_pc(server: &mut Server) {
    let content = content(1_200_000, 82);
    let name = md5_name(&content);
    let mut pc = pc(server);
    let mut said = Vec::new();
    for (at, data) in content.chunks(PC_CHUNK).enumerate() {
        let offset = i64::try_from(at * PC_CHUNK).unwrap();
        pc.send_chunk(chunk(&name, offset, 1_200_000, data));
        let reply = pc.reply();
        said.push((reply.code, reply.offset));
    }
    assert_eq!(said, [(1, 0), (1, 524_288), (2, 1_200_000)]);
    assert_eq!(copies(server, &content), 1);
}

fn row_083_an_upload_from_an_android(server: &mut Server) {
    // The last chunk's size has bit 15 set, where Android's header is wrong.
    for (length, codes) in [(200_000, vec![1, 1, 1, 2]), (65_536 + 40_000, vec![1, 2])] {
        let content = content(length, 83);
        let name = md5_name(&content);
        let mut phone = Transfer::connect(server.image, Flavor::Android);
        let mut said = Vec::new();
        for (at, data) in content.chunks(ANDROID_CHUNK).enumerate() {
            let offset = i64::try_from(at * ANDROID_CHUNK).unwrap();
            phone.send_chunk(chunk(&name, offset, i64::try_from(length).unwrap(), data));
            said.push(phone.reply().code);
        }
        assert_eq!(said, codes);
        assert_eq!(phone.download(&name), Some(content));
    }
}

fn row_084_the_content_is_there_already(server: &mut Server) {
    let content = content(PC_CHUNK * 2, 84);
    let name = pc(server).upload(&content);
    let mut pc = pc(server);
    let size = i64::try_from(content.len()).unwrap();
    pc.send_chunk(chunk(&name, 0, size, &content[..PC_CHUNK]));
    let reply = pc.reply();
    assert_eq!(
        (reply.code, reply.offset, reply.size),
        (COMPLETE, size, size)
    );
    assert_eq!(copies(server, &content), 1);
}

fn row_085_impossible_uploads(server: &mut Server) {
    let name = md5_name(b"abcde");
    for (name, offset, size, data) in [
        (name.as_str(), 5, 10, &b"abcde"[..]),
        (&name, -1, 5, b"abcde"),
        (&name, 0, 0, b""),
        (&name, 0, -5, b"abcde"),
        (&name, 0, 3, b"abcde"),
        (&name, i64::MAX, i64::MAX, b"abcde"),
        ("../../etc/passwd", 0, 5, b"abcde"),
        ("/etc/passwd", 0, 5, b"abcde"),
        ("..", 0, 5, b"abcde"),
        ("update.version", 0, 5, b"abcde"),
    ] {
        for address in [server.file, server.image] {
            let mut peer = Transfer::connect(address, Flavor::Pc);
            peer.send_chunk(chunk(name, offset, size, data));
            peer.closed();
        }
    }
    assert_eq!(pc(server).download(&name), None);
    assert_eq!(pc(server).upload(b"abcde"), name);
}

fn row_086_a_broken_upload_leaves_nothing(server: &mut Server) {
    let content = content(PC_CHUNK + 5, 86);
    let name = md5_name(&content);
    let size = i64::try_from(content.len()).unwrap();
    let mut first = pc(server);
    first.send_chunk(chunk(&name, 0, size, &content[..PC_CHUNK]));
    assert_eq!(first.reply().code, IN_PROGRESS);
    assert_eq!(pc(server).download(&name), None, "half a file is no file");
    first.hang_up();
    assert_eq!(pc(server).download(&name), None);
    assert_eq!(pc(server).upload(&content), name);
    assert_eq!(pc(server).download(&name).as_ref(), Some(&content));
}

fn row_087_names_that_do_not_match(server: &mut Server) {
    let image = || Transfer::connect(server.image, Flavor::Android);
    let (right, camera) = (content(70_000, 87), content(80_000, 88));
    let name = md5_name(&right);
    // An Android camera picture: served, because nobody has anything better.
    assert!(image().upload_as(&name, &camera));
    assert_eq!(image().download(&name).as_ref(), Some(&camera));
    // The right content replaces it and stays.
    assert!(image().upload_as(&name, &right));
    assert_eq!(image().download(&name).as_ref(), Some(&right));
    image().upload_as(&name, &camera);
    assert_eq!(image().download(&name).as_ref(), Some(&right));
    // The file server has no such excuse.
    let mut peer = pc(server);
    assert!(!peer.upload_as(&name, &camera), "refused by closing");
    assert_eq!(pc(server).download(&name), None);
}

fn row_088_two_upload_the_same(server: &mut Server) {
    let content = content(PC_CHUNK * 2 + 9, 88);
    let name = md5_name(&content);
    let size = i64::try_from(content.len()).unwrap();
    let mut peers = [pc(server), pc(server)];
    for (at, data) in content.chunks(PC_CHUNK).enumerate() {
        let offset = i64::try_from(at * PC_CHUNK).unwrap();
        let codes = peers.each_mut().map(|peer| {
            peer.send_chunk(chunk(&name, offset, size, data));
            peer.reply().code
        });
        let last = at == 2;
        assert_eq!(
            codes,
            if last {
                [COMPLETE; 2]
            } else {
                [IN_PROGRESS; 2]
            }
        );
    }
    assert_eq!(copies(server, &content), 1);
}

fn row_089_broadband_download(server: &mut Server) {
    let content = content(1_200_000, 89);
    let name = pc(server).upload(&content);
    let mut pc = pc(server);
    let mut said = Vec::new();
    for _ in 0..3 {
        pc.send_get(&name, 0);
        let reply = pc.reply();
        assert_eq!((reply.cmd, reply.size), (4, 1_200_000));
        said.push((reply.code, reply.offset, reply.data.len()));
    }
    assert_eq!(
        said,
        [
            (1, 0, 524_288),
            (1, 524_288, 524_288),
            (2, 1_048_576, 151_424)
        ]
    );
    // Then it starts again.
    assert_eq!(pc.download(&name), Some(content));
}

fn row_090_cellular_download(server: &mut Server) {
    let content = content(200_000, 90);
    let name = pc(server).upload(&content);
    let mut pc = pc(server);
    let mut whole = Vec::new();
    for expected in [(1, 0), (1, 65_536), (1, 131_072), (2, 196_608)] {
        pc.send_get(&name, 1);
        let reply = pc.reply();
        assert_eq!((reply.code, reply.offset), expected);
        whole.extend(reply.data);
    }
    assert_eq!(whole, content);
}

fn row_091_exactly_one_chunk(server: &mut Server) {
    let content = content(PC_CHUNK, 91);
    let name = pc(server).upload(&content);
    let mut pc = pc(server);
    pc.send_get(&name, 0);
    let reply = pc.reply();
    assert_eq!(
        (reply.code, reply.offset, reply.data),
        (COMPLETE, 0, content)
    );
}

fn row_092_android_download_request(server: &mut Server) {
    let content = content(600_000, 92);
    let name = pc(server).upload(&content);
    let mut phone = Transfer::connect(server.file, Flavor::Android);
    // It says "cellular", but one string too early: it is read as broadband.
    phone.send_get(&name, 1);
    assert_eq!(phone.reply().data.len(), PC_CHUNK);
    phone.send_get(&name, 1);
    assert_eq!(phone.reply().code, COMPLETE);
}

fn row_093_unknown_name(server: &mut Server) {
    let name = pc(server).upload(b"abc");
    let mut pc = pc(server);
    for nobody in ["00000000000000000000000000000000", "update2.version"] {
        pc.send_get(nobody, 0);
        let reply = pc.reply();
        assert_eq!(
            (reply.cmd, reply.code, reply.offset, reply.size),
            (4, NOT_FOUND, 0, 0)
        );
        assert_eq!(
            (reply.name.as_slice(), reply.data.len()),
            (nobody.as_bytes(), 0)
        );
    }
    assert_eq!(pc.download(&name).as_deref(), Some(&b"abc"[..]));
}

fn row_094_files_placed_by_hand(server: &mut Server) {
    assert_eq!(pc(server).download("update.version"), None);
    let text = b"1.0.1\r\n<1>Main program|Flamingo|1.0.1</1>\r\n";
    fs::write(server.setup().filecache().join("update.version"), text).unwrap();
    fs::write(server.setup().directory().join("secret"), "secret").unwrap();
    assert_eq!(
        pc(server).download("update.version").as_deref(),
        Some(&text[..])
    );
    for name in [
        "../secret",
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\0b",
    ] {
        let mut peer = pc(server);
        peer.send_get(name, 0);
        if let Some(reply) = peer.answer() {
            assert_eq!((reply.code, reply.data.len()), (NOT_FOUND, 0), "{name:?}");
        }
    }
}

fn row_095_package_sizes(server: &mut Server) {
    for size in [0_i64, -1, i64::MIN, 52_428_801, i64::MAX] {
        let mut peer = pc(server);
        peer.send_raw(&size.to_le_bytes());
        peer.closed();
    }
    let mut peer = myim_tests::peer::Peer::connect(server.file, Flavor::Pc);
    peer.send_raw(&52_428_800_i64.to_le_bytes());
    peer.quiet_for(Duration::from_secs(1));
}

fn row_096_broken_requests(server: &mut Server) {
    let name = pc(server).upload(b"abc");
    let request = |cmd: i32, name: &str| {
        Fields(Vec::new())
            .int(cmd)
            .int(1)
            .text(name)
            .long(0)
            .long(0)
            .text("")
    };
    for fields in [
        request(3, &name),
        request(9, &name).int(0),
        request(3, "").int(0),
        request(0, &name).int(0),
        request(2, &name).int(0),
        Fields(vec![0, 0, 0]),
        Fields(Vec::new()).int(3).int(1).raw([0xff; 5]),
        Fields(Vec::new()).int(3).int(1).raw([200, 1, b'x']),
    ] {
        let mut peer = pc(server);
        peer.send_fields(&fields);
        peer.closed();
    }
    assert!(pc(server).download(&name).is_some());
}

fn row_097_two_directories(server: &mut Server) {
    let content = content(1000, 97);
    let name = pc(server).upload(&content);
    let mut image = Transfer::connect(server.image, Flavor::Pc);
    assert_eq!(
        image.download(&name),
        None,
        "what is a file is not thereby a picture"
    );
    assert_eq!(image.upload(&content), name);
    assert_eq!(image.download(&name), Some(content));
}

#[test]
fn an_address_where_nobody_logged_in_may_not_transfer() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let name = md5_name(b"abc");
    let mut peer = pc(&server);
    peer.send_chunk(chunk(&name, 0, 3, b"abc"));
    assert!(peer.answer().is_none_or(|reply| reply.code == NOT_FOUND));
    let _ann = server.join("ann", Flavor::Pc);
    assert_eq!(pc(&server).upload(b"abc"), name);
    assert!(pc(&server).download(&name).is_some());
}
