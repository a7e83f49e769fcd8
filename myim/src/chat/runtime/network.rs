//! The connection to the server, and the tasks that ask it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::store::SqliteStore;
use client::transfer::UnfinishedFolder;
use client::{Api, Backlog, Client, Connection, Ended, Entry, Event, Events};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{calls, files, orders};
use crate::chat::message::{Effect, Input, News};
use crate::failure::was_locked;

/// Requests that are on their way at a time; the others wait.
const CALLS_MAX: usize = 8;
/// Orders of the user that wait for the client, at most.
const ORDERS_MAX: usize = 1024;
/// Entries that wait to be confirmed, at most.
const CONFIRMS_MAX: usize = 256;
/// What is under way may take this long to end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Cheap to clone: what tasks need.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) api: Api,
    inputs: mpsc::Sender<Input>,
    pub(super) calls: Arc<Semaphore>,
    memory: PathBuf,
    /// What of uploads was interrupted.
    pub(super) unfinished: UnfinishedFolder,
}

pub(super) struct Network {
    link: Link,
    /// Of the connection at the moment; another one after [`Effect::TakeOver`].
    orders: Arc<Mutex<mpsc::Sender<Effect>>>,
    transfers: Arc<Mutex<HashMap<u64, CancellationToken>>>,
    tasks: TaskTracker,
    over: CancellationToken,
}

impl Link {
    /// Tells the user interface; waits if it has much to do.
    pub(super) async fn tell(&self, news: News) {
        // It is gone only when the program ends.
        let _ = self.inputs.send(Input::News(Box::new(news))).await;
    }
}

impl Network {
    /// Begins to connect; does not wait for a connection.
    pub(super) async fn start(
        api: Api,
        memory: PathBuf,
        inputs: mpsc::Sender<Input>,
    ) -> anyhow::Result<Self> {
        let link = Link {
            api,
            inputs,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            unfinished: UnfinishedFolder::new(memory.with_file_name("uploads")),
            memory,
        };
        let tasks = TaskTracker::new();
        let over = CancellationToken::new();
        let orders = connect(&link, &tasks, &over).await?;
        Ok(Self {
            link,
            orders: Arc::new(Mutex::new(orders)),
            transfers: Arc::default(),
            tasks,
            over,
        })
    }

    /// Carries out what the state asks for; never waits.
    pub(super) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Send(_)
            | Effect::Retry(_)
            | Effect::Discard(_)
            | Effect::Typing(_)
            | Effect::Read(..)
            | Effect::Open(_)
            | Effect::Close(_)
            | Effect::LoadOutbox
            | Effect::Wake => self.order(effect),
            Effect::TakeOver => self.take_over(),
            Effect::Upload { id, path } => {
                self.transfer(id, |link| files::upload(link, id, path));
            }
            Effect::Download { id, file, path } => {
                self.transfer(id, |link| files::download(link, id, file, path));
            }
            Effect::CancelTransfer(id) => {
                let transfers = self.transfers.lock();
                if let Some(cancel) = transfers.unwrap_or_else(PoisonError::into_inner).get(&id) {
                    cancel.cancel();
                }
            }
            Effect::Complete(ticket, path) => {
                let link = self.link.clone();
                self.tasks
                    .spawn(async move { files::complete(&link, ticket, path).await });
            }
            call => {
                let (link, over) = (self.link.clone(), self.over.clone());
                self.tasks
                    .spawn(over.run_until_cancelled_owned(calls::make(link, call)));
            }
        }
    }

    /// Orders keep their order.
    fn order(&self, effect: Effect) {
        let orders = self
            .orders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Err(refused) = orders.try_send(effect) {
            let link = self.link.clone();
            let effect = refused.into_inner();
            self.tasks
                .spawn(async move { orders::refuse(&link, effect).await });
        }
    }

    fn take_over(&self) {
        let (link, tasks, over) = (self.link.clone(), self.tasks.clone(), self.over.clone());
        let orders = Arc::clone(&self.orders);
        self.tasks.spawn(async move {
            match connect(&link, &tasks, &over).await {
                Ok(new) => *orders.lock().unwrap_or_else(PoisonError::into_inner) = new,
                Err(error) => link.tell(News::Refused(format!("{error:#}"))).await,
            }
        });
    }

    fn transfer<F>(&self, id: u64, begin: impl FnOnce(Link) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cancel = self.over.child_token();
        let transfers = Arc::clone(&self.transfers);
        let table = self.transfers.lock();
        table
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, cancel.clone());
        let link = self.link.clone();
        let moving = begin(link.clone());
        self.tasks.spawn(async move {
            if cancel.run_until_cancelled(moving).await.is_none() {
                files::cancelled(&link, id).await;
            }
            transfers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&id);
        });
    }

    /// What was not sent stays in the outbox; what was confirmed goes to the server.
    pub(super) async fn close(self) {
        self.over.cancel();
        self.tasks.close();
        drop(self.link);
        // The connection has said good-bye, or cannot.
        let _ = tokio::time::timeout(END_WITHIN, self.tasks.wait()).await;
    }
}

/// Makes a client and the two tasks that speak with it.
async fn connect(
    link: &Link,
    tasks: &TaskTracker,
    over: &CancellationToken,
) -> anyhow::Result<mpsc::Sender<Effect>> {
    let store = SqliteStore::open(&link.memory).await?;
    let builder = Client::builder(link.api.clone())
        .store(store)
        .backlog(Backlog::Recent);
    let (client, events) = builder.start().await?;
    let (orders, waiting) = mpsc::channel(ORDERS_MAX);
    tasks.spawn(orders::follow(client, waiting, link.clone(), over.clone()));
    let (confirms, to_confirm) = mpsc::channel(CONFIRMS_MAX);
    tasks.spawn(confirm(to_confirm));
    tasks.spawn(listen(events, link.clone(), confirms));
    Ok(orders)
}

/// Hands on what the client hears, until it ends.
async fn listen(mut events: Events, link: Link, confirms: mpsc::Sender<Entry>) {
    while let Some(event) = events.next().await {
        let news = match event {
            Event::Entry(entry) => {
                let news = News::Entry {
                    conversation: entry.conversation,
                    seq: entry.seq,
                    content: entry.content.clone(),
                };
                link.tell(news).await;
                // Histories are read from the server: what the screen has heard of is done.
                let _ = confirms.send(entry).await;
                continue;
            }
            Event::Passing(passing) => News::Passing(passing),
            Event::Sent(sent) => News::Sent(sent),
            Event::Failed(failed) => News::Failed(failed),
            Event::Connection(connection) => {
                let is_signed_out = connection == Connection::Ended(Ended::SignedOut);
                link.tell(News::Connection(connection)).await;
                if is_signed_out && was_locked(&link.api).await {
                    link.tell(News::Locked).await;
                }
                continue;
            }
            Event::Resync => News::Resync,
        };
        link.tell(news).await;
    }
}

/// Confirms the newest entry of each conversation that came meanwhile: it stands for those before.
async fn confirm(mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, CONFIRMS_MAX).await > 0 {
        let mut newest = HashMap::new();
        for entry in batch.drain(..) {
            newest.insert(entry.conversation, entry);
        }
        for entry in newest.into_values() {
            // A client that has ended gets it again with the next start.
            let _ = entry.confirm().await;
        }
    }
}
