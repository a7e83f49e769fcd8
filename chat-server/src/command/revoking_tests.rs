//! What ends sign-ins ends connections too, also if nobody waits for the answer, or another server
//! did it.

use std::sync::Arc;
use std::time::Duration;

use common::api::DeviceKind;
use common::config::ChatConfig;
use common::id::{DeviceId, Millis, SessionId, UserId};
use common::store::admin::AdminChange;
use common::store::session::{self, SessionChange, SignIn};
use common::store::{Change, Outcome};

use super::admin::{self, Administrator};
use super::{
    Failure, NewBot, PasswordChange, SignedIn, end_bot, end_bot_token, make_bot, rotate_bot_token,
    set_password, sign_out,
};
use crate::actor::Actor;
use crate::hub::{ClientKind, End, Entrant, Manner, ONLINE, Session};
use crate::revocations;
use crate::testing::{FaultyStore, TestServer, named};

const SESSION: SessionId = SessionId(500);
const PASSWORD: &str = "battery staple";

struct Scene {
    server: TestServer,
    store: Arc<FaultyStore>,
    operator: Administrator,
    ann: Actor,
}

impl Scene {
    async fn new() -> Self {
        let (server, store) = TestServer::faulty(ChatConfig::default()).await;
        let ann = server.user("ann").await;
        let operator = Administrator::operator(0);
        Self {
            server,
            store,
            operator,
            ann,
        }
    }

    fn enter(&self, actor: &Actor, manner: Manner, sign_in: Option<SessionId>) -> Arc<Session> {
        let entrant = Entrant {
            actor: actor.clone(),
            kind: ClientKind::Pc,
            manner,
            sign_in,
            status: ONLINE,
            tag: 0,
        };
        self.server.app.hub.enter(entrant).0
    }

    /// Ann on a WebSocket.
    async fn signed_in(&self) -> Arc<Session> {
        let now = self.server.app.clock.now();
        let account = self.server.app.store.account(self.ann.user).await.unwrap();
        let sign_in = SignIn {
            session: SESSION,
            user: self.ann.user,
            device: self.ann.device,
            kind: "cli".to_owned(),
            name: String::new(),
            created: now,
            seen: now,
            expires: Millis(now.0 + 1_000_000),
        };
        let password_hash = account.unwrap().password_hash;
        let change = SessionChange::Open {
            sign_in,
            password_hash,
        };
        self.save(Change::Session(change)).await;
        self.enter(&self.ann, Manner::WebSocket, Some(SESSION))
    }

    /// A bot of Ann's on a WebSocket.
    async fn bot(&self) -> (Arc<Session>, UserId, DeviceId) {
        let app = &self.server.app;
        let signed = SignedIn {
            actor: self.ann.clone(),
            session: SESSION,
            kind: DeviceKind::Cli,
            is_bot: false,
            expires: Millis::NEVER,
        };
        let new = NewBot {
            username: "clock".to_owned(),
            nickname: "Clock".to_owned(),
        };
        let made = make_bot(app, &signed, new, named("b")).await.unwrap();
        let common::id::Peer::User(user) = made.profile.id else {
            panic!("{:?}", made.profile);
        };
        let sessions = session::of_user(&*app.store, user).await.unwrap();
        let actor = Actor {
            user,
            username: "clock".into(),
            device: made.token.device,
            ..self.ann.clone()
        };
        let online = self.enter(&actor, Manner::WebSocket, Some(sessions[0].session));
        (online, user, made.token.device)
    }

    /// Saves as another server does: nobody here is told.
    async fn save(&self, change: Change) {
        let outcomes = self.server.app.store.commit(&[change]).await.unwrap();
        assert!(matches!(outcomes[0], Outcome::Done { .. }), "{outcomes:?}");
    }

    /// Begins a command, and drops it when its change is with the database.
    async fn drop_at_commit<T>(&self, command: impl Future<Output = Result<T, Failure>>) {
        let held = self.store.hold_commits().await;
        tokio::select! {
            _ = command => panic!("it ended before anything was saved"),
            () = self.store.is_asked_to_commit() => {}
        }
        drop(held);
    }
}

fn has_ended(session: &Session) -> bool {
    session.collect().end == Some(End::Revoked)
}

async fn ends(session: &Session) {
    let told = async {
        while !has_ended(session) {
            session.bell().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    told.expect("the connection lives on");
}

#[tokio::test]
async fn a_lock_that_nobody_waits_for_ends_connections() {
    let scene = Scene::new().await;
    let (online, old) = (
        scene.signed_in().await,
        scene.enter(&scene.ann, Manner::Flamingo, None),
    );
    let (bot, ..) = scene.bot().await;
    let app = &scene.server.app;
    scene
        .drop_at_commit(admin::disable(app, &scene.operator, scene.ann.user))
        .await;
    ends(&online).await;
    ends(&old).await;
    ends(&bot).await;
}

#[tokio::test]
async fn a_new_password_that_nobody_waits_for_ends_connections() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let online = scene.signed_in().await;
    let password = Some(PASSWORD.to_owned());
    let reset = admin::reset_password(app, &scene.operator, scene.ann.user, password);
    scene.drop_at_commit(reset).await;
    ends(&online).await;

    let online = scene.signed_in().await;
    let change = PasswordChange {
        old: PASSWORD.to_owned(),
        new: "horse battery".to_owned(),
    };
    scene
        .drop_at_commit(set_password(app, &scene.ann, &change, None))
        .await;
    ends(&online).await;
}

#[tokio::test]
async fn a_signing_out_that_nobody_waits_for_ends_connections() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let online = scene.signed_in().await;
    scene
        .drop_at_commit(sign_out(app, &scene.ann, SESSION))
        .await;
    ends(&online).await;

    let online = scene.signed_in().await;
    scene
        .drop_at_commit(admin::end_session(app, &scene.operator, SESSION))
        .await;
    ends(&online).await;
}

#[tokio::test]
async fn the_end_of_a_token_that_nobody_waits_for_ends_connections() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let (online, bot, device) = scene.bot().await;
    scene
        .drop_at_commit(rotate_bot_token(app, &scene.ann, bot, device))
        .await;
    ends(&online).await;

    let (online, ..) = scene.bot().await;
    scene
        .drop_at_commit(end_bot_token(app, &scene.ann, bot, device))
        .await;
    ends(&online).await;
}

#[tokio::test]
async fn the_end_of_a_bot_ends_its_connections_and_webhooks() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let (online, bot, _) = scene.bot().await;
    let hook = scene
        .server
        .hook(bot, "http://127.0.0.1:9/")
        .await
        .hook
        .hook;
    let under_way = app.webhooks.line(hook);
    scene.drop_at_commit(end_bot(app, &scene.ann, bot)).await;
    ends(&online).await;
    let stopped = tokio::time::timeout(Duration::from_secs(30), under_way.closed()).await;
    stopped.expect("the webhook goes on");
    drop(under_way);
    assert!(app.webhooks.known_line(hook).is_none());
}

#[tokio::test]
async fn who_is_no_owner_stops_no_webhook() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let (_, bot, _) = scene.bot().await;
    let hook = scene
        .server
        .hook(bot, "http://127.0.0.1:9/")
        .await
        .hook
        .hook;
    let under_way = app.webhooks.line(hook);
    let eve = scene.server.user("eve").await;
    assert!(end_bot(app, &eve, bot).await.is_err());
    assert!(!under_way.is_closed());
}

#[tokio::test]
async fn a_bot_is_no_administrator() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let (_, bot, _) = scene.bot().await;
    let granted = admin::set_role(app, &scene.operator, bot, true).await;
    assert!(matches!(granted, Err(Failure::NotForBots)), "{granted:?}");
    // One that was made one before is none any more.
    let taken = admin::set_role(app, &scene.operator, bot, false).await;
    taken.unwrap();
}

#[tokio::test]
async fn what_another_server_ended_ends_here() {
    let scene = Scene::new().await;
    let app = &scene.server.app;
    let online = scene.signed_in().await;
    let bob = scene.server.user("bob").await;
    let (ann_before, bobs) = (
        scene.enter(&scene.ann, Manner::Flamingo, None),
        scene.enter(&bob, Manner::Flamingo, None),
    );
    let (bot, ..) = scene.bot().await;
    let all = [&online, &ann_before, &bobs, &bot];
    revocations::check(app).await.unwrap();
    assert!(!all.iter().any(|session| has_ended(session)));

    let user = scene.ann.user;
    let session = SESSION;
    scene
        .save(Change::Session(SessionChange::End { user, session }))
        .await;
    revocations::check(app).await.unwrap();
    assert_eq!(
        all.map(|session| has_ended(session)),
        [true, false, false, false]
    );

    let at = Millis(7);
    scene
        .save(Change::Admin(AdminChange::Disable { user, at }))
        .await;
    revocations::check(app).await.unwrap();
    assert_eq!(
        all.map(|session| has_ended(session)),
        [true, true, false, true]
    );
}
