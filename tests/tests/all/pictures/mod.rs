//! Pictures over HTTP: what is taken, what others get of it, in which sizes, and by whom.

mod bombs;
mod workers;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use myim_tests::api::Answer;
use myim_tests::api_person::ApiPerson;
use myim_tests::files::{Files, sha256};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use serde_json::json;

tests! {
    sqlite: a_picture_is_looked_into, sizes, each_picture_has_its_own, what_others_get, old_clients_get_what_was_sent,
        no_pictures, avatars_of_those_without;
    mariadb: a_picture_is_looked_into, what_others_get,
}

const SECRET: &[u8] = b"Secret Street 17";

/// One chunk of a PNG.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(content);
    let length = u32::try_from(content.len()).unwrap();
    let mut chunk = length.to_be_bytes().to_vec();
    chunk.extend_from_slice(kind);
    chunk.extend_from_slice(content);
    chunk.extend(crc.sum().to_be_bytes());
    chunk
}

/// A picture of two colors, with these chunks in front of its pixels.
fn png_with(width: u32, height: u32, more: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    for y in 0..height {
        zlib.write_all(&[0]).unwrap();
        for x in 0..width {
            let color = if (x + y) % 64 < 32 {
                [200, 40, 40]
            } else {
                [40, 40, 200]
            };
            zlib.write_all(&color).unwrap();
        }
    }
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 2, 0, 0, 0],
    ]
    .concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        more.to_vec(),
        chunk(b"IDAT", &zlib.finish().unwrap()),
        chunk(b"IEND", b""),
    ]
    .concat()
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    png_with(width, height, b"")
}

/// A picture whose file tells where it was made.
pub(crate) fn telling() -> Vec<u8> {
    png_with(400, 300, &chunk(b"tEXt", &[b"Location\0", SECRET].concat()))
}

/// The width and height that a PNG, a JPEG or a WebP of ours has.
fn size(bytes: &[u8]) -> (u32, u32) {
    let word = |at: usize| u32::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let little = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    match bytes {
        [0x89, b'P', ..] => (word(18), word(22)),
        [0xff, 0xd8, ..] => {
            let frame = bytes
                .windows(2)
                .position(|two| two == [0xff, 0xc0])
                .unwrap();
            (word(frame + 7), word(frame + 5))
        }
        // The simple form: the header of the frame stands at a fixed place.
        [b'R', b'I', b'F', b'F', ..] if &bytes[12..16] == b"VP8 " => (little(26), little(28)),
        _ => panic!("no format of ours"),
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Uploads a picture; its hash.
fn upload(images: &Files, bytes: &[u8]) -> String {
    let told = images.post(bytes).ok(201);
    assert_eq!(told["file"], sha256(bytes));
    sha256(bytes)
}

fn rendition(images: &Files, file: &str, size: &str, accept: &str) -> Answer {
    let path = format!("/images/{file}/{size}");
    images.ask("GET", &path, &[("accept", accept)], b"")
}

fn a_picture_is_looked_into(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let told = images
        .ask("POST", "/images?name=a.jpg", &[], &png(400, 300))
        .ok(201);
    // Its bytes decide, and not its name.
    assert_eq!(told["mime"], "image/png");
    assert_eq!(
        (&told["width"], &told["height"]),
        (&400.into(), &300.into())
    );
    let thumbhash = BASE64.decode(told["thumbhash"].as_str().unwrap()).unwrap();
    assert!((5..=25).contains(&thumbhash.len()), "{told}");
    // The same by tus.
    let bytes = png(80, 60);
    let place = images.create(bytes.len());
    let done = images.patch(&place, 0, &bytes);
    assert_eq!(done.status, 204, "{done}");
    assert_eq!(done.header("myim-file"), sha256(&bytes));
}

fn sizes(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let file = upload(&images, &png(2000, 1000));
    for (name, wanted) in [
        ("thumb", (320, 160)),
        ("preview", (1280, 640)),
        ("avatar64", (64, 64)),
        ("avatar256", (256, 256)),
    ] {
        for (accept, kind) in [
            ("image/avif,image/webp,*/*;q=0.8", "image/webp"),
            ("*/*", "image/jpeg"),
            ("image/webp;q=0", "image/jpeg"),
        ] {
            let answer = rendition(&images, &file, name, accept);
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(answer.header("content-type"), kind, "{name} {accept}");
            assert!(
                answer
                    .header("vary")
                    .to_ascii_lowercase()
                    .contains("accept")
            );
            assert!(answer.header("cache-control").contains("immutable"));
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(size(&answer.body), wanted, "{name} {accept}");
        }
    }
    // It is the same each time, and nobody has to load it again.
    let answer = rendition(&images, &file, "thumb", "*/*");
    let etag = answer.header("etag").to_owned();
    let path = format!("/images/{file}/thumb");
    let again = images.ask("GET", &path, &[("if-none-match", &etag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0), "{again}");
    let webp = rendition(&images, &file, "thumb", "image/webp");
    assert_ne!(webp.header("etag"), etag);
    let part = images.ask("GET", &path, &[("range", "bytes=0-9")], b"");
    assert_eq!(
        (part.status, &part.body[..]),
        (206, &answer.body[..10]),
        "{part}"
    );
    assert_eq!(images.ask("HEAD", &path, &[], b"").status, 200);
    rendition(&images, &file, "huge", "*/*").refused(404, "no_such_rendition");
    let unknown = sha256(b"nothing");
    rendition(&images, &unknown, "thumb", "*/*").refused(404, "no_such_file");
    rendition(&images, "../../etc", "thumb", "*/*").refused(404, "not_found");
    rendition(&images, "..%2f..%2fetc", "thumb", "*/*").refused(404, "no_such_file");
}

/// Asked for by turns, so that what was made of one is at hand when another is asked for.
fn each_picture_has_its_own(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let pictures = [(600, 300), (300, 600), (400, 400)];
    let files = pictures.map(|(width, height)| upload(&images, &png(width, height)));
    for accept in ["image/webp", "*/*"] {
        let mut etags = std::collections::BTreeSet::new();
        for (file, wanted) in files.iter().zip([(320, 160), (160, 320), (320, 320)]) {
            for _ in 0..2 {
                let answer = rendition(&images, file, "thumb", accept);
                assert_eq!(size(&answer.body), wanted, "{answer}");
                etags.insert(answer.header("etag").to_owned());
            }
        }
        assert_eq!(etags.len(), files.len(), "a cache would mix them up");
    }
    // Of two that differ in nothing but a comment the original is another one.
    let (one, two) = (png(50, 40), png_with(50, 40, &chunk(b"tEXt", b"Title\0x")));
    for bytes in [&one, &two] {
        let shown = images.get(&upload(&images, bytes));
        assert!(shown.body == one, "{shown}");
    }
}

fn what_others_get(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let bytes = telling();
    let file = upload(&images, &bytes);
    let shown = images.get(&file);
    assert_eq!(shown.status, 200, "{shown}");
    assert_eq!(shown.header("content-type"), "image/png");
    assert!(has(&bytes, SECRET) && !has(&shown.body, SECRET));
    // Nothing else is left out, and it is no longer what its hash says.
    assert!(shown.body == png(400, 300), "more than the text is gone");
    assert_ne!(shown.header("etag").trim_matches('"'), file);
    for name in ["thumb", "preview"] {
        assert!(!has(&rendition(&images, &file, name, "*/*").body, SECRET));
    }
    // What has nothing to hide is what was uploaded.
    let plain = png(400, 300);
    let file = upload(&images, &plain);
    let shown = images.get(&file);
    assert!(shown.body == plain);
    assert_eq!(shown.header("etag").trim_matches('"'), file);
}

fn old_clients_get_what_was_sent(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let bytes = telling();
    upload(&images, &bytes);
    let mut old = Transfer::connect(server.image, Flavor::Pc);
    assert!(old.download(&md5_name(&bytes)).unwrap() == bytes);
    // The other way round: nobody looked into it, but it is shown like any other.
    let theirs = png_with(500, 100, &chunk(b"tEXt", SECRET));
    old.upload(&theirs);
    let shown = images.get(&sha256(&theirs));
    assert_eq!(shown.header("content-type"), "image/png");
    assert!(shown.body == png(500, 100));
    let small = rendition(&images, &sha256(&theirs), "thumb", "*/*");
    assert_eq!(size(&small.body), (320, 64));
    // What is no picture can be taken by old clients only.
    let other = content(1000, 1);
    old.upload(&other);
    images
        .get(&sha256(&other))
        .refused(415, "picture_unsupported");
    rendition(&images, &sha256(&other), "thumb", "*/*").refused(415, "picture_unsupported");
    assert_eq!(old.download(&md5_name(&other)).unwrap(), other);
}

fn no_pictures(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let whole = png(300, 200);
    let mut bomb = whole.clone();
    let header = [&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30][..], &whole[24..29]].concat();
    bomb[8..33].copy_from_slice(&chunk(b"IHDR", &header));
    for (bytes, status, code) in [
        (&b""[..], 422, "picture_empty"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            415,
            "picture_unsupported",
        ),
        (b"hello", 415, "picture_unsupported"),
        (&whole[..whole.len() / 2], 422, "picture_truncated"),
        (&bomb, 422, "picture_too_large"),
    ] {
        images.post(bytes).refused(status, code);
        // Nothing of it is left.
        images.get(&sha256(bytes)).refused(404, "no_such_file");
    }
    // By tus it is found out with the last byte.
    let place = images.create(5);
    images
        .patch(&place, 0, b"hello")
        .refused(415, "picture_unsupported");
}

fn avatars_of_those_without(server: &mut Server) {
    let images = server.images();
    let path = "/avatars/default/7?name=Ann%20%3Cscript%3E%20Lee&size=64";
    let drawn = images.ask("GET", path, &[], b"");
    assert_eq!(drawn.status, 200, "{drawn}");
    assert_eq!(drawn.header("content-type"), "image/svg+xml");
    assert_eq!(drawn.header("x-content-type-options"), "nosniff");
    assert!(drawn.header("content-security-policy").contains("sandbox"));
    assert!(drawn.header("cache-control").contains("immutable"));
    let text = String::from_utf8(drawn.body.to_vec()).unwrap();
    assert!(
        text.contains(">AL</text>") && text.contains("width=\"64\""),
        "{text}"
    );
    assert!(!text.contains("script"), "{text}");
    // Nobody has to give a name, and a number that is none is said to be.
    assert_eq!(
        images.ask("GET", "/avatars/default/x", &[], b"").status,
        200
    );
    let wrong = images.ask("GET", "/avatars/default/7?size=big", &[], b"");
    wrong.refused(400, "bad_request");
}

#[test]
fn sizes_are_for_those_who_may_have_the_picture() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let ann = server.newcomer("ann");
    let images = server.images().with_token(&ann.token);
    let file = upload(&images, &png(40, 30));
    let bob = server.images().with_token(&server.newcomer("bob").token);
    let stranger = server.images();
    for path in [format!("/images/{file}"), format!("/images/{file}/thumb")] {
        assert_eq!(images.ask("GET", &path, &[], b"").status, 200);
        // Not his, and not shown to him.
        bob.ask("GET", &path, &[], b"").refused(404, "no_such_file");
        stranger
            .ask("GET", &path, &[], b"")
            .refused(401, "unauthenticated");
        // An address that somebody made up.
        let forged = format!("{path}?exp=99999999999&key=1&sig=AAAAAAAAAAAAAAAAAAAAAA");
        stranger
            .ask("GET", &forged, &[], b"")
            .refused(403, "bad_signature");
    }
}

/// Sends a picture, as what it says.
fn send(who: &ApiPerson, to: &str, kind: &str, file: &str) -> Answer {
    let segment = match kind {
        "image" => json!({"type": "image", "file": file, "width": 1, "height": 1, "size": 1}),
        _ => json!({"type": "file", "file": file, "name": "a.png", "size": 1, "mime": "image/png"}),
    };
    let path = format!("/conversations/{to}/messages");
    let client_id = format!("{kind}-of-{}", who.user_id);
    who.post(
        &path,
        &json!({"client_id": client_id, "segments": [segment]}),
    )
}

/// The everyday server of the tests lets everybody read; these do not.
#[test]
fn the_bytes_of_a_picture_are_for_its_uploader_and_those_who_got_it_as_a_file() {
    what_came_of_a_picture(Db::Sqlite);
}

#[test]
fn the_bytes_of_a_picture_are_for_its_uploader_and_those_who_got_it_as_a_file_mariadb() {
    what_came_of_a_picture(Db::MariaDb);
}

fn what_came_of_a_picture(database: Db) {
    let server = Setup::new(Kind::Whole, database).start();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    ann.befriend(&bob);
    let to_bob = ann.direct(&bob.user_id);
    let bytes = telling();
    let file = upload(&server.images().with_token(&ann.token), &bytes);
    send(&ann, &to_bob, "image", &file).ok(201);
    let (anns, bobs) = (
        server.files().with_token(&ann.token),
        server.files().with_token(&bob.token),
    );
    let address = |who: &ApiPerson| who.get(&format!("/files/{file}?class=file"));
    // The picture is for both, and as it came only for her.
    let shown = server.images().with_token(&bob.token).get(&file);
    assert!(shown.status == 200 && !has(&shown.body, SECRET), "{shown}");
    bob.get(&format!("/files/{file}")).ok(200);
    assert!(anns.get(&file).body == bytes);
    address(&ann).ok(200);
    bobs.get(&file).refused(404, "no_such_file");
    address(&bob).refused(404, "no_such_file");
    // Nor does he get it by sending it on as something else.
    let to_ann = bob.direct(&ann.user_id);
    send(&bob, &to_ann, "file", &file).refused(422, "no_such_file");
    bobs.get(&file).refused(404, "no_such_file");
    // She sends it as a file, without uploading it again.
    send(&ann, &to_bob, "file", &file).ok(201);
    assert!(bobs.get(&file).body == bytes);
    address(&bob).ok(200);
    // It came as a file: nothing is taken out of it.
    let other = png_with(40, 30, &chunk(b"tEXt", SECRET));
    anns.post(&other).ok(201);
    let other = sha256(&other);
    ann.post(
        &format!("/conversations/{to_bob}/messages"),
        &json!({"client_id": "other", "segments": [
            {"type": "file", "file": other, "name": "b.png", "size": 1, "mime": "image/png"}
        ]}),
    )
    .ok(201);
    assert!(has(&bobs.get(&other).body, SECRET));
}

#[test]
fn sizes_and_limits_can_be_set() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .transfer_flag("--renditions", "tiny=16,face=8x8")
        .transfer_flag("--picture-pixels-max", "10000")
        .start();
    let images = server.images();
    let file = upload(&images, &png(100, 50));
    let tiny = rendition(&images, &file, "tiny", "*/*");
    assert_eq!(size(&tiny.body), (16, 8));
    let face = rendition(&images, &file, "face", "*/*");
    assert_eq!(size(&face.body), (8, 8));
    rendition(&images, &file, "thumb", "*/*").refused(404, "no_such_rendition");
    images
        .post(&png(101, 100))
        .refused(422, "picture_too_large");
}
