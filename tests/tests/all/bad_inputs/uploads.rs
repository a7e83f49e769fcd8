//! Uploads that nobody should begin, on both ports that take files: what is refused is the same.

use myim_tests::server::Server;

use super::watch::Watch;

type Headers = &'static [(&'static str, &'static str)];

/// Headers of a creation beside the version, and the status that answers it.
const CREATIONS: [(&str, Headers, u16); 19] = [
    ("90 nothing of a length", &[], 400),
    ("90 a negative length", &[("upload-length", "-1")], 400),
    ("90 a length of letters", &[("upload-length", "abc")], 400),
    ("90 a length with a sign", &[("upload-length", "+5")], 400),
    (
        "90 a length with an exponent",
        &[("upload-length", "1e3")],
        400,
    ),
    ("90 an empty length", &[("upload-length", "")], 400),
    ("90 2^64", &[("upload-length", "18446744073709551616")], 400),
    ("90 2^63", &[("upload-length", "9223372036854775808")], 413),
    (
        "90 2^63 - 1",
        &[("upload-length", "9223372036854775807")],
        413,
    ),
    ("90 deferred twice", &[("upload-defer-length", "2")], 400),
    (
        "90 a length now and later",
        &[("upload-defer-length", "1"), ("upload-length", "5")],
        400,
    ),
    (
        "92 no base64",
        &[("upload-length", "5"), ("upload-metadata", "filename !!!")],
        400,
    ),
    (
        "92 a key twice",
        &[("upload-length", "5"), ("upload-metadata", "a YQ==,a YQ==")],
        400,
    ),
    (
        "92 a promise that is none",
        &[("upload-length", "5"), ("upload-metadata", "sha256 YQ==")],
        400,
    ),
    (
        "92 nothing of a description",
        &[("upload-length", "5"), ("upload-metadata", "")],
        201,
    ),
    ("95 a whole that is none", &[("upload-concat", "what")], 400),
    ("95 a whole of nothing", &[("upload-concat", "final;")], 400),
    (
        "95 a whole of what is not here",
        &[("upload-concat", "final;/nope")],
        400,
    ),
    (
        "95 a part of a whole",
        &[("upload-concat", "final;/nope"), ("upload-length", "5")],
        400,
    ),
];

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one row after the other, on one server"
)]
fn uploads_that_nobody_should_begin() {
    let server = Server::sqlite();
    let mut watch = Watch::new(&server);
    let token = server.newcomer("ann").token;
    let mut wrong = Vec::new();
    for (port, files) in [("files", server.files()), ("images", server.images())] {
        let files = files.with_token(&token);
        let path = format!("/{port}");
        for (what, headers, status) in CREATIONS {
            let answer = files.tus("POST", &path, headers, b"");
            if answer.status != status {
                wrong.push(format!("{port}, {what}: {answer}, not {status}"));
            }
            watch.held(what);
        }
        for (what, version) in [
            ("87 no version", None),
            ("87 another version", Some("0.2.2")),
        ] {
            let mut headers = vec![("upload-length", "5")];
            headers.extend(version.map(|version| ("tus-resumable", version)));
            let answer = files.ask("POST", &path, &headers, b"");
            assert_eq!(answer.status, 412, "{port}, {what}: {answer}");
            assert_eq!(answer.header("tus-version"), "1.0.0", "{port}, {what}");
            watch.held(what);
        }
        let place = files.create(5);
        let kind = ("content-type", "application/offset+octet-stream");
        for (what, headers, status) in [
            ("88 no offset", &[kind][..], 400),
            (
                "88 an offset with an exponent",
                &[kind, ("upload-offset", "1e0")],
                400,
            ),
            (
                "88 a negative offset",
                &[kind, ("upload-offset", "-1")],
                400,
            ),
            (
                "88 an offset that is not reached",
                &[kind, ("upload-offset", "3")],
                409,
            ),
            ("89 no kind", &[("upload-offset", "0")], 415),
            (
                "89 another kind",
                &[("upload-offset", "0"), ("content-type", "text/plain")],
                415,
            ),
            (
                "93 an unknown sum",
                &[
                    kind,
                    ("upload-offset", "0"),
                    ("upload-checksum", "md9 YQ=="),
                ],
                400,
            ),
            (
                "93 a sum that is none",
                &[
                    kind,
                    ("upload-offset", "0"),
                    ("upload-checksum", "sha1 !!!"),
                ],
                400,
            ),
            (
                "93 a wrong sum",
                &[
                    kind,
                    ("upload-offset", "0"),
                    ("upload-checksum", "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00="),
                ],
                460,
            ),
        ] {
            let answer = files.tus("PATCH", &place, headers, b"abcde");
            if answer.status != status {
                wrong.push(format!("{port}, {what}: {answer}, not {status}"));
            }
            assert_eq!(files.offset(&place), 0, "{port}, {what}");
            watch.held(what);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
