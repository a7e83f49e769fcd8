//! What is saved while the answer is lost reaches everybody all the same.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use common::api::{Account, ContactList, Entry, Profile};
use common::config::ChatConfig;
use common::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};
use common::store::{Behind, BlobClass, Change, NamedBlob, Outcome, Row, Store, StoreError, Value};

use crate::actor::Actor;
use crate::command::{add_member, create_group, remove_member};
use crate::hub::{ClientKind, Entrant, Manner, ONLINE, Session};
use crate::stage::{Stage, named};

/// Saves, and once does not say so.
struct Mute {
    store: Arc<dyn Store>,
    is_next_lost: AtomicBool,
}

#[async_trait]
impl Store for Mute {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let outcomes = self.store.commit(batch).await?;
        if self.is_next_lost.swap(false, Ordering::Relaxed) {
            return Err(StoreError::OutcomeUnknown("lost".to_owned()));
        }
        Ok(outcomes)
    }

    async fn pull(&self, conv: ConvId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.store.pull(conv, after, limit).await
    }

    async fn behind(&self, user: UserId, device: DeviceId) -> Result<Vec<Behind>, StoreError> {
        self.store.behind(user, device).await
    }

    async fn cursor(
        &self,
        user: UserId,
        device: DeviceId,
        conv: ConvId,
    ) -> Result<Option<Seq>, StoreError> {
        self.store.cursor(user, device, conv).await
    }

    async fn account_named(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.store.account_named(username).await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.store.account(user).await
    }

    async fn profile_named(&self, username: &str) -> Result<Option<Profile>, StoreError> {
        self.store.profile_named(username).await
    }

    async fn profiles(&self, peers: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        self.store.profiles(peers).await
    }

    async fn contacts(&self, user: UserId) -> Result<ContactList, StoreError> {
        self.store.contacts(user).await
    }

    async fn peers(&self, user: UserId) -> Result<Vec<Peer>, StoreError> {
        self.store.peers(user).await
    }

    async fn members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        self.store.members(group).await
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        self.store.blob_named(class, name).await
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        self.store.last_login_from(address).await
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        self.store.uploaded(address, day).await
    }

    async fn select(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.store.select(sql, values).await
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        self.store.size_bytes().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

fn enter(stage: &Stage, actor: &Actor) -> Arc<Session> {
    let entrant = Entrant {
        actor: Actor {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ..actor.clone()
        },
        kind: ClientKind::Pc,
        manner: Manner::Flamingo,
        sign_in: None,
        status: ONLINE,
        tag: 0,
    };
    stage.app.hub.enter(entrant).0
}

#[tokio::test]
async fn members_follow_a_change_whose_answer_was_lost() {
    let mut mute = None;
    let stage = Stage::with_store(ChatConfig::default(), |store| {
        let made = Arc::new(Mute {
            store,
            is_next_lost: AtomicBool::new(false),
        });
        mute = Some(Arc::clone(&made));
        made
    })
    .await;
    let mute = mute.unwrap();
    let lose = || mute.is_next_lost.store(true, Ordering::Relaxed);
    let (ann, bob) = (stage.user("ann").await, stage.user("bob").await);
    stage.befriend(&ann, &bob).await;
    let (app, hub) = (&stage.app, &stage.app.hub);
    let at_bob = enter(&stage, &bob);
    enter(&stage, &ann);

    lose();
    let created = create_group(app, &ann, "cars".to_owned(), named("g")).await;
    let cars = created.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
    at_bob.collect();
    lose();
    let added = add_member(app, &ann, cars, bob.user, named("a")).await;
    added.unwrap();
    assert!(hub.members_online(cars).contains(&bob.user));
    let waiting = at_bob.collect();
    assert!(waiting.changed.contains(&ConvId::group(cars)));
    assert!(waiting.changed.contains(&ConvId::inbox(bob.user)));

    lose();
    let removed = remove_member(app, &ann, cars, bob.user, named("r")).await;
    removed.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
    let waiting = at_bob.collect();
    assert!(waiting.lost.contains(&ConvId::group(cars)));
    // The same request again, long after: he is no member because he was added once.
    let added = add_member(app, &ann, cars, bob.user, named("a")).await;
    added.unwrap();
    assert_eq!(hub.members_online(cars), [ann.user]);
}
