//! Somebody at his desk: does over his connection what is due, and hears what comes.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::mpsc;

use super::board::Board;
use super::connection::{Connection, Heard};
use super::office::Office;
use super::ratios::Deed;
use super::schedule::Act;

pub(super) struct Desk {
    office: Arc<Office>,
    board: Arc<Board>,
    number: usize,
    /// `None` before he came in the morning.
    connection: Option<Connection>,
    /// Marks of what he has: with another connection some of it comes again.
    has: HashSet<u64>,
    /// What the server has not answered.
    unanswered: usize,
    is_away: bool,
}

impl Desk {
    pub(super) fn new(office: Arc<Office>, board: Arc<Board>, number: usize) -> Self {
        Self {
            office,
            board,
            number,
            connection: None,
            has: HashSet::new(),
            unanswered: 0,
            is_away: false,
        }
    }

    /// Works until nobody has anything to do for him.
    pub(super) async fn work(mut self, mut acts: mpsc::Receiver<Act>) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                act = acts.recv() => match act {
                    Some(act) => self.act(act).await.with_context(|| format!("{act:?}"))?,
                    None => return Ok(()),
                },
                ready = readable(self.connection.as_ref()) => {
                    ready?;
                    self.hear().await?;
                }
            }
        }
    }

    async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        let id = act.due_us;
        match act.deed {
            Deed::Arrive
            | Deed::ArriveWithPassword
            | Deed::ComeBack
            | Deed::ComeBackWithPassword => return self.come(act).await,
            Deed::TextToOne | Deed::TextToTeam | Deed::TextToAll => {
                self.has.insert(id);
                // Before it is written: the first may have it before the last byte is out.
                match self.office.people[self.number].is_flamingo {
                    true => self.board.begin_without_answer(&act, act.hearers),
                    false => self.board.begin(&act, act.hearers),
                }
                let is_answered = self.connection()?.text(id, act.to).await?;
                self.unanswered += usize::from(is_answered);
            }
            Deed::Read => {
                if !self.connection()?.read(id).await? {
                    return Ok(());
                }
                self.board.begin(&act, 0);
                self.unanswered += 1;
            }
            Deed::Presence => {
                self.is_away = !self.is_away;
                let status = if self.is_away { "away" } else { "online" };
                self.board.begin(&act, 0);
                self.connection()?.set_presence(id, status).await?;
                self.unanswered += 1;
            }
            Deed::File
            | Deed::Picture
            | Deed::OpenHistory
            | Deed::ListConversations
            | Deed::Search => anyhow::bail!("is no business of a connection"),
        }
        self.board.written(&act);
        Ok(())
    }

    /// Comes on line; one who was there before leaves nothing behind that he does not know of.
    async fn come(&mut self, act: Act) -> anyhow::Result<()> {
        self.board.begin(&act, 0);
        while self.unanswered > 0 {
            self.connection()?.readable().await?;
            self.hear().await?;
        }
        if let Some(mut before) = self.connection.take() {
            before.acknowledge().await?;
        }
        self.is_away = false;
        let colleague = &self.office.people[self.number];
        let opened = Connection::open(&self.office, self.number, colleague).await?;
        self.board.answered(act.due_us);
        self.connection = Some(opened);
        // What came together with the answer makes no socket readable.
        self.hear().await
    }

    async fn hear(&mut self) -> anyhow::Result<()> {
        let connection = self.connection.as_mut().context("is not on line")?;
        let (board, has, unanswered) = (&self.board, &mut self.has, &mut self.unanswered);
        connection
            .hear(|heard| match heard {
                Heard::Answer { id } => {
                    *unanswered = unanswered.saturating_sub(1);
                    board.answered(id);
                }
                Heard::Message { mark } if has.insert(mark) => board.received(mark),
                Heard::Message { .. } => {}
            })
            .await
    }

    fn connection(&mut self) -> anyhow::Result<&mut Connection> {
        self.connection.as_mut().context("is not on line")
    }
}

async fn readable(connection: Option<&Connection>) -> std::io::Result<()> {
    match connection {
        Some(connection) => connection.readable().await,
        None => std::future::pending().await,
    }
}
