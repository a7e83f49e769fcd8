//! What one short text message costs on the wire, each way, in each protocol: TCP payload bytes,
//! without headers of TCP and IP.

use bytes::Bytes;
use common::wire::command;
use serde_json::json;

use crate::counted::Counted;
use crate::person::{Person, packet};
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::WebPerson;

/// How many messages the figure is the mean of.
const MESSAGES: u32 = 100;

pub(crate) async fn run(server: &Server) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::begin(
        "protocols",
        &[
            ("protocol", "protocol"),
            ("send_bytes", "send, bytes up"),
            ("answer_bytes", "answer, bytes down"),
            ("delivery_bytes", "delivery, bytes down"),
            ("acknowledgment_bytes", "acknowledgment, bytes up"),
        ],
    );
    let (up, answer, down, ack) = web_socket(server).await?;
    let figures = [up, answer, down, ack].map(Cell::count);
    table.row([Cell::text("WebSocket")].into_iter().chain(figures));
    let (up, down) = flamingo(server).await?;
    let none = || Cell::none("none in this protocol");
    table.row([
        Cell::text("Flamingo"),
        Cell::count(up),
        none(),
        Cell::count(down),
        none(),
    ]);
    Ok(vec![table])
}

async fn web_socket(server: &Server) -> anyhow::Result<(u64, u64, u64, u64)> {
    let ann = WebPerson::new(server.chat, "bytes-ann").await?;
    let bob = WebPerson::new(server.chat, "bytes-bob").await?;
    ann.befriend(&bob).await?;
    let mut sender = ann.live("recent").await?;
    let mut receiver = bob.live("recent").await?;
    let (mut up, mut answer, mut down, mut ack) = (0, 0, 0, 0);
    for number in 0..=MESSAGES {
        let before = (counted(&sender), counted(&receiver));
        sender
            .say(
                &json!({"id": number, "op": "message.send", "to": {"user": bob.user},
                "client_id": format!("c{number:04}"),
                "segments": [{"type": "text", "text": "Lunch at noon?"}]}),
            )
            .await?;
        let sent = sender.socket.get_ref().sent;
        while sender.hear().await?["id"] != json!(number) {}
        let event = loop {
            let event = receiver.hear().await?;
            if event["event"] == "message" {
                break event;
            }
        };
        let (answered, delivered) = (counted(&sender), counted(&receiver));
        receiver
            .say(&json!({"op": "ack", "conversation": event["conversation"], "seq": event["seq"]}))
            .await?;
        // The first one came together with what was left over from the greeting.
        if number > 0 {
            up += sent - before.0.0;
            answer += answered.1 - before.0.1;
            down += delivered.1 - before.1.1;
            ack += receiver.socket.get_ref().sent - delivered.0;
        }
    }
    let mean = |sum: u64| sum / u64::from(MESSAGES);
    Ok((mean(up), mean(answer), mean(down), mean(ack)))
}

fn counted(live: &crate::web::Live) -> (u64, u64) {
    let counted: &Counted = live.socket.get_ref();
    (counted.sent, counted.received)
}

async fn flamingo(server: &Server) -> anyhow::Result<(u64, u64)> {
    let mut ann = Person::connect(server.chat).await?;
    let mut bob = Person::connect(server.chat).await?;
    ann.register("old-ann").await?;
    bob.register("old-bob").await?;
    let own = ann.log_in("old-ann", 1).await?;
    let other = bob.log_in("old-bob", 1).await?;
    ann.befriend(own, &mut bob, other).await?;
    let json = r#"{"msgType":1,"time":0,"clientType":1,"font":["Tahoma",12,0,0,0,0],"content":[{"msgText":"Lunch at noon?"}]}"#;
    let message = packet(
        command::CHAT,
        json,
        Bytes::copy_from_slice(&other.to_be_bytes()),
    );
    let (mut up, mut down) = (0, 0);
    for number in 0..=MESSAGES {
        let before = (ann.bytes(), bob.bytes());
        ann.send(std::slice::from_ref(&message)).await?;
        bob.expect(command::CHAT).await?;
        if number > 0 {
            up += ann.bytes().0 - before.0.0;
            down += bob.bytes().1 - before.1.1;
        }
    }
    Ok((up / u64::from(MESSAGES), down / u64::from(MESSAGES)))
}
