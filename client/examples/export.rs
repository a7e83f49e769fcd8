//! Writes the history of a conversation into a file, one JSON object a line, and goes on where it
//! was interrupted.
//!
//! `MYIM_SERVER=https://chat.example MYIM_TOKEN=... \
//! cargo run -p myim-client --example export -- CONVERSATION FILE`
//!
//! Started again, it appends what is new. A message that was edited after it was written stays as
//! it was: for a copy of the present, export into an empty file.

use std::env;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::time::Duration;

use client::Api;
use client::api::seq_of;
use client::model::{ConversationId, Message, Page, Seq};

const PIECE: u32 = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [conversation, path] = arguments.as_slice() else {
        return Err("usage: export CONVERSATION FILE".into());
    };
    let conversation =
        ConversationId::from_decimal(conversation).ok_or("CONVERSATION is a decimal number")?;
    let api = Api::new(env::var("MYIM_SERVER")?.parse()?).with_token(&env::var("MYIM_TOKEN")?);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)?;
    let mut after = end_of(&mut file)?;
    let mut count = 0;
    loop {
        let page = piece(&api, conversation, after).await?;
        let mut lines = Vec::new();
        for message in &page.items {
            serde_json::to_writer(&mut lines, message)?;
            lines.push(b'\n');
        }
        file.write_all(&lines)?;
        file.sync_data()?;
        count += page.items.len();
        let Some(next) = &page.next else { break };
        after = seq_of(next)?;
    }
    eprintln!("{count} messages");
    Ok(())
}

/// The place of the last whole line; half a line behind it is taken away.
fn end_of(file: &mut File) -> Result<Seq, Box<dyn Error>> {
    let (mut length, mut last, mut line) = (0, Seq(0), Vec::new());
    let mut reader = BufReader::new(&*file);
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        last = serde_json::from_slice::<Message>(&line)?.seq;
        length += u64::try_from(line.len())?;
        line.clear();
    }
    file.set_len(length)?;
    file.seek(SeekFrom::End(0))?;
    Ok(last)
}

/// A piece of the history; asked for again as long as that may help.
async fn piece(
    api: &Api,
    conversation: ConversationId,
    after: Seq,
) -> client::Result<Page<Message>> {
    loop {
        match api.messages_after(conversation, after, PIECE).await {
            Ok(page) => return Ok(page),
            Err(error) => {
                let wait = error.retry_after().ok_or(error)?;
                tokio::time::sleep(wait.max(Duration::from_millis(500))).await;
            }
        }
    }
}
