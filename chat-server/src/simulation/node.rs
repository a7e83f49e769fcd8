//! One run of the server, without sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use common::auth::Claims;
use common::config::ChatConfig;
use common::id::{DeviceId, Millis, SessionId, UserId};
use common::net::{Connection, Wire};
use common::store::session::{SessionChange, SignIn};
use common::store::{Change, Outcome, Store};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::DuplexStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::disk::Disk;
use super::person::Person;
use super::world::World;
use crate::actor::Actor;
use crate::app::App;
use crate::command::{answer_friend, create_group_with_members, request_friend};
use crate::hub::Hub;
use crate::log::{Committer, Tail};
use crate::protocol::{flamingo, web};
use crate::testing::{FaultyStore, named};
use crate::{activity, presence, read_marks, revocations};

/// Everybody's, and what is kept of it.
pub(super) const PASSWORD: &str = "secret";
pub(super) const PASSWORD_HASH: &str = "none";
/// Where everybody is.
const HOME: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
/// Time to say goodbye to everybody.
const DRAIN: Duration = Duration::from_secs(2);

/// See the module's description.
pub(super) struct Node {
    pub(super) app: Arc<App>,
    /// It is dead.
    pub(super) end: CancellationToken,
    shutdown: CancellationToken,
    is_dead: Arc<AtomicBool>,
    router: Router,
    tasks: Mutex<JoinSet<()>>,
}

fn config() -> ChatConfig {
    let mut config = ChatConfig::default();
    config.web_client.web_client = false;
    // They go by a clock that does not jump.
    let api = &mut config.api;
    api.rate_sign_ins_per_s = 0;
    api.rate_sends_per_s = 0;
    api.rate_reads_per_s = 0;
    api.rate_writes_per_s = 0;
    api.rate_searches_per_s = 0;
    config
}

impl Node {
    pub(super) async fn start(world: &Arc<World>) -> Self {
        let is_dead = Arc::<AtomicBool>::default();
        let disk = Disk::new(world, &is_dead);
        let store = FaultyStore::scripted(Arc::clone(&world.database), Box::new(disk));
        let store: Arc<dyn Store> = Arc::new(store);
        let (tail, hub) = (Arc::<Tail>::default(), Arc::<Hub>::default());
        let (log, committer) =
            Committer::new(Arc::clone(&store), Arc::clone(&tail), Arc::clone(&hub));
        let shutdown = CancellationToken::new();
        let unindexed = committer.unindexed();
        let clock = Arc::new(world.clock());
        let mut app = App::new(config(), store, log, tail, hub, clock).expect("random numbers");
        app.random = || fastrand::u64(..);
        app.passwords.remember(PASSWORD_HASH, PASSWORD);
        let app = Arc::new(app);
        let mut tasks = JoinSet::new();
        tasks.spawn(committer.run(shutdown.clone()));
        tasks.spawn(activity::run(Arc::clone(&app), unindexed, shutdown.clone()));
        tasks.spawn(read_marks::run(Arc::clone(&app), shutdown.clone()));
        tasks.spawn(revocations::run(Arc::clone(&app), shutdown.clone()));
        let hub = Arc::clone(&app.hub);
        tasks.spawn(async move { hub.ring_aside().await });
        let telling = Arc::clone(&app);
        tasks.spawn(async move { presence::tell_departures(&telling).await });
        Self {
            router: web::router(Arc::clone(&app), shutdown.clone()),
            app,
            end: CancellationToken::new(),
            shutdown,
            is_dead,
            tasks: Mutex::new(tasks),
        }
    }

    /// Takes a connection.
    pub(super) fn serve(&self, io: DuplexStream) {
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(HOME));
            router.clone().oneshot(request)
        });
        let serving = async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection_with_upgrades(TokioIo::new(io), service)
                .await;
        };
        self.lock().spawn(serving);
    }

    /// Takes a connection of the Flamingo protocol.
    pub(super) fn serve_flamingo(&self, wire: Box<dyn Wire>) {
        let connection = Connection::simulated(wire, HOME);
        let (app, shutdown) = (Arc::clone(&self.app), self.shutdown.clone());
        self.lock()
            .spawn(flamingo::serve(app, connection, shutdown));
    }

    /// As a signal does that asks it to.
    pub(super) async fn stop_in_order(&self) {
        self.shutdown.cancel();
        sleep(DRAIN).await;
    }

    /// At once, whatever it was doing.
    pub(super) fn kill(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
        self.end.cancel();
        self.shutdown.cancel();
        self.lock().abort_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token of somebody whose password nobody asked for: that would take real time.
    pub(super) async fn sign_in(
        &self,
        user: UserId,
        device: DeviceId,
        session: SessionId,
        lasts: Duration,
    ) -> String {
        let now = self.app.clock.now();
        let lasts = i64::try_from(lasts.as_millis()).expect("a short time");
        let expires = Millis(now.0 + lasts);
        let sign_in = SignIn {
            session,
            user,
            device,
            kind: "bot".to_owned(),
            name: String::new(),
            created: now,
            seen: now,
            expires,
        };
        let open = SessionChange::Open {
            sign_in,
            password_hash: PASSWORD_HASH.to_owned(),
        };
        let outcome = self.app.log.commit(Change::Session(open)).await.unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        let keys = self
            .app
            .sessions
            .keys(&*self.app.store, &self.app.log)
            .await;
        let claims = Claims {
            session,
            user,
            device,
            expires,
        };
        keys.unwrap().sign(&claims).expect("there is a key")
    }

    /// Everybody knows everybody, and there is one group of all.
    pub(super) async fn befriend(&self, people: &[Arc<Person>]) {
        let app = &self.app;
        let actor = |person: &Person| Actor {
            user: person.user,
            username: person.name.as_str().into(),
            device: person.device,
            address: HOME.ip(),
        };
        for (n, one) in people.iter().enumerate() {
            for other in &people[n + 1..] {
                let words = format!("{}-{}", one.name, other.name);
                let (one, other) = (actor(one), actor(other));
                let mark = named(&format!("ask-{words}"));
                let asked = request_friend(app, &one, other.user, String::new(), mark).await;
                asked.unwrap();
                let mark = named(&format!("answer-{words}"));
                let answered = answer_friend(app, &other, one.user, true, mark).await;
                answered.unwrap();
            }
        }
        let others = people[1..].iter().map(|person| person.user).collect();
        let name = "everybody".to_owned();
        let founded =
            create_group_with_members(app, &actor(&people[0]), name, others, named("found")).await;
        let founded = founded.unwrap();
        assert!(founded.not_added.is_empty(), "{founded:?}");
        for person in people {
            person.joined(founded.group);
        }
    }
}
