//! What docs/sdk.md shows, as one program: two people meet, write to each other, and go.
//!
//! `MYIM_SERVER=http://localhost:20000 cargo run -p myim-client --example guide`

#![allow(clippy::print_stdout, reason = "it shows what happens")]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use client::api::{Draft, Fate};
use client::live::{EntryContent, Outgoing};
use client::model::{BlobId, ConversationId, DeviceKind, Registration, Segment, UserId};
use client::store::SqliteStore;
use client::transfer::{Download, Progress, Shelf, UnfinishedFolder, Upload};
use client::{Api, Client, Connection, Device, Event, Events, Server, SignedIn};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

async fn sign_in(name: &str, password: &str) -> Result<SignedIn> {
    let server: Server = std::env::var("MYIM_SERVER")?.parse()?;
    let device = Device::new(DeviceKind::Cli, "guide").known_as("guide");
    Ok(Api::new(server).sign_in(name, password, &device).await?)
}

async fn start(signed_in: &SignedIn, file: &Path) -> Result<(Client, Events)> {
    let store = SqliteStore::open(file).await?;
    let builder = Client::builder(signed_in.api.clone()).store(store);
    Ok(builder.start().await?)
}

async fn say_hello(client: &Client, to: UserId) -> Result<()> {
    let sending = client.send(to, vec![Segment::text("hello")]).await?;
    // It is in the store now, and goes as soon as there is a connection. Waiting is optional.
    match sending.stored().await {
        Ok(sent) => println!("stored as {} of {}", sent.seq, sent.conversation),
        Err(failed) => println!("{}: {}", failed.code, failed.reason),
    }
    Ok(())
}

async fn answer(client: &Client, events: &mut Events) -> Result<()> {
    while let Some(event) = events.next().await {
        match event {
            Event::Entry(entry) => {
                if let Some(message) = entry.message() {
                    println!("{} says {}", message.sender, message.text());
                    let words = vec![Segment::text("hello to you")];
                    let name = format!("answer-{}-{}", entry.conversation, entry.seq);
                    let answer = Outgoing::new(entry.conversation, words);
                    client
                        .send_with(answer.answering(entry.seq).named(name))
                        .await?;
                    entry.confirm().await?;
                    return Ok(());
                }
                entry.confirm().await?;
            }
            Event::Connection(Connection::Waiting { reason, next_try }) => {
                println!("{reason}; next try in {next_try:?}");
            }
            Event::Connection(Connection::Ended(why)) => return Err(format!("{why:?}").into()),
            _ => {}
        }
    }
    Ok(())
}

async fn everything(events: &mut Events, until: impl Fn(&Event) -> bool) -> Result<()> {
    while let Some(event) = events.next().await {
        let is_last = until(&event);
        match event {
            Event::Entry(entry) => {
                match &entry.content {
                    EntryContent::Message(message) => println!("new: {}", message.text()),
                    EntryContent::MessageUpdated(message) => println!("now: {}", message.text()),
                    EntryContent::Notice(notice) => println!("{}", notice.name),
                }
                entry.confirm().await?;
            }
            Event::Sent(sent) => println!("{} is stored", sent.client_id),
            Event::Failed(failed) => println!("{} failed: {failed}", failed.client_id),
            Event::Connection(state) => println!("{state:?}"),
            Event::Passing(_) => {}
            Event::Resync => println!("a backup was restored: forget what you keep"),
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

async fn look_after_failed(client: &Client) -> Result<()> {
    for message in client.outbox().await? {
        match &message.failed {
            None => println!("{} is on its way", message.client_id),
            Some(why) if why.starts_with("expired") => client.retry(&message.client_id).await?,
            Some(_) => client.discard(&message.client_id).await?,
        }
    }
    Ok(())
}

async fn once(api: &Api, conversation: ConversationId) -> Result<()> {
    let draft = Draft::text("hello");
    match api.send(conversation, &draft).await {
        Ok(stored) => println!("stored as {}", stored.seq),
        Err(error) if error.retry_after().is_some() => match api.fate(&draft.client_id).await? {
            Fate::Stored(stored) => println!("stored as {}, the answer was lost", stored.seq),
            Fate::NotStored => println!("not stored, and it never will be"),
        },
        Err(error) => match error.code() {
            Some("not_friends") => println!("become contacts first"),
            _ => return Err(error.into()),
        },
    }
    Ok(())
}

async fn upload(api: &Api, path: &Path) -> Result<(BlobId, Segment)> {
    let unfinished = UnfinishedFolder::new("uploads");
    let upload = Upload::new(path, Shelf::Files).remembered_in(&unfinished);
    let uploaded = api.upload(&upload, show).await?;
    Ok((uploaded.file, uploaded.as_file("notes.txt")))
}

async fn download(api: &Api, file: BlobId, to: &Path) -> Result<()> {
    let came = api.download(&Download::new(file, to), show).await?;
    println!("{} bytes are in {}", came.bytes, to.display());
    Ok(())
}

fn show(step: Progress) {
    match step {
        Progress::Moved { done, total } => println!("{done} of {total} bytes"),
        Progress::Waiting { reason, next_try } => println!("{reason}; next try in {next_try:?}"),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let ann = meet("guide-ann", "correct horse").await?;
    let bob = meet("guide-bob", "battery staple").await?;
    let request = ann.api.request_contact(bob.user.id, "It is Ann").await?;
    bob.api.answer_contact(request.id, true).await?;
    let (anns, mut to_ann) = start(&ann, Path::new("ann.db")).await?;
    let (bobs, mut to_bob) = start(&bob, Path::new("bob.db")).await?;
    let all = async {
        tokio::try_join!(say_hello(&anns, bob.user.id), answer(&bobs, &mut to_bob))?;
        let answered =
            |event: &Event| matches!(event, Event::Entry(entry) if entry.message().is_some());
        everything(&mut to_ann, answered).await?;
        look_after_failed(&anns).await
    };
    tokio::time::timeout(Duration::from_secs(60), all).await??;
    anns.close().await;
    bobs.close().await;
    if let Ok(port) = std::env::var("MYIM_FILE_PORT") {
        move_files(&ann, port.parse()?).await?;
    }
    let nobody = ConversationId::direct(ann.user.id, ann.user.id);
    if let Err(error) = once(&ann.api, nobody).await {
        println!("{error}");
    }
    Ok(())
}

/// Uploads and downloads, by a file server that is not where it usually is.
async fn move_files(ann: &SignedIn, port: u16) -> Result<()> {
    let server = ann.api.server().clone();
    let server = server.with_transfer_ports(Some(port), None);
    let api = Api::new(server).with_token(&ann.token);
    std::fs::write("notes.txt", "some notes")?;
    let (file, segment) = upload(&api, Path::new("notes.txt")).await?;
    println!("a message shows it as {segment:?}");
    download(&api, file, Path::new("notes-again.txt")).await
}

/// Makes an account and signs in.
async fn meet(name: &str, password: &str) -> Result<SignedIn> {
    let server: Server = std::env::var("MYIM_SERVER")?.parse()?;
    let wanted = Registration {
        username: name.to_owned(),
        password: password.to_owned(),
        ..Registration::default()
    };
    Api::new(server).register(&wanted).await?;
    sign_in(name, password).await
}
