//! The web client as browsers get it from the chat port.

use std::fs;
use std::io::Read;
use std::path::Path;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use myim_tests::api::{Answer, Api};
use myim_tests::http;
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls::Tunnel;

tests! {
    sqlite: the_page_and_what_it_asks_for, the_page_says_what_it_may_do, what_a_worker_keeps_is_there;
    mariadb: the_page_and_what_it_asks_for,
}

/// Asks for a path of the chat port, as a browser at this address would.
fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path)
        .header("host", "chat.example:20000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    api.send(format!("{method} {path}"), request)
}

fn get(server: &Server, path: &str) -> Answer {
    ask(&server.api(), "GET", path, &[])
}

fn text(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer}");
    std::str::from_utf8(&answer.body).unwrap()
}

/// The address of the page's first module, as the page itself says it.
fn main_module(page: &Answer) -> String {
    let after = text(page).split_once("src=\"").expect("a module").1;
    after
        .split_once('"')
        .expect("a whole attribute")
        .0
        .to_owned()
}

fn the_page_and_what_it_asks_for(server: &mut Server) {
    let page = get(server, "/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(!text(&page).contains("{{"), "{page}");
    let module = main_module(&page);
    let base = module.strip_suffix("/main.js").expect("the first module");
    let version = base.strip_prefix("/assets/").expect("a versioned address");
    assert!(
        version.len() == 16 && version.bytes().all(|b| b.is_ascii_hexdigit()),
        "{version}"
    );

    let main = get(server, &module);
    assert!(!text(&main).is_empty());
    assert_eq!(
        main.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    let immutable = "public, max-age=31536000, immutable";
    assert_eq!(main.header("cache-control"), immutable);
    let style = get(server, &format!("{base}/styles/tokens.css"));
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(style.header("x-content-type-options"), "nosniff");

    // The page in another version is not there, and neither is what is filled in, below the assets.
    for nothing in [
        "/assets/0123456789abcdef/main.js".to_owned(),
        "/assets/dev/main.js".to_owned(),
        "/assets/".to_owned(),
        "/assets".to_owned(),
        format!("{base}/index.html"),
        format!("{base}/no-such-file.js"),
        format!("{base}/"),
        format!("{base}/styles"),
        format!("{base}/../../main.js"),
        format!("{base}/%2e%2e/main.js"),
        format!("{base}/styles/..%2fmain.js"),
        "/index.html".to_owned(),
        "/main.js".to_owned(),
    ] {
        get(server, &nothing).refused(404, "not_found");
    }
    for method in ["POST", "PUT", "DELETE"] {
        for path in ["/", &module] {
            let refused = ask(&server.api(), method, path, &[]);
            refused.refused(405, "method_not_allowed");
        }
    }
    for path in ["/", &module] {
        let whole = get(server, path);
        let head = ask(&server.api(), "HEAD", path, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0), "{head}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{path} {name}");
        }
        let tag = whole.header("etag");
        assert!(!tag.is_empty(), "{whole}");
        let known = ask(&server.api(), "GET", path, &[("if-none-match", tag)]);
        assert_eq!((known.status, known.body.len()), (304, 0), "{known}");
        for name in ["etag", "cache-control"] {
            assert_eq!(known.header(name), whole.header(name), "{path} {name}");
        }
        let other = ask(&server.api(), "GET", path, &[("if-none-match", "\"x\"")]);
        assert_eq!(other.body, whole.body);
    }
}

fn the_page_says_what_it_may_do(server: &mut Server) {
    let page = get(server, "/");
    let policy = page.header("content-security-policy");
    let has = |part: &str| policy.split("; ").any(|found| found == part);
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html myim",
    ] {
        assert!(has(part), "{part}: {policy}");
    }
    let connect = policy
        .split("; ")
        .find(|part| part.starts_with("connect-src "));
    let connect: Vec<_> = connect.expect("it may connect").split(' ').collect();
    for (scheme, port) in [("http", server.file.port()), ("https", server.image.port())] {
        let place = format!("{scheme}://chat.example:{port}");
        assert!(connect.contains(&&*place), "{place}: {policy}");
    }
    assert!(connect.contains(&"ws://chat.example:20000"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(self)",
        ),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    // What can be opened by itself, or works by itself, has the same; scripts and styles need none.
    let page_text = text(&page);
    let below = page_text.split('"').find(|it| it.starts_with("/assets/"));
    let version = below
        .and_then(|it| it.split('/').nth(2))
        .expect("a version");
    let icon = format!("/assets/{version}/icons/icon.svg");
    let main = format!("/assets/{version}/main.js");
    for (path, has_policy) in [("/sw.js", true), (&icon, true), (&main, false)] {
        let answer = get(server, path);
        assert_eq!(
            answer.header("content-security-policy") == policy,
            has_policy,
            "{path}"
        );
    }
    // A page of others gets nothing of it.
    let foreign = [("origin", "https://evil.example")];
    ask(&server.api(), "GET", "/", &foreign).refused(403, "foreign_origin");
}

fn what_a_worker_keeps_is_there(server: &mut Server) {
    let worker = get(server, "/sw.js");
    assert_eq!(worker.header("cache-control"), "no-cache");
    let base = main_module(&get(server, "/"));
    let base = base.strip_suffix("/main.js").unwrap();
    let script = text(&worker);
    let list = script
        .find(&format!("[\"{base}/"))
        .expect("a list of files");
    let mut list = serde_json::Deserializer::from_str(&script[list..]).into_iter::<Vec<String>>();
    let files = list.next().expect("a whole list").unwrap();
    for wanted in ["main.js", "styles/tokens.css"] {
        assert!(files.contains(&format!("{base}/{wanted}")), "{files:?}");
    }
    for file in &files {
        let answer = ask(&server.api(), "HEAD", file, &[("accept-encoding", "br")]);
        assert_eq!(answer.status, 200, "{answer}");
    }
    let manifest = get(server, "/manifest.webmanifest");
    for icon in manifest_json(&manifest)["icons"].as_array().expect("icons") {
        let file = icon["src"].as_str().unwrap();
        assert!(files.contains(&file.to_owned()), "{file}");
    }
}

fn manifest_json(answer: &Answer) -> serde_json::Value {
    assert_eq!(
        answer.header("content-type"),
        "application/manifest+json; charset=utf-8"
    );
    serde_json::from_slice(&answer.body).unwrap()
}

/// A web client of somebody's own.
fn write_client(folder: &Path, page: &str) {
    fs::create_dir_all(folder.join("net")).unwrap();
    fs::write(folder.join("index.html"), page).unwrap();
    fs::write(
        folder.join("sw.js"),
        "const kept = {{files}}, base = '{{base}}';",
    )
    .unwrap();
    fs::write(folder.join("manifest.webmanifest"), r#"{"start_url": "/"}"#).unwrap();
    fs::create_dir_all(folder.join("icons")).unwrap();
    fs::write(
        folder.join("icons/icon.svg"),
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
    )
    .unwrap();
    fs::write(folder.join("net/a.js"), "export const a = 1;\n".repeat(200)).unwrap();
}

#[test]
fn a_client_that_somebody_changes_is_read_anew() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let folder = setup.directory().join("client");
    write_client(
        &folder,
        "<script type=module src=\"{{base}}/main.js\"></script>",
    );
    fs::write(setup.directory().join("secret.js"), "secret").unwrap();
    let place = folder.to_string_lossy().into_owned();
    let server = setup.chat_flag("--web-client-dir", &place).start();

    let page = get(&server, "/");
    assert_eq!(main_module(&page), "/assets/dev/main.js");
    assert_eq!(page.header("cache-control"), "no-cache");
    fs::write(folder.join("index.html"), "<p>changed</p>").unwrap();
    let known = [("if-none-match", page.header("etag"))];
    let changed = ask(&server.api(), "GET", "/", &known);
    assert_eq!(text(&changed), "<p>changed</p>");

    let module = get(&server, "/assets/dev/net/a.js");
    assert_eq!(module.header("cache-control"), "no-store");
    fs::write(folder.join("net/a.js"), "2").unwrap();
    assert_eq!(text(&get(&server, "/assets/dev/net/a.js")), "2");
    let worker = get(&server, "/sw.js");
    assert_eq!(text(&worker), "const kept = [], base = '/assets/dev';");
    assert_eq!(
        worker.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(worker.header("cache-control"), "no-cache");
    let manifest = get(&server, "/manifest.webmanifest");
    let kind = manifest.header("content-type");
    assert_eq!(kind, "application/manifest+json; charset=utf-8");
    let icon = get(&server, "/favicon.ico");
    assert!(
        icon.header("content-type").starts_with("image/svg+xml"),
        "{icon}"
    );

    for outside in [
        "/assets/dev/../../secret.js",
        "/assets/dev/../secret.js",
        "/assets/dev/%2e%2e/secret.js",
        "/assets/dev/..%2fsecret.js",
        "/assets/dev/..%5csecret.js",
        "/assets/dev/net/../../secret.js",
        "/assets/dev//etc/hostname",
        "/assets/dev/%2fetc/hostname",
        "/assets/dev/a%00.js",
        "/assets/dev/net",
        "/assets/dev/index.html",
        "/assets/0123456789abcdef/net/a.js",
    ] {
        let answer = get(&server, outside);
        assert_eq!(answer.status, 404, "{answer}");
        assert!(
            !answer.body.windows(6).any(|part| part == b"secret"),
            "{answer}"
        );
    }
}

#[test]
fn assets_come_in_the_encoding_that_is_wanted() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let folder = setup.directory().join("client");
    write_client(&folder, "<p>page</p>");
    let place = folder.to_string_lossy().into_owned();
    let server = setup.chat_flag("--web-client-dir", &place).start();
    let whole = get(&server, "/assets/dev/net/a.js");
    assert_eq!(whole.header("content-encoding"), "");
    assert_eq!(whole.header("vary"), "accept-encoding");
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0", ""),
        ("zstd", ""),
    ] {
        let headers = [("accept-encoding", accepted)];
        let answer = ask(&server.api(), "GET", "/assets/dev/net/a.js", &headers);
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(answer.header("content-type"), whole.header("content-type"));
        assert_eq!(answer.header("etag"), whole.header("etag"));
        assert_eq!(answer.body.len() < whole.body.len(), !encoding.is_empty());
        if encoding == "gzip" {
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, whole.body);
        }
    }
}

#[test]
fn through_tls_the_page_is_the_same() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .start();
    let tunnel = Tunnel::to(server.chat);
    let page = http::get(tunnel.address, "/");
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.body.as_bytes(), get(&server, "/").body);
    let line = server.program().line_starting("Open ");
    let place = format!("https://{}", server.chat);
    assert_eq!(line, format!("Open {place} in a browser."));
}

#[test]
fn a_program_that_is_ready_says_where_to_look() {
    let server = Server::sqlite();
    let line = server.program().line_starting("Open ");
    assert_eq!(line, format!("Open http://{} in a browser.", server.chat));
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--public-url", "https://chat.example/")
        .start();
    let line = server.program().line_starting("Open ");
    assert_eq!(line, "Open https://chat.example in a browser.");
}

#[test]
fn without_the_web_client_only_the_api_is_there() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .variable("MYIM_WEB_CLIENT", "false")
        .start();
    for path in [
        "/",
        "/sw.js",
        "/manifest.webmanifest",
        "/favicon.ico",
        "/assets/dev/a.js",
    ] {
        get(&server, path).refused(404, "not_found");
    }
    server.api().get("/openapi.json").ok(200);
    assert!(server.stop().iter().all(std::process::ExitStatus::success));
    assert!(!server.program().output().contains("Open"));
}

#[test]
fn who_mistypes_an_address_in_a_browser_gets_to_the_page() {
    let server = Server::sqlite();
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let visit = ask(&server.api(), "GET", "/people", &browser);
    assert_eq!((visit.status, visit.header("location")), (303, "/"));
    get(&server, "/people").refused(404, "not_found");
    ask(&server.api(), "POST", "/people", &browser).refused(404, "not_found");
    ask(&server.api(), "GET", "/api/people", &browser).refused(404, "not_found");
}

#[test]
fn a_directory_without_a_page_is_told_at_the_start() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let folder = setup.directory().join("nothing");
    let place = folder.to_string_lossy().into_owned();
    let setup = setup.chat_flag("--web-client-dir", &place);
    let programs = setup.start_unready();
    let program = &programs[0];
    assert_eq!(program.wait(PROCESS_PATIENCE).code(), Some(64));
    let log = program.log();
    assert!(log.contains("index.html") && log.contains(&place), "{log}");
}
