//! What every command can reach, passed around as one value.

use std::sync::Arc;
use std::time::Duration;

use common::api::Origin;
use common::auth::{FailureLimits, Failures, Passwords, Rate, Sessions};
use common::clock::Clock;
use common::config::{ChatConfig, DirectMessages};
use common::id::ClientId;
use common::store::{Guard, Store};
use common::telemetry::Insight;
use tokio::time::Instant;
use uuid::Uuid;

use crate::activity::Activity;
use crate::actor::{Actor, Mark};
use crate::hub::Hub;
use crate::log::{Log, Tail};
use crate::rates::Rates;
use crate::under_way::UnderWay;
use crate::webhooks::Webhooks;

/// See the module's description.
pub struct App {
    pub config: ChatConfig,
    pub store: Arc<dyn Store>,
    pub log: Log,
    pub tail: Arc<Tail>,
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    pub passwords: Passwords,
    pub failures: Failures,
    pub registrations: Rate,
    pub rates: Rates,
    pub sessions: Sessions,
    pub under_way: UnderWay,
    /// When this server began.
    pub began: Instant,
    pub webhooks: Webhooks,
    /// What the program knows of itself.
    pub insight: Insight,
    pub activity: Activity,
    /// Numbers that nobody can foresee, to spread out what many would do at once.
    pub random: fn() -> u64,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl App {
    /// # Errors
    /// If the operating system gives no random numbers, or the certificates that webhooks may trust
    /// cannot be read.
    pub fn new(
        config: ChatConfig,
        store: Arc<dyn Store>,
        log: Log,
        tail: Arc<Tail>,
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let passwords = Passwords::new(usize::try_from(config.password_hash_parallel_max)?)?;
        let failures = Failures::new(FailureLimits {
            per_name_max: config.login_failures_max,
            per_address_max: config.login_failures_per_address_max,
            window: Duration::from_secs(config.login_failures_window_s),
        });
        let registrations = Rate::per_minute(config.registrations_per_minute_max);
        let rates = Rates::new(&config.api);
        let webhooks = Webhooks::new(&config.webhooks)?;
        Ok(Self {
            config,
            store,
            log,
            tail,
            hub,
            clock,
            passwords,
            failures,
            registrations,
            rates,
            sessions: Sessions::default(),
            under_way: UnderWay::default(),
            began: Instant::now(),
            webhooks,
            insight: Insight::default(),
            activity: Activity::default(),
            random,
        })
    }

    /// The same in a program that knows something of itself.
    #[must_use]
    pub fn seen_by(self, insight: Insight) -> Self {
        Self { insight, ..self }
    }

    /// Whether people who are no friends may write to each other.
    pub fn strangers_may_write(&self) -> bool {
        self.config.direct_messages == DirectMessages::Everyone
    }

    /// What must hold for a message to be taken.
    pub fn guard(&self) -> Guard {
        if self.strangers_may_write() {
            Guard::Exists
        } else {
            Guard::Contact
        }
    }

    /// The origin of something that somebody does now. The existing clients have no ids of their
    /// own for what they send, so the server makes one.
    pub fn origin(&self, actor: &Actor, mark: Mark) -> Origin {
        let client_id = mark.client_id.unwrap_or_else(fresh_client_id);
        Origin {
            user: actor.user,
            device: actor.device,
            client_id,
            tag: mark.tag,
            at: self.clock.now(),
        }
    }
}

/// A number that nobody can foresee.
pub fn random() -> u64 {
    Uuid::now_v7().as_u64_pair().1
}

/// A client id that nobody has used.
pub fn fresh_client_id() -> ClientId {
    ClientId::new(Uuid::now_v7().simple().to_string()).expect("a UUID has 32 hexadecimal digits")
}
