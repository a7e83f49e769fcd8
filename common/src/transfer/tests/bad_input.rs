//! What no honest client sends: each closes its own connection, and the server goes on.

use super::*;

const PASSWD: &str = "../../etc/passwd";

/// The server still serves, and nothing was left behind.
async fn unharmed(server: &Server) {
    until(|| server.unfinished() == 0).await;
    server.connect().await.upload(ABC, b"abc", 2).await;
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

#[tokio::test]
async fn row_85_and_76_names_that_are_no_md5() {
    let server = Server::start(lenient(BlobClass::File));
    let long = format!("{ABC}0");
    let nul = ABC.replace('9', "\0");
    let in_folder = format!("../{}", &ABC[3..]);
    let huge = "a".repeat(100_000);
    for name in [
        PASSWD,
        "/etc/passwd",
        &ABC[1..],
        &long,
        &nul,
        &in_folder,
        "update.version",
        "",
        &huge,
        "日本語日本語日本",
    ] {
        refused(
            &server,
            &request(1, 0, name.as_bytes(), (0, 3), b"abc", &[]),
        )
        .await;
    }
    let invalid = [0xff; 32];
    refused(&server, &request(1, 0, &invalid, (0, 3), b"abc", &[])).await;
    unharmed(&server).await;
}

#[tokio::test]
async fn row_94_downloads_of_impossible_names_are_missing() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    for name in [
        PASSWD,
        "/etc/passwd",
        "a\0b",
        "..",
        ".",
        "tmp/../x",
        "C:\\x",
        "blobs/ba",
    ] {
        assert_eq!(client.download(name, 0).await.code, 3, "{name:?}");
    }
    assert_eq!(client.download(&"a".repeat(256), 0).await.code, 3);
    let endless = request(3, 0, &[b'a'; 2000], (0, 0), b"", &[0; 4]);
    refused(&server, &endless).await;
}

#[tokio::test]
async fn row_85_and_78_to_80_pieces_that_do_not_fit() {
    let server = Server::start(lenient(BlobClass::File));
    for (offset, size, data) in [
        (0, 0, &b""[..]),
        (0, 0, b"abc"),
        (0, -1, b"abc"),
        (0, i64::MIN, b"abc"),
        (0, i64::MAX, b"abc"),
        (-1, 3, b"abc"),
        (i64::MIN, 3, b"abc"),
        (i64::MAX, i64::MAX, b"abc"),
        (1, 3, b"bc"),
        (3, 3, b""),
        (5, 10, b"fffff"),
        (0, 2, b"abc"),
        (0, 3, b""),
    ] {
        let frame = request(1, 0, ABC.as_bytes(), (offset, size), data, &[]);
        refused(&server, &frame).await;
    }
    unharmed(&server).await;
}

#[tokio::test]
async fn row_79_and_81_pieces_that_do_not_follow() {
    for (offset, size, data) in [
        (1, 6, &b"bcd"[..]), // overlaps
        (4, 6, b"ef"),       // leaves a gap
        (0, 6, b"abc"),      // the same again
        (3, 7, b"defg"),     // another size
        (3, 6, b"defg"),     // reaches past the end
        (3, 6, b""),         // nothing
        (-3, 6, b"def"),
    ] {
        let server = Server::start(lenient(BlobClass::File));
        let name = md5_hex(b"abcdef");
        let mut client = server.connect().await;
        client.piece(name.as_bytes(), 0, 6, b"abc").await;
        assert_eq!(client.reply().await.code, 1);
        client.piece(name.as_bytes(), offset, size, data).await;
        client.closed().await;
        assert_eq!(server.fetch(&name).await, None);
        unharmed(&server).await;
    }
}

#[tokio::test]
async fn row_82_and_83_the_right_content_is_published_and_the_wrong_one_is_not() {
    let server = Server::start(lenient(BlobClass::File));
    let (mut right, mut wrong) = (server.connect().await, server.connect().await);
    for (client, data) in [(&mut right, b"ab"), (&mut wrong, b"xy")] {
        client.piece(ABC.as_bytes(), 0, 3, data).await;
        assert_eq!(client.reply().await.code, 1);
    }
    wrong.piece(ABC.as_bytes(), 2, 3, b"z").await;
    wrong.closed().await;
    right.piece(ABC.as_bytes(), 2, 3, b"c").await;
    assert_eq!(right.reply().await.code, 2);
    assert_eq!(server.fetch(ABC).await.unwrap(), b"abc");
}

/// Two contents with one MD5 (Wang and Yu, 2004).
#[tokio::test]
async fn row_84_a_collision_never_replaces_content() {
    let first = unhex(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89
         55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b
         d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0
         e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70",
    );
    let second = unhex(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f89
         55ad340609f4b30283e4888325f1415a085125e8f7cdc99fd91dbd7280373c5b
         d8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0
         e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70",
    );
    let name = md5_hex(&first);
    assert_eq!(name, md5_hex(&second));
    for class in [BlobClass::File, BlobClass::Image] {
        let server = Server::start(lenient(class));
        let mut late = server.connect().await;
        late.piece(name.as_bytes(), 0, 128, &second[..1]).await;
        assert_eq!(late.reply().await.code, 1);
        server.connect().await.upload(&name, &first, 128).await;
        late.piece(name.as_bytes(), 1, 128, &second[1..]).await;
        late.closed().await;
        assert!(server.fetch(&name).await.unwrap() == first);
    }
}

#[tokio::test]
async fn row_95_sizes_of_frames() {
    let server = Server::start(lenient(BlobClass::File));
    for size in [0, -1, 52_428_801, i64::MAX, i64::MIN] {
        refused(&server, &size.to_le_bytes()).await;
    }
    // What TLS clients say first, to a server without a certificate.
    refused(&server, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]).await;
    refused(&server, &noise(4096, 9)).await;
    let mut largest = server.connect().await;
    largest.send(&52_428_800_i64.to_le_bytes()).await;
    let silent = tokio::time::timeout(std::time::Duration::from_millis(200), largest.frame());
    assert!(silent.await.is_err());
    unharmed(&server).await;
}

#[tokio::test]
async fn http_is_answered_in_its_own_words() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    client
        .send(b"GET / HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n")
        .await;
    let answer = client.everything().await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    unharmed(&server).await;
}

#[tokio::test]
async fn row_96_frames_that_are_no_request() {
    let server = Server::start(lenient(BlobClass::File));
    let whole = request(3, 0, ABC.as_bytes(), (0, 0), b"", &[0; 4]);
    for command in [0, 2, 4, 9, -1, i32::MIN] {
        refused(
            &server,
            &request(command, 0, ABC.as_bytes(), (0, 3), b"abc", &[0; 4]),
        )
        .await;
    }
    refused(&server, &request(3, 0, ABC.as_bytes(), (0, 0), b"", &[])).await;
    refused(
        &server,
        &request(3, 0, ABC.as_bytes(), (0, 0), b"", &[0; 3]),
    )
    .await;
    refused(&server, &request(3, 0, b"", (0, 0), b"", &[0; 4])).await;
    // Cut short at every byte, with a size that says so.
    for len in 1..whole.len() - 8 {
        let mut short = whole[..8 + len].to_vec();
        short[..8].copy_from_slice(&u64::try_from(len).unwrap().to_le_bytes());
        refused(&server, &short).await;
    }
    unharmed(&server).await;
}

#[tokio::test]
async fn lengths_that_lie() {
    let server = Server::start(lenient(BlobClass::File));
    for length in [
        &[0x7f][..],                        // a little past the end
        &[0xff, 0xff, 0xff, 0xff, 0x0f],    // 4 GiB
        &[0xff, 0xff, 0xff, 0xff, 0xff],    // never ends
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0], // too long
    ] {
        let mut frame = [38_u64.to_le_bytes().to_vec(), vec![0; 6]].concat();
        frame.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0]);
        frame.extend_from_slice(length);
        frame.resize(46, 0);
        refused(&server, &frame).await;
    }
    unharmed(&server).await;
}

#[tokio::test]
async fn what_is_behind_the_last_field_does_not_count() {
    let server = Server::start(lenient(BlobClass::File));
    let mut client = server.connect().await;
    let behind = noise(70_000, 1);
    let mut both = request(1, 1, ABC.as_bytes(), (0, 3), b"abc", &behind);
    both.extend(request(
        3,
        2,
        ABC.as_bytes(),
        (7, 7),
        &behind,
        &[&[0; 4][..], &behind].concat(),
    ));
    client.send(&both).await;
    assert_eq!(client.reply().await.code, 2);
    assert_eq!(client.reply().await.data, b"abc");
}
