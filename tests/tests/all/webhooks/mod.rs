//! Outgoing webhooks, with real servers and a target on loopback.

mod delivery;
mod owner;
mod trouble;

use std::sync::Arc;
use std::time::Instant;

use myim_tests::api_person::{ApiPerson, text};
use myim_tests::hook_target::HookTarget;
use myim_tests::mariadb::Database;
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

const HOOKS: &str = "/webhooks/outgoing";

/// The server on either database that posts to loopback, and tries again quickly.
fn setup(db: Db) -> Setup {
    let setup = match db {
        Db::Sqlite => Setup::new(Kind::Whole, Db::Sqlite),
        Db::MariaDb => Setup::with_database(Kind::Whole, Some(Arc::new(Database::shared()))),
    };
    setup
        .open()
        // Whoever waits for something asks again and again.
        .chat_flag("--rate-reads-per-s", "0")
        .chat_flag("--webhook-allowed-networks", "127.0.0.0/8")
        .chat_flag("--webhook-retry-first-ms", "20")
}

/// A webhook that was made.
struct Hook {
    owner: ApiPerson,
    id: String,
    secret: String,
}

impl Hook {
    /// Everything that the owner may read.
    fn of_all(owner: &ApiPerson, target: &HookTarget) -> Self {
        Self::new(owner, &json!({"url": target.url(), "name": "test"}))
    }

    fn of_one(owner: &ApiPerson, target: &HookTarget, conversation: &str) -> Self {
        let body = json!({"url": target.url(), "conversation": conversation});
        Self::new(owner, &body)
    }

    fn new(owner: &ApiPerson, body: &Value) -> Self {
        let made = owner.post(HOOKS, body).ok(201);
        assert_eq!(made["url"], body["url"]);
        Self {
            owner: owner.clone(),
            id: text(&made["id"]),
            secret: text(&made["secret"]),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{HOOKS}/{}{rest}", self.id)
    }

    /// Something of it that is posted: `pause`, `resume` and so on.
    fn does(&self, what: &str, status: u16) -> Value {
        let path = self.path(&format!("/{what}"));
        self.owner.call("POST", &path, None).ok(status)
    }

    fn listed(&self) -> Value {
        let all = self.owner.get(HOOKS).ok(200);
        let mut items = all["items"].as_array().expect("a list").iter();
        let own = items.find(|one| one["id"] == *self.id);
        own.expect("it is listed").clone()
    }

    /// Asks until it is so.
    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let listed = self.listed();
            if is_so(&listed) {
                return listed;
            }
            assert!(Instant::now() < deadline, "{what}: {listed}");
        }
    }

    fn letters(&self) -> Vec<Value> {
        let letters = self.owner.get(&self.path("/dead_letters")).ok(200);
        letters["items"].as_array().expect("a list").clone()
    }

    fn until_letters(&self, count: usize) -> Vec<Value> {
        self.until("dead letters", |listed| listed["dead_letters"] == count);
        self.letters()
    }

    fn delivery_id(&self, conversation: &str, seq: u64) -> String {
        format!("{}-{conversation}-{seq}", self.id)
    }
}

/// Ann has a hook for everything; Bob, her friend, has their conversation.
struct Scene {
    server: Server,
    ann: ApiPerson,
    bob: ApiPerson,
    direct: String,
}

impl Scene {
    fn new(setup: Setup) -> Self {
        let server = setup.start();
        server.logged("database open");
        let (ann, bob) = server.acquainted();
        let direct = bob.direct(&ann.user_id);
        Self {
            server,
            ann,
            bob,
            direct,
        }
    }

    /// Bob says something; its place.
    fn say(&self, words: &str) -> u64 {
        self.bob.say(&self.direct, &words.replace(' ', "-"), words)
    }
}
