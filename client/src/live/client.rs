//! The handle of a running client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Command, Setting};
use super::driver;
use super::event::Events;
use super::sending::{Outgoing, Sending, Target};
use super::state::Connection;
use super::surroundings::Surroundings;
use crate::api::Api;
use crate::error::{Error, Result};
use crate::model::{ConversationId, Segment, Seq, Status, UserId};
use crate::store::{self, MemoryStore, Store};

/// Requests that wait for the driver, at most.
pub(super) const COMMANDS_MAX: usize = 1024;
/// Events that wait for the application, at most.
pub(super) const EVENTS_MAX: usize = 256;

/// What a client gets of what it missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backlog {
    /// Everything.
    #[default]
    All,
    /// The newest 20 entries of each conversation, and a summary of those that have more.
    Recent,
}

/// Makes a [`Client`].
pub struct ClientBuilder {
    pub(super) api: Api,
    pub(super) store: Arc<dyn Store>,
    pub(super) setting: Setting,
    pub(super) surroundings: Surroundings,
}

impl ClientBuilder {
    /// Where the client keeps what it must not forget; [`MemoryStore`] if not given.
    #[must_use]
    pub fn store(self, store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            ..self
        }
    }

    /// What comes of what was missed.
    #[must_use]
    pub fn backlog(mut self, backlog: Backlog) -> Self {
        self.setting.backlog = backlog;
        self
    }

    /// How others see the user as long as the client is connected: online, away or invisible.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.setting.status = status;
        self
    }

    /// After this time a message that could not be sent is given up; a day if not given.
    #[must_use]
    pub fn expire_after(mut self, time: Duration) -> Self {
        self.setting.expire_after = time;
        self
    }

    /// The longest wait between two tries to connect; 30 seconds if not given.
    #[must_use]
    pub fn reconnect_max(mut self, time: Duration) -> Self {
        self.setting.reconnect_max = time;
        self
    }

    /// Other time, chance and news of the network than the machine's.
    #[must_use]
    pub fn surroundings(self, surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            ..self
        }
    }

    /// Loads the store and begins to connect. Does not wait for a connection: see
    /// [`Client::connection`].
    ///
    /// # Errors
    /// The store's, also if it belongs to another account; `unauthenticated` cannot be known yet.
    pub async fn start(self) -> Result<(Client, Events)> {
        let (commands, from_client) = mpsc::channel(COMMANDS_MAX);
        let (to_application, receiver) = mpsc::channel(EVENTS_MAX);
        let (state, connection) = watch::channel(Connection::Connecting);
        let api = self.api.clone();
        driver::start(self, from_client, to_application, state).await?;
        let client = Client {
            api,
            commands,
            connection,
        };
        Ok((client, Events { receiver }))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("api", &self.api)
            .field("setting", &self.setting)
            .finish_non_exhaustive()
    }
}

/// A running client. Cheap to clone; it ends when [`Client::close`] is called, or when all clones
/// and the [`Events`] are gone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) api: Api,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) connection: watch::Receiver<Connection>,
}

impl Client {
    /// A client for calls with a token: [`Api::with_token`], or what [`Api::sign_in`] gave.
    pub fn builder(api: Api) -> ClientBuilder {
        ClientBuilder {
            api,
            store: Arc::new(MemoryStore::default()),
            setting: Setting::default(),
            surroundings: Surroundings::default(),
        }
    }

    /// Single calls as the same user.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Accepts a message: when this answers, it is in the store's outbox. Messages to one target
    /// are stored in the order in which they were accepted.
    ///
    /// # Errors
    /// The store's; `Closed`.
    pub async fn send(&self, to: impl Into<Target>, segments: Vec<Segment>) -> Result<Sending> {
        let outgoing = Outgoing {
            to: to.into(),
            segments,
            reply_to: None,
            client_id: None,
            expire_after: None,
        };
        self.send_with(outgoing).await
    }

    /// As [`Client::send`], with everything that can be chosen.
    ///
    /// # Errors
    /// The store's; `Closed`.
    pub async fn send_with(&self, outgoing: Outgoing) -> Result<Sending> {
        self.ask(|answer| Command::Send { outgoing, answer })
            .await?
    }

    /// What was accepted and is not stored by the server, or failed.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn outbox(&self) -> Result<Vec<store::Outgoing>> {
        self.ask(|answer| Command::Outbox { answer }).await
    }

    /// Sends a failed message again, under the same client id: it cannot be stored twice.
    ///
    /// # Errors
    /// The store's; `Closed`. Nothing happens if no failed message has this name.
    pub async fn retry(&self, client_id: &str) -> Result<()> {
        let client_id = client_id.to_owned();
        self.ask(|answer| Command::Retry { client_id, answer })
            .await?
    }

    /// Takes a failed message out of the outbox.
    ///
    /// # Errors
    /// The store's; `Closed`. Nothing happens if no failed message has this name.
    pub async fn discard(&self, client_id: &str) -> Result<()> {
        let client_id = client_id.to_owned();
        self.ask(|answer| Command::Discard { client_id, answer })
            .await?
    }

    /// Says that the application has everything of a conversation up to here, as
    /// [`Entry::confirm`](super::Entry::confirm) does; for what comes without entries, the heads of
    /// large groups. What the client was not told of yet is not confirmed.
    ///
    /// # Errors
    /// The store's; `Closed`.
    pub async fn confirm(&self, conversation: ConversationId, seq: Seq) -> Result<()> {
        self.ask(|answer| Command::Confirm {
            conversation,
            seq,
            answer,
        })
        .await?
    }

    /// Tells that the user types. Lost without a connection.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn typing(&self, conversation: ConversationId) -> Result<()> {
        self.tell(Command::Typing { conversation }).await
    }

    /// The user has read up to here. Kept until there is a connection.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn read(&self, conversation: ConversationId, seq: Seq) -> Result<()> {
        self.tell(Command::Read { conversation, seq }).await
    }

    /// How others see the user from now on.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn set_status(&self, status: Status) -> Result<()> {
        self.tell(Command::SetStatus { status }).await
    }

    /// Which users' presence is told from now on, at most 500. Without it: contacts.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn watch_presence(&self, users: Vec<UserId>) -> Result<()> {
        self.tell(Command::WatchPresence { users }).await
    }

    /// What is on the screen, at most 64: entries of large groups come only for these.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn open(&self, conversation: ConversationId) -> Result<()> {
        self.tell(Command::Open { conversation }).await
    }

    /// No longer on the screen.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn close_conversation(&self, conversation: ConversationId) -> Result<()> {
        self.tell(Command::CloseConversation { conversation }).await
    }

    /// The application knows that the network is back: the next try is now.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn wake(&self) -> Result<()> {
        self.tell(Command::Wake).await
    }

    /// How the connection is, now and when it changes.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.clone()
    }

    /// Waits until there is a connection.
    ///
    /// # Errors
    /// `Closed` if the client ended.
    pub async fn online(&self) -> Result<()> {
        let mut connection = self.connection();
        let settled =
            |state: &Connection| matches!(state, Connection::Online { .. } | Connection::Ended(_));
        match connection.wait_for(settled).await.as_deref() {
            Ok(Connection::Online { .. }) => Ok(()),
            _ => Err(Error::Closed),
        }
    }

    /// Ends the client: what was confirmed goes to the server, what was not sent stays in the
    /// store. Takes 5 seconds at the most.
    pub async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        if self.commands.send(Command::Close { answer }).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn tell(&self, command: Command) -> Result<()> {
        self.commands.send(command).await.map_err(|_| Error::Closed)
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T> {
        let (answer, receiver) = oneshot::channel();
        self.tell(command(answer)).await?;
        receiver.await.map_err(|_| Error::Closed)
    }
}
