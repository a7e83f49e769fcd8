//! Uploads that are put together of others.

use myim_tests::api::Answer;
use myim_tests::files::{Files, number, sha256};
use myim_tests::server::Server;
use myim_tests::transfer::content;

use super::{base64, stored};

tests! {
    sqlite: parts_become_a_file, row_95_what_cannot_be_put_together;
    mariadb: parts_become_a_file,
}

fn part(files: &Files, bytes: &[u8]) -> String {
    let length = bytes.len().to_string();
    let place = files.create_with(&[("upload-length", &length), ("upload-concat", "partial")]);
    if !bytes.is_empty() {
        let answer = files.patch(&place, 0, bytes);
        assert_eq!(answer.status, 204, "{answer}");
        // A part is no file.
        assert!(!answer.headers.contains_key("myim-file"));
    }
    place
}

fn together(files: &Files, parts: &str) -> Answer {
    let text = format!("final;{parts}");
    files.tus("POST", "/files/", &[("upload-concat", &text)], b"")
}

fn parts_become_a_file(server: &mut Server) {
    let ann = server.files().with_token(&server.newcomer("ann").token);
    let bytes = content(500_000, 1);
    let (head, tail) = bytes.split_at(200_000);
    let (one, two) = (part(&ann, head), part(&ann, tail));
    ann.get(&sha256(head)).refused(404, "no_such_file");
    let told = ann.head(&one);
    assert_eq!(told.header("upload-concat"), "partial");
    assert_eq!(number(&told, "upload-offset"), head.len());

    let list = format!("final;{one} http://{}{two}", ann.api.address);
    let name = format!("filename {}", base64("whole.bin"));
    let headers = [("upload-concat", &*list), ("upload-metadata", &name)];
    let answer = ann.tus("POST", "/files/", &headers, b"");
    assert_eq!(answer.status, 201, "{answer}");
    let file = sha256(&bytes);
    assert_eq!(answer.header("myim-file"), file);
    let place = answer.header("location").to_owned();
    let told = ann.head(&place);
    assert_eq!(told.header("upload-concat"), list);
    assert_eq!(number(&told, "upload-length"), bytes.len());
    assert_eq!(number(&told, "upload-offset"), bytes.len());
    assert_eq!(told.header("upload-metadata"), name);
    stored(&ann, &file, &bytes);
    let refused = ann.patch(&place, bytes.len(), b"");
    refused.refused(403, "upload_is_final");
    // The parts can be used again, in another order, and with nothing between.
    let nothing = part(&ann, b"");
    let answer = together(&ann, &format!("{two} {nothing} {one}"));
    let other = [tail, head].concat();
    assert_eq!(answer.header("myim-file"), sha256(&other), "{answer}");
}

fn row_95_what_cannot_be_put_together(server: &mut Server) {
    let ann = server.files().with_token(&server.newcomer("ann").token);
    let eve = server.files().with_token(&server.newcomer("eve").token);
    let good = part(&ann, b"12345");
    let unfinished = ann.create_with(&[("upload-length", "5"), ("upload-concat", "partial")]);
    ann.patch(&unfinished, 0, b"123");
    let bad = |parts: &str| together(&ann, parts).refused(400, "invalid_request");
    bad(&format!("{good} {unfinished}"));
    bad("");
    bad(" ");
    bad("/elsewhere/0123456789abcdef0123456789abcdef");
    bad(&[good.as_str(); 1001].join(" "));
    // A whole upload, and one that is put together, are no parts.
    let whole = ann.create(5);
    ann.patch(&whole, 0, b"12345");
    bad(&whole);
    let finished = together(&ann, &good);
    assert_eq!(finished.status, 201, "{finished}");
    bad(finished.header("location"));
    for wrong in ["final", "partial;x", "", "Final;x"] {
        let headers = [("upload-concat", wrong), ("upload-length", "1")];
        let refused = ann.tus("POST", "/files/", &headers, b"");
        refused.refused(400, "invalid_request");
    }
    let list = format!("final;{good}");
    let headers = [("upload-concat", &*list), ("upload-length", "5")];
    let refused = ann.tus("POST", "/files/", &headers, b"");
    refused.refused(400, "invalid_request");
    // Somebody else's, and one that never was.
    together(&eve, &good).refused(404, "no_such_upload");
    let never = "/files/uploads/0123456789abcdef0123456789abcdef";
    together(&ann, &format!("{good} {never}")).refused(404, "no_such_upload");
}
