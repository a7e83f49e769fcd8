//! The protocol of the existing Windows and Android clients, server side.
//!
//! In reading order: a connection is greeted (`greeting`) until somebody logs in, then it is a
//! session (`session`): requests go through `dispatch` to the commands, entries and events come
//! out through `delivery` as `packets`, what other protocols say by way of `translate`. `receipts` knows which entries the peer's TCP has
//! acknowledged, which is the only acknowledgement these clients give.
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

/// Serves one connection until it ends.
pub async fn serve(app: Arc<App>, connection: Connection, shutdown: CancellationToken) {
    let greeting = Greeting::for_newcomer(&app.config, connection.accepted);
    let link = Link::new(connection, &app.config);
    Box::pin(converse(app, link, greeting, shutdown)).await;
}

async fn converse(
    app: Arc<App>,
    mut link: Link,
    mut greeting: Greeting,
    shutdown: CancellationToken,
) {
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
    link.close().await;
}
