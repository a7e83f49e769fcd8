//! The bytes that real clients exchanged with the original server, replayed against this one.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::*;
use crate::transfer::testing::{Reply, read_reply};

struct Line {
    scenario: String,
    connection: String,
    from_client: bool,
    hex: Vec<u8>,
    decoded: Value,
    omitted: bool,
}

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| value[key].as_str().unwrap().to_owned();
            Line {
                scenario: text("scenario"),
                connection: text("conn"),
                from_client: text("dir") == "c2s",
                hex: unhex(&text("hex")),
                decoded: value["decoded"].clone(),
                omitted: value["note"].is_string(),
            }
        })
        .collect()
}

/// Where the recording left a payload out, the upload cannot be replayed. A file that was only
/// downloaded is replaced by another of the same size: the answers must be the same but for content.
async fn replay(text: &str, class: BlobClass) {
    let server = Server::start(lenient(class));
    let lines = lines(text);
    let name = |line: &Line| line.decoded["filemd5"].as_str().map(str::to_owned);
    let omitted = |line: &&Line| line.omitted;
    let (sent, told): (Vec<_>, Vec<_>) = lines
        .iter()
        .filter(omitted)
        .partition(|line| line.from_client);
    let lost: HashSet<_> = sent.into_iter().filter_map(name).collect();
    for line in told {
        stand_in(&server, class, line, &lost).await;
    }
    let mut clients: HashMap<String, Client> = HashMap::new();
    let mut replayed = 0;
    let mut unanswered = false;
    for line in &lines {
        if name(line).is_some_and(|name| lost.contains(&name)) {
            continue;
        }
        let closed = line.decoded["closed"] == Value::Bool(true);
        if line.from_client && closed {
            clients.remove(&line.connection);
        } else if line.from_client {
            if !clients.contains_key(&line.connection) || line.connection == "x" {
                clients.insert(line.connection.clone(), server.connect().await);
            }
            let client = clients.get_mut(&line.connection).unwrap();
            client.send(&line.hex).await;
            unanswered = true;
        } else if closed {
            // After an answer it was the client that closed, and the original followed.
            let client = clients.remove(&line.connection);
            if let Some(mut client) = client.filter(|_| unanswered) {
                client.closed().await;
            }
        } else {
            unanswered = false;
            let client = clients.get_mut(&line.connection).unwrap();
            line.compare(&client.reply().await);
            replayed += 1;
        }
    }
    assert!(replayed > 20, "{replayed} answers");
}

async fn stand_in(server: &Server, class: BlobClass, line: &Line, lost: &HashSet<String>) {
    let name = line.decoded["filemd5"].as_str().unwrap().to_owned();
    if lost.contains(&name) {
        return;
    }
    let size = line.decoded["filesize"].as_u64().unwrap();
    let content = noise(usize::try_from(size).unwrap(), 1);
    server
        .connect()
        .await
        .upload(&md5_hex(&content), &content, 1 << 20)
        .await;
    let mut state = server.store.state();
    let other = state.names[&(class, md5_hex(&content))];
    state.names.insert((class, name), other);
}

impl Line {
    fn compare(&self, found: &Reply) {
        let number = |key: &str| self.decoded[key].as_i64().unwrap();
        assert_eq!(i64::from(found.command), number("cmd"), "{}", self.scenario);
        assert_eq!(i64::from(found.seq), number("seq"), "{}", self.scenario);
        assert_eq!(
            i64::from(found.code),
            number("errorcode"),
            "{}",
            self.scenario
        );
        assert_eq!(
            found.offset,
            number("offset").to_string(),
            "{}",
            self.scenario
        );
        assert_eq!(
            found.size,
            number("filesize").to_string(),
            "{}",
            self.scenario
        );
        let len = i64::try_from(found.data.len()).unwrap();
        assert_eq!(len, number("filedata_len"), "{}", self.scenario);
        if !self.omitted {
            let mut expected = self.hex.clone();
            expected[12..14].fill(0);
            assert_eq!(*found, read_reply(&expected), "{}", self.scenario);
        }
    }
}

#[tokio::test]
async fn the_file_server_answers_like_the_original() {
    replay(
        include_str!("../../../../tests/vectors/file.jsonl"),
        BlobClass::File,
    )
    .await;
}

#[tokio::test]
async fn the_image_server_answers_like_the_original() {
    replay(
        include_str!("../../../../tests/vectors/image.jsonl"),
        BlobClass::Image,
    )
    .await;
}
