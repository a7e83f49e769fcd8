//! Resumable uploads, as tus clients do them. The tests carry over those of the protocol's reference
//! server, tusd, where they say something about this one.

use myim_tests::files::{Files, TUS, number, sha256};
use myim_tests::server::Server;
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;

use super::{base64, stored};

tests! {
    sqlite: an_upload_in_pieces, creation_brings_content, empty_uploads, length_comes_later,
        checksums, what_the_server_knows, an_end_before_the_end, methods_in_a_header,
        metadata_is_kept, a_stranger_sees_nothing, promised_content, http2;
    mariadb: an_upload_in_pieces, a_stranger_sees_nothing,
}

fn ann(server: &Server) -> Files {
    server.files().with_token(&server.newcomer("ann").token)
}

fn an_upload_in_pieces(server: &mut Server) {
    let ann = ann(server);
    let bytes = content(300_000, 1);
    let name = format!("filename {},filetype {}", base64("ü.bin"), base64("x/y"));
    let length = bytes.len().to_string();
    let place = ann.create_with(&[("upload-length", &length), ("upload-metadata", &name)]);
    let told = ann.head(&place);
    assert_eq!(told.status, 200, "{told}");
    assert_eq!(number(&told, "upload-offset"), 0);
    assert_eq!(told.header("upload-length"), length);
    assert_eq!(told.header("upload-metadata"), name);
    assert_eq!(told.header("cache-control"), "no-store");
    assert!(told.header("upload-expires").ends_with(" GMT"), "{told}");

    let mut offset = 0;
    for piece in bytes.chunks(70_000) {
        assert_eq!(ann.offset(&place), offset);
        let answer = ann.patch(&place, offset, piece);
        assert_eq!(answer.status, 204, "{answer}");
        offset += piece.len();
        assert_eq!(number(&answer, "upload-offset"), offset);
        let is_last = offset == bytes.len();
        assert_eq!(answer.headers.contains_key("myim-file"), is_last);
    }
    let file = sha256(&bytes);
    let told = ann.head(&place);
    assert_eq!(number(&told, "upload-offset"), bytes.len());
    assert_eq!(told.header("myim-file"), file);
    assert_eq!(told.header("content-location"), format!("/files/{file}"));
    stored(&ann, &file, &bytes);
    let mut old = Transfer::connect(server.file, Flavor::Android);
    assert_eq!(old.download(&md5_name(&bytes)).unwrap(), bytes);

    // An answer may have been lost: the same end again is no mistake.
    let again = ann.patch(&place, bytes.len(), b"");
    assert_eq!(again.status, 204, "{again}");
    assert_eq!(again.header("myim-file"), file);
    let more = ann.patch(&place, bytes.len(), b"x");
    more.refused(413, "too_much_content");
    // Whoever wants the answer in JSON gets it.
    let place = ann.create(3);
    let prefer = [("prefer", "return=representation")];
    let answer = ann.patch_with(&place, 0, b"abc", &prefer);
    assert_eq!(answer.ok(200)["file"], sha256(b"abc"));
}

fn creation_brings_content(server: &mut Server) {
    let ann = ann(server);
    let kind = ("content-type", "application/offset+octet-stream");
    // Some of it.
    let headers = [kind, ("upload-length", "5")];
    let answer = ann.tus("POST", "/files/", &headers, b"hel");
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(number(&answer, "upload-offset"), 3);
    assert!(!answer.headers.contains_key("myim-file"));
    let place = answer.header("location").to_owned();
    assert_eq!(ann.patch(&place, 3, b"lo").status, 204);
    stored(&ann, &sha256(b"hello"), b"hello");
    // All of it.
    let answer = ann.tus("POST", "/files", &headers, b"world");
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(number(&answer, "upload-offset"), 5);
    assert_eq!(answer.header("myim-file"), sha256(b"world"));
    // Too much, and of another kind.
    let answer = ann.tus("POST", "/files/", &headers, b"world!");
    answer.refused(413, "too_much_content");
    let other = [("content-type", "text/plain"), ("upload-length", "5")];
    let answer = ann.tus("POST", "/files/", &other, b"hello");
    answer.refused(415, "unsupported_media_type");
}

fn empty_uploads(server: &mut Server) {
    let ann = ann(server);
    let length = [("upload-length", "0")];
    let answer = ann.tus("POST", "/files/", &length, b"");
    assert_eq!(answer.status, 201, "{answer}");
    let file = sha256(b"");
    assert_eq!(answer.header("myim-file"), file);
    let place = answer.header("location").to_owned();
    assert_eq!(ann.head(&place).header("myim-file"), file);
    stored(&ann, &file, b"");
    // Nothing is a step too, if a needless one.
    let place = ann.create(2);
    assert_eq!(ann.patch(&place, 0, b"").status, 204);
    assert_eq!(ann.offset(&place), 0);
}

fn length_comes_later(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create_with(&[("upload-defer-length", "1")]);
    let told = ann.head(&place);
    assert_eq!(told.header("upload-defer-length"), "1");
    assert!(!told.headers.contains_key("upload-length"));
    assert_eq!(ann.patch(&place, 0, b"hello").status, 204);
    let short = [("upload-length", "4")];
    let refused = ann.patch_with(&place, 5, b"", &short);
    refused.refused(400, "invalid_request");
    let length = [("upload-length", "11")];
    assert_eq!(ann.patch_with(&place, 5, b" wo", &length).status, 204);
    let told = ann.head(&place);
    assert_eq!(number(&told, "upload-length"), 11);
    assert!(!told.headers.contains_key("upload-defer-length"));
    let other = [("upload-length", "12")];
    let refused = ann.patch_with(&place, 8, b"r", &other);
    refused.refused(400, "invalid_request");
    let last = ann.patch(&place, 8, b"rld");
    assert_eq!(last.header("myim-file"), sha256(b"hello world"));
    // Told at the very end, without content.
    let place = ann.create_with(&[("upload-defer-length", "1")]);
    assert_eq!(ann.patch(&place, 0, b"abc").status, 204);
    let last = ann.patch_with(&place, 3, b"", &[("upload-length", "3")]);
    assert_eq!(last.header("myim-file"), sha256(b"abc"));
}

fn checksums(server: &mut Server) {
    let ann = ann(server);
    let sums = [
        ("sha1", "Lve95gjOVATpfV8EL5X4nxwjKHE="),
        ("md5", "7Qdih1MuhjZehB6Sv8UNjA=="),
        ("sha256", "f4OxZX/x/FO5LcGBSKHWXfwtSx+j1ncoSt3SABJtkGk="),
    ];
    for (name, sum) in sums {
        let place = ann.create(17);
        let header = format!("{name} {sum}");
        let right = [("upload-checksum", header.as_str())];
        assert_eq!(ann.patch(&place, 0, b"begin").status, 204);
        let wrong = ann.patch_with(&place, 5, b"Hello World?", &right);
        wrong.refused(460, "checksum_mismatch");
        assert_eq!(ann.offset(&place), 5);
        let answer = ann.patch_with(&place, 5, b"Hello World!", &right);
        assert_eq!(answer.status, 204, "{name}: {answer}");
        let whole = b"beginHello World!";
        assert_eq!(answer.header("myim-file"), sha256(whole));
        stored(&ann, &sha256(whole), whole);
    }
    let place = ann.create(12);
    for header in [
        "crc32 AAAAAA==",
        "sha1",
        "sha1 !",
        "sha1 Lve95gjOVATpfV8EL5X4nxwjKA==",
        "",
    ] {
        let headers = [("upload-checksum", header)];
        let refused = ann.patch_with(&place, 0, b"Hello World!", &headers);
        refused.refused(400, "invalid_request");
    }
    assert_eq!(ann.offset(&place), 0);
}

fn what_the_server_knows(server: &mut Server) {
    let files = server.files();
    for path in ["/files", "/files/", "/files/uploads/x"] {
        let answer = files.ask("OPTIONS", path, &[], b"");
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("tus-version"), "1.0.0");
        assert_eq!(answer.header("tus-resumable"), "1.0.0");
        assert_eq!(number(&answer, "tus-max-size"), 4 << 30);
        assert_eq!(answer.header("tus-checksum-algorithm"), "sha1,sha256,md5");
        assert_eq!(
            answer.header("tus-extension"),
            "creation,creation-with-upload,creation-defer-length,expiration,checksum,\
             termination,concatenation"
        );
    }
}

fn an_end_before_the_end(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(10);
    assert_eq!(ann.patch(&place, 0, b"12345").status, 204);
    let answer = ann.tus("DELETE", &place, &[], b"");
    assert_eq!(answer.status, 204, "{answer}");
    for answer in [
        ann.patch(&place, 5, b"6"),
        ann.tus("DELETE", &place, &[], b""),
    ] {
        answer.refused(404, "no_such_upload");
    }
    assert_eq!(ann.head(&place).status, 404);
    let left = std::fs::read_dir(server.setup().filecache().join("uploads"));
    assert_eq!(left.unwrap().count(), 0);
    // The end of a finished upload is not the end of the file.
    let place = ann.create(3);
    ann.patch(&place, 0, b"abc");
    assert_eq!(ann.tus("DELETE", &place, &[], b"").status, 204);
    stored(&ann, &sha256(b"abc"), b"abc");
}

fn methods_in_a_header(server: &mut Server) {
    let ann = ann(server);
    let place = ann.create(3);
    let patch = [
        ("x-http-method-override", "PATCH"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "0"),
    ];
    let answer = ann.tus("POST", &place, &patch, b"ab");
    assert_eq!(answer.status, 204, "{answer}");
    for other in ["GET", "PUT", "patch", ""] {
        let headers = [("x-http-method-override", other)];
        let refused = ann.tus("POST", &place, &headers, b"");
        refused.refused(405, "method_not_allowed");
    }
    let headers = [("x-http-method-override", "DELETE")];
    assert_eq!(ann.tus("POST", &place, &headers, b"").status, 204);
    assert_eq!(ann.head(&place).status, 404);
}

fn metadata_is_kept(server: &mut Server) {
    let ann = ann(server);
    for fine in ["", "a", "a YQ==,b", "is_confidential,filename d29ybGQ="] {
        let headers = [("upload-length", "1"), ("upload-metadata", fine)];
        let place = ann.create_with(&headers);
        let told = ann.head(&place);
        assert_eq!(
            told.headers.contains_key("upload-metadata"),
            !fine.is_empty()
        );
    }
    for wrong in ["a !!!", "a YQ==,a YQ==", ",", "a YQ==,", "sha256 YQ=="] {
        let headers = [("upload-length", "1"), ("upload-metadata", wrong)];
        let refused = ann.tus("POST", "/files/", &headers, b"");
        refused.refused(400, "invalid_request");
    }
}

fn a_stranger_sees_nothing(server: &mut Server) {
    let ann = ann(server);
    let eve = server.files().with_token(&server.newcomer("eve").token);
    let place = ann.create(10);
    ann.patch(&place, 0, b"12345");
    for stranger in [&eve, &server.files()] {
        assert_eq!(stranger.head(&place).status, 404);
        let refused = stranger.patch(&place, 5, b"67890");
        refused.refused(404, "no_such_upload");
        let refused = stranger.tus("DELETE", &place, &[], b"");
        refused.refused(404, "no_such_upload");
        // Nor at the other server.
        let elsewhere = place.replace("/files/", "/images/");
        let token = ann.api.token.as_deref().unwrap();
        let images = server.images().with_token(token);
        assert_eq!(images.head(&elsewhere).status, 404);
    }
    for nothing in ["x", "../../data", "0123456789abcdef0123456789abcdef"] {
        let answer = ann.head(&format!("/files/uploads/{nothing}"));
        assert_eq!(answer.status, 404, "{answer}");
    }
    assert_eq!(ann.offset(&place), 5);
}

fn promised_content(server: &mut Server) {
    let ann = ann(server);
    let hash = sha256(b"abc");
    let metadata = format!("sha256 {}", base64(&hash));
    let headers = [("upload-length", "3"), ("upload-metadata", &*metadata)];
    let place = ann.create_with(&headers);
    assert_eq!(ann.patch(&place, 0, b"abc").header("myim-file"), hash);
    let place = ann.create_with(&headers);
    let refused = ann.patch(&place, 0, b"abd");
    refused.refused(422, "digest_mismatch");
    assert_eq!(ann.head(&place).status, 404);
    ann.get(&sha256(b"abd")).refused(404, "no_such_file");
}

fn http2(server: &mut Server) {
    use http_body_util::{BodyExt, Full};
    use hyper::Request;
    use hyper::body::Bytes;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let bytes = content(1 << 20, 7);
    let (address, all) = (server.file, Bytes::from(bytes.clone()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(async move {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let uri = format!("http://{address}/files/");
        let request = Request::post(&uri)
            .header(TUS.0, TUS.1)
            .header("upload-length", all.len())
            .body(Full::new(Bytes::new()))
            .unwrap();
        let created = sender.send_request(request).await.unwrap();
        assert_eq!(created.status(), 201);
        let place = created.headers()["location"].to_str().unwrap().to_owned();
        let request = Request::patch(format!("http://{address}{place}"))
            .header(TUS.0, TUS.1)
            .header("upload-offset", "0")
            .header("content-type", "application/offset+octet-stream")
            .body(Full::new(all))
            .unwrap();
        let appended = sender.send_request(request).await.unwrap();
        assert_eq!(appended.status(), 204);
        appended.into_body().collect().await.unwrap();
        place
    });
    let files = server.files();
    assert_eq!(files.head(&place).header("myim-file"), sha256(&bytes));
    stored(&files, &sha256(&bytes), &bytes);
}
