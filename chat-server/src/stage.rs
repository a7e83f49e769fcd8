//! A server without sockets, on a database of its own, for tests of commands.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use common::api::NewAccount;
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::id::{ClientId, DeviceId, UserId};
use common::store::{Change, DatabaseUrl, OpenOptions, Outcome, Store, open};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::command::{answer_friend, request_friend};
use crate::hub::Hub;
use crate::log::{Committer, Tail};

/// See the module's description.
pub(crate) struct Stage {
    pub(crate) app: Arc<App>,
    _folder: TempDir,
}

impl Stage {
    pub(crate) async fn new(config: ChatConfig) -> Self {
        Self::with_store(config, |store| store).await
    }

    /// As [`Stage::new`], on whatever `wrap` makes of the database.
    pub(crate) async fn with_store(
        config: ChatConfig,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("im.db"));
        let store = wrap(open(&url, &OpenOptions::default()).await.unwrap());
        let (tail, hub) = (Arc::<Tail>::default(), Arc::<Hub>::default());
        let (log, committer) =
            Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
        tokio::spawn(committer.run(CancellationToken::new()));
        let app = App::new(config, store, log, tail, hub, Arc::new(SystemClock)).unwrap();
        Self {
            app: Arc::new(app),
            _folder: folder,
        }
    }

    /// A new user, on a device of the API.
    pub(crate) async fn user(&self, name: &str) -> Actor {
        let account = NewAccount {
            username: name.to_owned(),
            nickname: name.to_uppercase(),
            password_hash: "none".to_owned(),
        };
        let at = self.app.clock.now();
        let change = Change::CreateAccount { account, at };
        let Outcome::Done { id: Some(id), .. } = self.app.log.commit(change).await.unwrap() else {
            panic!("{name} was not made");
        };
        Actor {
            user: UserId(id),
            username: name.into(),
            device: DeviceId(1000 + u64::from(id)),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    pub(crate) async fn befriend(&self, one: &Actor, other: &Actor) {
        let asked =
            request_friend(&self.app, one, other.user, String::new(), Mark::default()).await;
        asked.unwrap();
        let answered = answer_friend(&self.app, other, one.user, true, Mark::default()).await;
        answered.unwrap();
    }
}

/// A client's name for what it writes.
pub(crate) fn named(client_id: &str) -> Mark {
    ClientId::new(client_id).unwrap().into()
}
