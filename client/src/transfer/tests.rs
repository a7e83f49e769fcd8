//! Transfers against servers that say what a test wants, on a clock that the test owns.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use super::{Download, Progress, Shelf, Unfinished, UnfinishedFolder, Upload};
use crate::api::Api;
use crate::error::Error;
use crate::model::BlobId;
use crate::net::memory::{HOST, InMemory, Listener};
use crate::server::Server;

/// On the clock of a test, which jumps when nothing is left to do.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A chat server and a transfer server that do nothing by themselves.
struct Servers {
    chat: Listener,
    files: Listener,
    folder: TempDir,
}

/// One request.
struct Asked {
    stream: DuplexStream,
    head: String,
}

impl Servers {
    fn new() -> Self {
        Self {
            chat: Listener::new(),
            files: Listener::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn api(&self) -> Api {
        let server: Server = format!("http://{HOST}:{}", self.chat.port).parse().unwrap();
        let server = server.through(InMemory);
        let port = Some(self.files.port);
        Api::new(server.with_transfer_ports(port, port)).with_token("secret")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("notes.txt")
    }

    /// The chat server does not know the file.
    async fn knows_nothing(&mut self) {
        let asked = ask(&mut self.chat).await;
        let problem = json!({"code": "no_such_file", "status": 404, "detail": ""});
        asked
            .answer("404 Not Found", "", problem.to_string().as_bytes())
            .await;
    }

    /// The chat server tells where the file is.
    async fn tells(&mut self, class: &str, content: &[u8]) {
        let asked = ask(&mut self.chat).await;
        let file = sha256(content);
        assert!(
            asked.head.contains(&format!("/api/v1/files/{file}")),
            "{}",
            asked.head
        );
        let known = json!({"size": content.len(), "mime": "text/plain",
            "url": format!("http://files.example/{class}/{file}?sig=x")});
        asked
            .answer("200 OK", "", known.to_string().as_bytes())
            .await;
    }

    async fn next(&mut self) -> Asked {
        ask(&mut self.files).await
    }

    async fn creates(&mut self, id: &str) -> Asked {
        let asked = self.next().await;
        assert!(asked.head.starts_with("POST /files/ "), "{}", asked.head);
        assert_eq!(asked.header("authorization"), "Bearer secret");
        let place = format!("location: /files/uploads/{id}\r\n");
        asked.answer("201 Created", &place, b"").await;
        self.next().await
    }
}

fn sha256(content: &[u8]) -> BlobId {
    BlobId(Sha256::digest(content).into())
}

fn content(bytes: u32) -> Vec<u8> {
    (0..bytes).flat_map(u32::to_le_bytes).collect()
}

async fn ask(listener: &mut Listener) -> Asked {
    let mut stream = timeout(PATIENCE, listener.accept())
        .await
        .expect("a connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    let head = String::from_utf8(head).unwrap();
    Asked { stream, head }
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        found.next().map_or("", |(_, value)| value)
    }

    async fn takes(&mut self, bytes: usize) -> Vec<u8> {
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body).await.unwrap();
        body
    }

    async fn takes_all(&mut self) -> Vec<u8> {
        let length = self.header("content-length").parse().unwrap();
        self.takes(length).await
    }

    async fn answer(mut self, status: &str, headers: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        self.stream.write_all(head.as_bytes()).await.unwrap();
        self.stream.write_all(body).await.unwrap();
    }

    /// Says how long the body is and sends less of it.
    async fn breaks_off(mut self, status: &str, headers: &str, length: usize, body: &[u8]) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await.unwrap();
        self.stream.write_all(body).await.unwrap();
    }

    async fn stores(self, content: &[u8]) {
        let stored: Value = json!({"file": sha256(content).to_string(), "size": content.len(),
            "mime": "text/plain"});
        self.answer("200 OK", "", stored.to_string().as_bytes())
            .await;
    }
}

/// Runs both until the upload has ended.
async fn upload(
    api: &Api,
    path: &Path,
    memory: Option<&UnfinishedFolder>,
) -> (crate::Result<super::Uploaded>, Vec<Progress>) {
    let mut steps = Vec::new();
    let mut upload = Upload::new(path, Shelf::Files);
    if let Some(memory) = memory {
        upload = upload.remembered_in(memory);
    }
    let uploaded = api.upload(&upload, |step| steps.push(step)).await;
    (uploaded, steps)
}

fn waited(steps: &[Progress]) -> usize {
    let waiting = |step: &&Progress| matches!(step, Progress::Waiting { .. });
    steps.iter().filter(waiting).count()
}

#[tokio::test(start_paused = true)]
async fn a_broken_upload_goes_on_where_the_server_is() {
    let mut servers = Servers::new();
    let (api, path, all) = (servers.api(), servers.path(), content(100_000));
    std::fs::write(&path, &all).unwrap();
    let serve = async {
        servers.knows_nothing().await;
        let mut first = servers.creates("a1").await;
        assert!(
            first.head.starts_with("PATCH /files/uploads/a1 "),
            "{}",
            first.head
        );
        assert_eq!(first.header("upload-offset"), "0");
        first.takes(250_000).await;
        drop(first);
        // Not all that was sent has reached the disk.
        let asked = servers.next().await;
        assert!(
            asked.head.starts_with("HEAD /files/uploads/a1 "),
            "{}",
            asked.head
        );
        asked
            .answer("200 OK", "upload-offset: 200000\r\n", b"")
            .await;
        let mut rest = servers.next().await;
        assert_eq!(rest.header("upload-offset"), "200000");
        assert!(rest.takes_all().await == all[200_000..]);
        rest.stores(&all).await;
    };
    let ((uploaded, steps), ()) = tokio::join!(upload(&api, &path, None), serve);
    let uploaded = uploaded.unwrap();
    assert_eq!((uploaded.file, uploaded.was_there), (sha256(&all), false));
    assert_eq!(waited(&steps), 1, "{steps:?}");
    let whole = Progress::Moved {
        done: 400_000,
        total: 400_000,
    };
    assert_eq!(steps.last(), Some(&whole));
}

#[tokio::test(start_paused = true)]
async fn an_upload_goes_where_the_server_tells() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    let untold = api.server().clone().with_transfer_ports(None, None);
    let api = Api::new(untold).with_token("secret");
    std::fs::write(&path, "hello world").unwrap();
    let serve = async {
        let asked = ask(&mut servers.chat).await;
        assert!(
            asked.head.starts_with("GET /api/v1/server "),
            "{}",
            asked.head
        );
        let told = json!({"file_url": format!("http://{HOST}:{}/below", servers.files.port)});
        asked
            .answer("200 OK", "", told.to_string().as_bytes())
            .await;
        servers.knows_nothing().await;
        let asked = servers.next().await;
        assert!(
            asked.head.starts_with("POST /below/files/ "),
            "{}",
            asked.head
        );
        let place = "location: /files/uploads/a1\r\n";
        asked.answer("201 Created", place, b"").await;
        let mut piece = servers.next().await;
        let wanted = "PATCH /below/files/uploads/a1 ";
        assert!(piece.head.starts_with(wanted), "{}", piece.head);
        piece.takes_all().await;
        piece.stores(b"hello world").await;
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, None), serve);
    uploaded.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, "hello world").unwrap();
    let serve = async {
        servers.knows_nothing().await;
        let mut piece = servers.creates("a1").await;
        piece.takes_all().await;
        drop(piece);
        let asked = servers.next().await;
        asked.answer("200 OK", "upload-offset: 11\r\n", b"").await;
        let last = servers.next().await;
        assert_eq!(last.header("upload-offset"), "11");
        assert_eq!(last.header("content-length"), "0");
        assert_eq!(last.header("prefer"), "return=representation");
        last.stores(b"hello world").await;
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, None), serve);
    uploaded.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_server_lost_begins_anew() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, "hello world").unwrap();
    let memory = UnfinishedFolder::new(servers.folder.path().join("uploads"));
    let serve = async {
        servers.knows_nothing().await;
        drop(servers.creates("a1").await);
        servers.next().await.answer("404 Not Found", "", b"").await;
        let mut again = servers.creates("a2").await;
        assert!(
            again.head.starts_with("PATCH /files/uploads/a2 "),
            "{}",
            again.head
        );
        assert_eq!(again.header("upload-offset"), "0");
        assert_eq!(again.takes_all().await, b"hello world");
        again.stores(b"hello world").await;
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, Some(&memory)), serve);
    uploaded.unwrap();
    let left = std::fs::read_dir(servers.folder.path().join("uploads")).unwrap();
    assert_eq!(left.count(), 0, "nothing is remembered of what ended");
}

#[tokio::test(start_paused = true)]
async fn another_run_goes_on() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    let memory = UnfinishedFolder::new(servers.folder.path().join("uploads"));
    std::fs::write(&path, "hello world").unwrap();
    let begin = async {
        servers.knows_nothing().await;
        servers.creates("a1").await
    };
    // The first run is killed while its first piece is on its way.
    tokio::select! {
        _ = upload(&api, &path, Some(&memory)) => panic!("it cannot end"),
        piece = begin => drop(piece),
    }
    let serve = async {
        servers.knows_nothing().await;
        let asked = servers.next().await;
        assert!(
            asked.head.starts_with("HEAD /files/uploads/a1 "),
            "{}",
            asked.head
        );
        asked.answer("200 OK", "upload-offset: 5\r\n", b"").await;
        let mut rest = servers.next().await;
        assert_eq!(rest.takes_all().await, b" world");
        rest.stores(b"hello world").await;
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, Some(&memory)), serve);
    uploaded.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_became_another_one_begins_anew() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    let memory = UnfinishedFolder::new(servers.folder.path().join("uploads"));
    std::fs::write(&path, "hello world").unwrap();
    let begin = async {
        servers.knows_nothing().await;
        servers.creates("a1").await
    };
    tokio::select! {
        _ = upload(&api, &path, Some(&memory)) => panic!("it cannot end"),
        piece = begin => drop(piece),
    }
    std::fs::write(&path, "something else").unwrap();
    let serve = async {
        let asked = servers.next().await;
        assert!(
            asked.head.starts_with("DELETE /files/uploads/a1 "),
            "{}",
            asked.head
        );
        asked.answer("204 No Content", "", b"").await;
        servers.knows_nothing().await;
        let mut piece = servers.creates("a2").await;
        assert_eq!(piece.takes_all().await, b"something else");
        piece.stores(b"something else").await;
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, Some(&memory)), serve);
    assert_eq!(uploaded.unwrap().file, sha256(b"something else"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_meanwhile_is_noticed() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, "hello world").unwrap();
    let serve = async {
        servers.knows_nothing().await;
        let piece = servers.creates("a1").await;
        std::fs::write(&path, "another world!").unwrap();
        drop(piece);
    };
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, None), serve);
    assert!(matches!(uploaded, Err(Error::File { .. })), "{uploaded:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_at_once() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, "hello world").unwrap();
    let serve = async {
        servers.knows_nothing().await;
        let problem = json!({"code": "quota_user", "status": 507, "detail": "It is full."});
        let problem = problem.to_string();
        let asked = servers.next().await;
        asked
            .answer("507 Insufficient Storage", "", problem.as_bytes())
            .await;
    };
    let ((uploaded, steps), ()) = tokio::join!(upload(&api, &path, None), serve);
    assert_eq!(uploaded.unwrap_err().code(), Some("quota_user"));
    assert!(steps.is_empty(), "{steps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, content(100_000)).unwrap();
    let serve = async {
        servers.knows_nothing().await;
        let mut silent = vec![servers.creates("a1").await];
        loop {
            silent.push(servers.next().await);
        }
    };
    let (uploaded, steps) = tokio::select! {
        done = upload(&api, &path, None) => done,
        () = serve => unreachable!("it listens for ever"),
    };
    assert!(
        matches!(uploaded, Err(Error::Unreachable { .. })),
        "{uploaded:?}"
    );
    assert_eq!(waited(&steps), 10);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_is_not_sent_again() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(&path, "hello world").unwrap();
    let serve = servers.tells("files", b"hello world");
    let ((uploaded, _), ()) = tokio::join!(upload(&api, &path, None), serve);
    assert!(uploaded.unwrap().was_there);
}

fn tag(content: &[u8]) -> String {
    format!("etag: \"{}\"\r\n", sha256(content))
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_goes_on() {
    let mut servers = Servers::new();
    let (api, path, all) = (servers.api(), servers.path(), content(50_000));
    let serve = async {
        servers.tells("files", &all).await;
        let asked = servers.next().await;
        assert_eq!(asked.header("range"), "");
        assert_eq!(asked.header("authorization"), "", "the address is enough");
        asked
            .breaks_off("200 OK", &tag(&all), all.len(), &all[..120_000])
            .await;
        let asked = servers.next().await;
        assert_eq!(asked.header("range"), "bytes=120000-");
        assert_eq!(asked.header("if-range"), format!("\"{}\"", sha256(&all)));
        let headers = format!("{}content-range: bytes 120000-199999/200000\r\n", tag(&all));
        asked
            .answer("206 Partial Content", &headers, &all[120_000..])
            .await;
    };
    let wanted = Download::new(sha256(&all), &path);
    let mut steps = Vec::new();
    let (came, ()) = tokio::join!(api.download(&wanted, |step| steps.push(step)), serve);
    assert!(came.unwrap().is_original);
    assert_eq!(waited(&steps), 1, "{steps:?}");
    assert!(std::fs::read(&path).unwrap() == all);
    assert!(!servers.folder.path().join("notes.txt.part").exists());
}

#[tokio::test(start_paused = true)]
async fn what_another_file_left_is_thrown_away() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    std::fs::write(path.with_added_extension("part"), "other ").unwrap();
    let all = b"hello world";
    let serve = async {
        servers.tells("files", all).await;
        let asked = servers.next().await;
        assert_eq!(asked.header("range"), "bytes=6-");
        let headers = format!("{}content-range: bytes 6-10/11\r\n", tag(all));
        asked
            .answer("206 Partial Content", &headers, b"world")
            .await;
        let asked = servers.next().await;
        assert_eq!(asked.header("range"), "");
        asked.answer("200 OK", &tag(all), all).await;
    };
    let wanted = Download::new(sha256(all), &path);
    let (came, ()) = tokio::join!(api.download(&wanted, |_| {}), serve);
    came.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), all);
}

#[tokio::test(start_paused = true)]
async fn wrong_bytes_are_not_kept() {
    let mut servers = Servers::new();
    let (api, path, all) = (servers.api(), servers.path(), b"hello world");
    let serve = async {
        servers.tells("files", all).await;
        // Also with a tag of their own: only pictures are shown otherwise than they are.
        servers
            .next()
            .await
            .answer("200 OK", &tag(b"x"), b"jello world")
            .await;
    };
    let wanted = Download::new(sha256(all), &path);
    let (came, ()) = tokio::join!(api.download(&wanted, |_| {}), serve);
    assert!(matches!(came, Err(Error::Transfer(_))), "{came:?}");
    assert!(!path.exists() && !path.with_added_extension("part").exists());
}

#[tokio::test(start_paused = true)]
async fn a_picture_may_come_as_others_may_see_it() {
    let mut servers = Servers::new();
    let (api, path) = (servers.api(), servers.path());
    let serve = async {
        servers.tells("images", b"picture and place").await;
        servers
            .next()
            .await
            .answer("200 OK", &tag(b"x"), b"picture")
            .await;
        // But not under the tag of the original.
        servers.tells("images", b"picture and place").await;
        let wrong = servers.next().await;
        wrong
            .answer("200 OK", &tag(b"picture and place"), b"picture")
            .await;
    };
    let both = async {
        let wanted = Download::new(sha256(b"picture and place"), &path);
        let came = api.download(&wanted, |_| {}).await.unwrap();
        assert_eq!((came.is_original, came.bytes), (false, 7));
        let again = api.download(&wanted.replacing(true), |_| {}).await;
        assert!(matches!(again, Err(Error::Transfer(_))), "{again:?}");
    };
    tokio::join!(both, serve);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_over_is_asked_for_again() {
    let mut servers = Servers::new();
    let (api, path, all) = (servers.api(), servers.path(), b"hello world");
    let refused = json!({"code": "bad_signature", "status": 403, "detail": ""}).to_string();
    let serve = async {
        servers.tells("files", all).await;
        let first = servers.next().await;
        first
            .breaks_off("200 OK", &tag(all), all.len(), b"hello ")
            .await;
        let late = servers.next().await;
        late.answer("403 Forbidden", "", refused.as_bytes()).await;
        servers.tells("files", all).await;
        let asked = servers.next().await;
        assert_eq!(asked.header("range"), "bytes=6-");
        let headers = format!("{}content-range: bytes 6-10/11\r\n", tag(all));
        asked
            .answer("206 Partial Content", &headers, b"world")
            .await;
    };
    let wanted = Download::new(sha256(all), &path);
    let (came, ()) = tokio::join!(api.download(&wanted, |_| {}), serve);
    came.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), all);
    // A new one that is refused too is an answer.
    let (other, serve) = (servers.folder.path().join("other"), async {
        servers.tells("files", all).await;
        let asked = servers.next().await;
        asked.answer("403 Forbidden", "", refused.as_bytes()).await;
    });
    let wanted = Download::new(sha256(all), &other);
    let (came, ()) = tokio::join!(api.download(&wanted, |_| {}), serve);
    assert_eq!(came.unwrap_err().code(), Some("bad_signature"));
}

#[tokio::test(start_paused = true)]
async fn the_memory_can_be_anything() {
    struct Refuses;
    #[async_trait::async_trait]
    impl Unfinished for Refuses {
        async fn find(&self, _: &str) -> Result<Option<super::Begun>, crate::store::StoreError> {
            Err(crate::store::StoreError::Other("full".to_owned()))
        }
        async fn keep(&self, _: &str, _: &super::Begun) -> Result<(), crate::store::StoreError> {
            Ok(())
        }
        async fn forget(&self, _: &str) -> Result<(), crate::store::StoreError> {
            Ok(())
        }
    }
    let servers = Servers::new();
    std::fs::write(servers.path(), "x").unwrap();
    let path = servers.path();
    let upload = Upload::new(&path, Shelf::Files).remembered_in(&Refuses);
    let uploaded = servers.api().upload(&upload, |_| {}).await;
    assert!(matches!(uploaded, Err(Error::Store(_))), "{uploaded:?}");
}
