//! WebP files of a few bytes that claim to be, or really are, far more pixels than anybody has memory
//! for: refused, by a worker that takes no more memory for them than for any picture.

use myim_tests::files::sha256;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::Transfer;
use myim_tests::wire::Flavor;

use super::workers::{children, failures, images, status};
use super::{rendition, size};
use crate::bad_inputs::watch::Watch;

tests! {
    sqlite: small_files_of_many_pixels, what_old_clients_store;
    mariadb:
}

/// The largest side that the format can say in a single picture.
const SIDE: u32 = 16_383;

/// What a worker may have held at its highest: more than any picture of these tests takes, and far
/// less than one of the bombs would.
const WORKER_BYTES_MAX: u64 = 96 << 20;

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    let mut chunk = [&kind[..], &length.to_le_bytes(), content].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = [b"WEBP".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &content)
}

/// A number of three bytes.
fn three(number: u32) -> [u8; 3] {
    let [first, second, third, _] = number.to_le_bytes();
    [first, second, third]
}

/// A whole picture of any size in eight bytes: each of its five codes has one symbol only, so that
/// no pixel takes a bit.
fn lossless(width: u32, height: u32) -> Vec<u8> {
    let header = (width - 1) | ((height - 1) << 14);
    // Nothing special, and five times "one symbol, and it is 0".
    let codes = (0..5).fold(0_u32, |bits, code| bits | 1 << (3 + 4 * code));
    let content = [&[0x2f][..], &header.to_le_bytes(), &three(codes)].concat();
    chunk(b"VP8L", &content)
}

/// A picture that was made smaller by leaving things out. Where there is nothing but zeros, all of
/// it is gray; so many bytes of them are enough for most of the largest one.
fn lossy(width: u32, height: u32) -> Vec<u8> {
    const OF_THE_HEAD: u32 = (1 << 19) - 1;
    const OF_THE_PIXELS: usize = 3 << 20;
    let side = |pixels: u32| u16::try_from(pixels).unwrap().to_le_bytes();
    let tag = three((OF_THE_HEAD << 5) | 1 << 4);
    let head = [&tag[..], &[0x9d, 0x01, 0x2a], &side(width), &side(height)].concat();
    let zeros = usize::try_from(OF_THE_HEAD).unwrap() + OF_THE_PIXELS;
    chunk(b"VP8 ", &[head, vec![0; zeros]].concat())
}

/// What stands in front of a picture that is more than pixels.
fn canvas(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let content = [&[flags, 0, 0, 0][..], &three(width - 1), &three(height - 1)].concat();
    chunk(b"VP8X", &content)
}

/// A picture that moves: its size, and what its frames say that they are.
fn moving((width, height): (u32, u32), frames: &[Vec<u8>]) -> Vec<u8> {
    const MOVES: u8 = 2;
    let start = [canvas(MOVES, width, height), chunk(b"ANIM", &[0; 6])];
    webp(&[&start[..], frames].concat())
}

fn frame((width, height): (u32, u32), pixels: &[u8]) -> Vec<u8> {
    let place = [
        three(0),
        three(0),
        three(width - 1),
        three(height - 1),
        three(70),
    ]
    .concat();
    chunk(b"ANMF", &[&place[..], &[0], pixels].concat())
}

/// Each bomb, and how it is refused.
fn bombs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let one = frame((1, 1), &lossless(1, 1));
    let large = frame((500, 500), &lossless(500, 500));
    vec![
        (
            "lossless",
            webp(&[lossless(SIDE, SIDE)]),
            "picture_too_large",
        ),
        ("lossy", webp(&[lossy(SIDE, SIDE)]), "picture_too_large"),
        (
            "a large canvas",
            webp(&[canvas(0, SIDE, SIDE), lossless(SIDE, SIDE)]),
            "picture_too_large",
        ),
        (
            "the largest canvas",
            webp(&[canvas(0, 1 << 24, 255), lossless(8, 8)]),
            "picture_too_large",
        ),
        (
            "lossless, behind a small canvas",
            webp(&[canvas(0, 8, 8), lossless(SIDE, SIDE)]),
            "picture_broken",
        ),
        (
            "lossy, behind a small canvas",
            webp(&[canvas(0, 8, 8), lossy(SIDE, SIDE)]),
            "picture_broken",
        ),
        (
            "a large canvas that moves",
            moving((SIDE, SIDE), &[frame((SIDE, SIDE), &lossless(SIDE, SIDE))]),
            "picture_too_large",
        ),
        (
            "a frame that is larger than its canvas",
            moving((8, 8), &[frame((SIDE, SIDE), &lossless(SIDE, SIDE))]),
            "picture_broken",
        ),
        (
            "a lossless picture that is larger than its frame",
            moving((8, 8), &[frame((8, 8), &lossless(SIDE, SIDE))]),
            "picture_broken",
        ),
        (
            "a lossy picture that is larger than its frame",
            moving((8, 8), &[frame((8, 8), &lossy(SIDE, SIDE))]),
            "picture_broken",
        ),
        (
            "one frame too many",
            moving((1, 1), &vec![one.clone(); 1001]),
            "picture_too_large",
        ),
        (
            "very many frames",
            moving((1, 1), &vec![one; 100_000]),
            "picture_too_large",
        ),
        (
            "few frames of many pixels",
            moving((500, 500), &vec![large; 33]),
            "picture_too_large",
        ),
    ]
}

/// So that it need not be many pixels, which take long where nothing is optimized.
fn server_of_small_pictures(server: &mut Server) {
    server.stop();
    server.again_with(|setup| setup.transfer_flag("--picture-pixels-max", "1000000"));
}

/// No worker ended because of this, and none held much.
fn workers_held(server: &Server, what: &str) {
    let admin = *server.admin.last().unwrap();
    for reason in [
        "forbidden",
        "crashed",
        "nonsense",
        "memory",
        "late",
        "ended",
    ] {
        assert_eq!(failures(admin, reason).unwrap_or(0), 0, "{what}: {reason}");
    }
    let workers = children(images(server).pid()).into_iter();
    let workers = workers.filter(|child| status(*child, "Name") == "picture-worker");
    let mut count = 0;
    for worker in workers {
        let told = status(worker, "VmHWM");
        let kib: u64 = told.strip_suffix(" kB").unwrap().trim().parse().unwrap();
        assert!(kib << 10 < WORKER_BYTES_MAX, "{what}: {kib} KiB");
        count += 1;
    }
    assert!(count > 0, "{what}: no worker is left");
}

fn small_files_of_many_pixels(server: &mut Server) {
    server_of_small_pictures(server);
    let server = &*server;
    let images = server.images().with_token(&server.newcomer("ann").token);
    // The bytes are those of a picture, if it is small.
    for good in [
        webp(&[lossless(300, 200)]),
        webp(&[lossy(300, 200)]),
        webp(&[canvas(0, 300, 200), lossy(300, 200)]),
        moving((300, 200), &vec![frame((300, 200), &lossless(300, 200)); 3]),
    ] {
        let told = images.post(&good).ok(201);
        assert_eq!(
            (&told["width"], &told["height"]),
            (&300.into(), &200.into())
        );
        let small = rendition(&images, &sha256(&good), "avatar64", "image/jpeg");
        assert_eq!(size(&small.body), (64, 64));
    }
    let mut watch = Watch::new(server);
    for (what, bomb, code) in bombs() {
        eprintln!("{what}: {} bytes", bomb.len());
        images.post(&bomb).refused(422, code);
        // Nothing of it is left.
        images.get(&sha256(&bomb)).refused(404, "no_such_file");
        watch.held(what);
        workers_held(server, what);
    }
}

/// They may store what they like; made of it is nothing.
fn what_old_clients_store(server: &mut Server) {
    server_of_small_pictures(server);
    let server = &*server;
    let images = server.images().with_token(&server.newcomer("ann").token);
    let mut old = Transfer::connect(server.image, Flavor::Pc);
    let mut watch = Watch::new(server);
    for (what, bomb, code) in bombs() {
        old.upload(&bomb);
        let small = rendition(&images, &sha256(&bomb), "thumb", "image/webp");
        small.refused(422, code);
        watch.held(what);
        workers_held(server, what);
    }
}

/// With the limits of a server without any setting.
#[test]
fn a_bomb_within_no_default() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let images = server.images();
    for (what, bomb) in [
        ("lossless", webp(&[lossless(SIDE, SIDE)])),
        ("lossy", webp(&[lossy(SIDE, SIDE)])),
        (
            "very many frames",
            moving((1, 1), &vec![frame((1, 1), &lossless(1, 1)); 100_000]),
        ),
    ] {
        let refused = images.post(&bomb).refused(422, "picture_too_large");
        assert!(refused["detail"].is_string(), "{what}: {refused}");
    }
}
