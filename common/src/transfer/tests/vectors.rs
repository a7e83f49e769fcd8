//! The bytes that real clients exchanged with the original server, replayed against this one.

use std::collections::HashMap;

use serde_json::Value;

use super::*;
use crate::transfer::testing::read_reply;

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

async fn replay(text: &str, class: BlobClass) {
    let server = Server::start(lenient(class));
    let mut clients: HashMap<String, Client> = HashMap::new();
    let mut replayed = 0;
    // A scenario in which a payload was left out cannot be replayed from there on, and neither can
    // what builds on its file.
    let mut lost = std::collections::HashSet::new();
    for line in lines(text) {
        let closed = line.decoded["closed"] == Value::Bool(true);
        let name = line.decoded["filemd5"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if line.omitted {
            lost.insert(name);
            continue;
        }
        if lost.contains(&name) && !name.is_empty() {
            continue;
        }
        if line.from_client && closed {
            clients.remove(&line.connection);
        } else if line.from_client {
            if !clients.contains_key(&line.connection) || line.connection == "x" {
                clients.insert(line.connection.clone(), server.connect().await);
            }
            let client = clients.get_mut(&line.connection).unwrap();
            client.send(&line.hex).await;
        } else if closed {
            if let Some(mut client) = clients.remove(&line.connection) {
                client.closed().await;
            }
        } else if let Some(client) = clients.get_mut(&line.connection) {
            let frame = client.frame().await;
            let found = read_reply(&frame.unwrap_or_else(|| panic!("{}", line.scenario)));
            let mut expected = line.hex;
            expected[12..14].fill(0);
            assert_eq!(found, read_reply(&expected), "{}", line.scenario);
            replayed += 1;
        }
    }
    assert!(replayed > 10, "{replayed} answers");
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
