//! What the rules refuse, what a failing database does, and what memory is spent.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::config::Access;
use crate::id::Millis;
use crate::transfer::Policy;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn today() -> i64 {
    SystemClock.now().day()
}

#[tokio::test]
async fn files_above_the_limit_are_refused_before_they_are_sent() {
    let server = Server::start(Policy {
        upload_bytes_max: 3,
        ..lenient(BlobClass::File)
    });
    let mut client = server.connect().await;
    // The head says it all; the content does not have to come.
    let frame = request(1, 0, &[b'a'; 32], (0, 4), b"abcd", &[]);
    client.send(&frame[..frame.len() - 4]).await;
    client.closed().await;
    server.connect().await.upload(ABC, b"abc", 3).await;
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn the_disk_keeps_its_reserve() {
    let server = Server::start(Policy {
        disk_free_bytes_min: u64::MAX,
        ..lenient(BlobClass::File)
    });
    let frame = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    refused(&server, &frame).await;
    assert_eq!(server.unfinished(), 0);
}

#[tokio::test]
async fn what_was_announced_and_has_not_come_counts_as_used() {
    let server = Server::start(Policy {
        disk_free_bytes_min: 100,
        ..lenient(BlobClass::File)
    });
    server.blobs.pretend_free(1000);
    let (one, two) = (noise(600, 1), noise(600, 2));
    let (name, other) = (md5_hex(&one), md5_hex(&two));
    let mut first = server.connect().await;
    first.piece(name.as_bytes(), 0, 600, &one[..1]).await;
    assert_eq!(first.reply().await.code, 1);
    let begin = request(1, 0, other.as_bytes(), (0, 600), &two[..1], &[]);
    refused(&server, &begin).await;
    // What came is no promise any more; it is for the disk to say that it is used.
    first.piece(name.as_bytes(), 1, 600, &one[1..500]).await;
    assert_eq!(first.reply().await.code, 1);
    let mut second = server.connect().await;
    second.send(&begin).await;
    assert_eq!(second.reply().await.code, 1);
    // Who gives up needs no room.
    drop((first, second));
    until(|| server.promises.bytes() == 0).await;
    server.connect().await.upload(&other, &two, 600).await;
    assert_eq!(server.fetch(&other).await.unwrap(), two);
}

#[tokio::test]
async fn an_upload_ends_when_the_disk_gets_full_on_the_way() {
    let server = Server::start(Policy {
        disk_free_bytes_min: 100,
        ..lenient(BlobClass::File)
    });
    let content = noise(80 << 20, 1);
    let (name, size) = (md5_hex(&content), 80 << 20);
    let mut client = server.connect().await;
    let (begin, rest) = content.split_at(40 << 20);
    client.piece(name.as_bytes(), 0, size, begin).await;
    assert_eq!(client.reply().await.code, 1);
    server.blobs.pretend_free(99);
    let frame = request(1, 0, name.as_bytes(), (40 << 20, size), rest, &[]);
    // It need not get all of it through.
    let _ = client.stream.write_all(&frame).await;
    client.closed().await;
    until(|| server.unfinished() == 0).await;
    assert_eq!(server.fetch(&name).await, None);
}

#[tokio::test]
async fn row_115_parallel_uploads_together_get_exactly_the_quota() {
    let server = Server::start(Policy {
        upload_day_bytes_max: 105,
        ..lenient(BlobClass::File)
    });
    let mut clients = Vec::new();
    for number in 0..32_u32 {
        let mut client = server.connect().await;
        let content = noise(10, number + 1);
        client
            .piece(md5_hex(&content).as_bytes(), 0, 10, &content[..5])
            .await;
        clients.push((client, content));
    }
    let mut done = 0;
    for (mut client, content) in clients {
        if client.frame().await.is_none() {
            continue;
        }
        client
            .piece(md5_hex(&content).as_bytes(), 5, 10, &content[5..])
            .await;
        assert_eq!(client.reply().await.code, 2);
        done += 1;
    }
    assert_eq!(done, 10);
    assert_eq!(server.store.state().uploaded[&(LOOPBACK, today())], 100);
    // What was given up does not count, and what is here already costs nothing.
    let mut given_up = server.connect().await;
    given_up.piece(ABC.as_bytes(), 0, 5, b"abc").await;
    assert_eq!(given_up.reply().await.code, 1);
    drop(given_up);
    until(|| server.unfinished() == 0).await;
    let last = noise(5, 99);
    server
        .connect()
        .await
        .upload(&md5_hex(&last), &last, 5)
        .await;
    let first = noise(10, 1);
    let said = server
        .connect()
        .await
        .upload(&md5_hex(&first), &first, 5)
        .await;
    assert_eq!(said, answers(&[(2, "10")]));
    let frame = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    refused(&server, &frame).await;
}

#[tokio::test]
async fn only_addresses_with_a_login_may_put_and_get() {
    let server = Server::start(Policy {
        access: Access::KnownAddress,
        ..lenient(BlobClass::File)
    });
    std::fs::write(server.cache.join("update.version"), b"1.0").unwrap();
    let put = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    let get = request(3, 0, ABC.as_bytes(), (0, 0), b"", &[0; 4]);
    let yesterday = Millis(SystemClock.now().0 - 24 * 60 * 60 * 1000 - 1000);
    for login in [None, Some(yesterday)] {
        login.map(|at| server.store.state().logins.insert(LOOPBACK, at));
        refused(&server, &put).await;
        refused(&server, &get).await;
        // A client looks for updates before it logs in.
        assert_eq!(server.fetch("update.version").await.unwrap(), b"1.0");
        assert_eq!(server.fetch("update2.version").await, None);
    }
    // A no is not remembered, a yes is.
    let now = SystemClock.now();
    server.store.state().logins.insert(LOOPBACK, now);
    server.connect().await.upload(ABC, b"abc", 3).await;
    server.store.state().logins.clear();
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_database_that_is_away_closes_and_comes_back() {
    let server = Server::start(lenient(BlobClass::File));
    let put = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    let get = request(3, 0, ABC.as_bytes(), (0, 0), b"", &[0; 4]);
    server.store.state().unreachable = true;
    refused(&server, &put).await;
    refused(&server, &get).await;
    server.store.state().unreachable = false;
    // It goes away between the pieces: the file may stand on the disk, but it has no name.
    let mut client = server.connect().await;
    client.piece(ABC.as_bytes(), 0, 3, b"ab").await;
    assert_eq!(client.reply().await.code, 1);
    server.store.state().unreachable = true;
    client.piece(ABC.as_bytes(), 2, 3, b"c").await;
    client.closed().await;
    server.store.state().unreachable = false;
    assert_eq!(server.fetch(ABC).await, None);
    let said = server.connect().await.upload(ABC, b"abc", 2).await;
    assert_eq!(said, answers(&[(1, "0"), (2, "3")]));
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn without_memory_to_spare_transfers_go_on_in_small_steps() {
    let server = Server::start(Policy {
        buffered_bytes_max: 0,
        ..lenient(BlobClass::Image)
    });
    let content = noise(1_200_000, 8);
    let name = md5_hex(&content);
    let mut client = server.connect().await;
    let said = client.upload(&name, &content, 524_288).await;
    assert_eq!(said, answers(&[(1, "0"), (1, "524288"), (2, "1200000")]));
    assert!(server.fetch(&name).await.unwrap() == content);
}

#[tokio::test]
async fn a_body_of_50_mib_is_legal() {
    let server = Server::start(lenient(BlobClass::File));
    let content = noise(52_428_800 - 70, 8);
    let name = md5_hex(&content);
    let said = server
        .connect()
        .await
        .upload(&name, &content, content.len())
        .await;
    assert_eq!(said, answers(&[(2, "52428730")]));
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Server::start(Policy {
        idle_timeout: Duration::from_millis(50),
        ..lenient(BlobClass::File)
    });
    let mut client = server.connect().await;
    client.upload(ABC, b"abc", 3).await;
    client.closed().await;
    let mut uploading = server.connect().await;
    let other = md5_hex(b"other");
    uploading.piece(other.as_bytes(), 0, 5, b"ot").await;
    assert_eq!(uploading.reply().await.code, 1);
    uploading.closed().await;
    until(|| server.unfinished() == 0).await;
}

/// The time limits are whole seconds, so the clock of the runtime is moved on instead.
#[tokio::test]
async fn a_request_must_come_within_its_time() {
    let server = Server::start(lenient(BlobClass::File));
    let frame = request(1, 0, ABC.as_bytes(), (0, 3), b"abc", &[]);
    for (len, seconds) in [(0, 10), (1, 10), (30, 10), (frame.len() - 1, 15)] {
        let mut client = server.connect().await;
        client.send(&frame[..len]).await;
        // The server has read it when it has answered someone who came later.
        server.fetch("none").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds - 2)).await;
        tokio::time::resume();
        let early = tokio::time::timeout(Duration::from_millis(100), client.frame());
        assert!(early.await.is_err(), "{len} bytes");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(3)).await;
        tokio::time::resume();
        client.closed().await;
        until(|| server.unfinished() == 0).await;
    }
}
