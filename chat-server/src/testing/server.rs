//! A server without sockets, on a database of its own, for tests of commands.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use common::api::NewAccount;
use common::clock::SystemClock;
use common::config::ChatConfig;
use common::id::{ClientId, DeviceId, HookId, NAMELESS_DEVICE_FIRST, UserId};
use common::store::outgoing_hook::{self, Found, HookSecret, OutgoingHook, OutgoingHookChange};
use common::store::{Change, DatabaseUrl, OpenOptions, Outcome, Store, open};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::command::{answer_friend, request_friend};
use crate::hub::Hub;
use crate::log::{Committer, Tail};
use crate::testing::FaultyStore;

/// See the module's description.
pub(crate) struct TestServer {
    pub(crate) app: Arc<App>,
    _folder: TempDir,
}

impl TestServer {
    pub(crate) async fn new(config: ChatConfig) -> Self {
        let (folder, store) = Self::database().await;
        Self::on(config, folder, store)
    }

    /// As [`TestServer::new`], on a database that can be told to fail.
    pub(crate) async fn faulty(config: ChatConfig) -> (Self, Arc<FaultyStore>) {
        let (folder, store) = Self::database().await;
        let faulty = Arc::new(FaultyStore::new(store));
        let store: Arc<dyn Store> = faulty.clone();
        (Self::on(config, folder, store), faulty)
    }

    async fn database() -> (TempDir, Arc<dyn Store>) {
        let folder = TempDir::new().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("im.db"));
        let store = open(&url, &OpenOptions::default()).await.unwrap();
        (folder, store)
    }

    fn on(config: ChatConfig, folder: TempDir, store: Arc<dyn Store>) -> Self {
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

    /// A webhook that posts what this user may read from now on.
    pub(crate) async fn hook(&self, user: UserId, url: &str) -> Found {
        let number = HookId(7_000 + u64::from(user.0));
        let hook = OutgoingHook {
            hook: number,
            user,
            creator: user,
            device: DeviceId(NAMELESS_DEVICE_FIRST + number.0),
            conv: None,
            name: String::new(),
            url: url.to_owned(),
            secret: HookSecret("whsec_c2VjcmV0".to_owned()),
            created: self.app.clock.now(),
            paused: None,
        };
        let create = OutgoingHookChange::Create {
            hook,
            of_creator_max: 1,
            total_max: u32::MAX,
        };
        self.save(Change::OutgoingHook(create)).await;
        let found = outgoing_hook::get(&*self.app.store, number).await.unwrap();
        found.unwrap()
    }

    pub(crate) async fn save(&self, change: Change) {
        let outcome = self.app.log.commit(change).await.unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
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
