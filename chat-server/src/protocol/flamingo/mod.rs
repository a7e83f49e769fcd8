//! The protocol of the existing Windows and Android clients, server side.
//!
//! In reading order: a connection is greeted (`greeting`) until somebody logs in, then it is a
//! session (`session`): requests go through `dispatch` to the commands, entries and events come
//! out through `delivery` as `packets`, what other protocols say by way of `translate`. `receipts`
//! knows which entries the peer's TCP has acknowledged, which is the only acknowledgement these
//! clients give.
//!
//! Nearly every connection is idle nearly always, and is as large as the largest thing that it ever
//! waits for; so whatever is large and rare stands in a box of its own.
//!
//! Two side doors of the original server are here too, both closed by default: `monitor` and
//! `register_page`.

mod delivery;
mod dispatch;
mod greeting;
mod json;
mod link;
pub mod monitor;
mod pace;
mod packets;
mod receipts;
pub mod register_page;
mod session;
mod translate;

use std::sync::Arc;

use common::net::Connection;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use greeting::Greeting;
use link::{Ended, Link};

/// Serves one connection until it ends. What it holds from its beginning to its end is made inside:
/// an argument of an asynchronous function takes its room twice.
pub async fn serve(app: Arc<App>, connection: Connection, shutdown: CancellationToken) {
    let mut greeting = Greeting::for_newcomer(&app.config, connection.accepted);
    let mut link = Link::new(connection, &app.config);
    let ended = loop {
        let login = match greeting.run(&app, &mut link, &shutdown).await {
            Ok(login) => login,
            Err(ended) => break ended,
        };
        match session::run(&app, &mut link, login, &shutdown).await {
            Ended::Replaced => {
                link.logged_out();
                greeting = Greeting::for_replaced();
            }
            ended => break ended,
        }
    };
    ended.log();
    Box::pin(link.close()).await;
}
