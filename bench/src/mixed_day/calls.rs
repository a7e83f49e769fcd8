//! What clients do over HTTP: history, lists, searches, files and pictures.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use common::id::ConvId;
use hyper::http::request::Builder;
use hyper::{Method, Request};
use serde_json::{Value, json};

use super::board::Board;
use super::connection::text_of;
use super::office::{Office, YESTERDAY_EACH};
use super::picture::Picture;
use super::ratios::Deed;
use super::schedule::Act;
use crate::web::{self, WebPerson};

/// A few pages of a document.
const FILE_BYTES: usize = 200 * 1024;

/// Everybody's connections for calls. They stay open, as those of clients do, and whoever needs
/// one takes one that nobody uses.
pub(super) struct Calls {
    office: Arc<Office>,
    board: Arc<Board>,
    chat: Idle,
    file: Idle,
    image: Idle,
    picture: Picture,
}

/// How long a connection that nobody uses is still good: the server closes one after ten seconds.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Connections that nobody uses, and since when.
struct Idle {
    server: SocketAddr,
    connections: Mutex<Vec<(Instant, web::Calls)>>,
}

impl Calls {
    pub(super) fn new(office: Arc<Office>, board: Arc<Board>) -> anyhow::Result<Self> {
        let idle = |server| Idle {
            server,
            connections: Mutex::default(),
        };
        Ok(Self {
            chat: idle(office.chat),
            file: idle(office.file),
            image: idle(office.image),
            picture: Picture::make()?,
            office,
            board,
        })
    }

    pub(super) async fn carry_out(&self, act: Act) -> anyhow::Result<()> {
        let person = &self.office.people[act.person];
        let conversation = ConvId::between(person.user, act.to);
        let path = match act.deed {
            Deed::File | Deed::Picture => return self.share(act, conversation).await,
            Deed::OpenHistory => {
                let page = format!("/api/v1/conversations/{conversation}/messages?limit=50");
                // Every second one was opened before, and is scrolled back.
                match act.chance.is_multiple_of(2) {
                    true => page,
                    false => format!("{page}&before={YESTERDAY_EACH}"),
                }
            }
            Deed::ListConversations => "/api/v1/conversations?limit=50".to_owned(),
            Deed::Search => match act.chance.is_multiple_of(2) {
                true => format!("/api/v1/search?q=r{}", act.chance % 997),
                false => format!("/api/v1/search?q=plan&conversation={conversation}"),
            },
            other => bail!("{other:?} is no call"),
        };
        self.board.begin(&act, 0);
        let get = Request::builder().method(Method::GET).uri(path);
        self.chat.call(&person.web, get, Bytes::new()).await?;
        self.board.answered(act.due_us);
        Ok(())
    }

    /// Uploads something that nobody has uploaded before, and writes a message with it.
    async fn share(&self, act: Act, conversation: ConvId) -> anyhow::Result<()> {
        let person = &self.office.people[act.person].web;
        let id = act.due_us;
        self.board.begin(&act, act.hearers);
        let segment = match act.deed {
            Deed::Picture => {
                let put = Request::builder()
                    .method(Method::PUT)
                    .uri("/images/screen.jpg");
                let kept = self
                    .image
                    .call(person, put, self.picture.another(id))
                    .await?;
                json!({"type": "image", "file": kept["file"], "width": kept["width"],
                    "height": kept["height"], "size": kept["size"], "name": "screen.jpg"})
            }
            _ => {
                let put = Request::builder()
                    .method(Method::PUT)
                    .uri("/files/plan.bin");
                let mut content = id.to_le_bytes().to_vec();
                content.resize(FILE_BYTES, 0x5a);
                let kept = self.file.call(person, put, content.into()).await?;
                json!({"type": "file", "file": kept["file"], "name": "plan.bin",
                    "size": kept["size"], "mime": kept["mime"]})
            }
        };
        let segments = json!([{"type": "text", "text": text_of(id)}, segment]);
        let message = json!({"client_id": id.to_string(), "segments": segments}).to_string();
        let post = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1/conversations/{conversation}/messages"))
            .header("content-type", "application/json");
        self.chat.call(person, post, message.into()).await?;
        self.board.answered(id);
        Ok(())
    }
}

impl Idle {
    async fn call(
        &self,
        person: &WebPerson,
        request: Builder,
        body: Bytes,
    ) -> anyhow::Result<Value> {
        let idle = self.lock().pop();
        let mut connection = match idle {
            Some((since, connection)) if since.elapsed() < IDLE_MAX => connection,
            _ => web::Calls::connect(self.server).await?,
        };
        let answer = connection.send(&person.token, request, body).await?;
        self.lock().push((Instant::now(), connection));
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, web::Calls)>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
