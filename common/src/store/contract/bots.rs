//! Bots: who owns them, and the tokens with which they come.

use super::setup::{
    MANY, NOW, ann_and_bob, commit, contiguous, cursor, done, move_cursor, notices, origin, peers,
    refused, say,
};
use crate::api::{Notice, Refusal};
use crate::id::{ConvId, DeviceId, HookId, Millis, Peer, SessionId, UserId};
use crate::store::admin::{self, AdminChange, Only, Sought};
use crate::store::bot::{self, BotChange, NewToken};
use crate::store::session::{self, SESSIONS_MAX, SignIn};
use crate::store::{Change, Outcome, Store};

fn token(session: u64, device: u64, name: &str) -> NewToken {
    NewToken {
        session: SessionId(session),
        device: DeviceId(device),
        name: name.to_owned(),
        at: NOW,
        expires: Millis::NEVER,
    }
}

/// Makes a bot; the numbers of its first token are 500 and 1000 behind its owner's.
fn new_bot(owner: UserId, username: &str, bots_max: u32) -> Change {
    let number = u64::from(owner.0);
    Change::Bot(BotChange::Create {
        origin: origin(owner, &format!("bot {username}")),
        username: username.to_owned(),
        nickname: format!("{username}'s nick"),
        token: token(500 + number, 1_000 + number, "default"),
        bots_max,
        contacts_max: MANY,
    })
}

async fn made(store: &dyn Store, change: Change) -> UserId {
    match commit(store, change).await {
        Outcome::Done { id: Some(id), .. } => UserId(id),
        other => panic!("{other:?}"),
    }
}

/// A bot of this owner, for other parts of the contract.
pub(super) async fn bot(store: &dyn Store, owner: UserId) -> UserId {
    made(store, new_bot(owner, "clock", 20)).await
}

async fn tokens(store: &dyn Store, bot: UserId) -> Vec<SignIn> {
    let mut tokens = session::of_user(store, bot).await.unwrap();
    tokens.sort_by_key(|token| token.session);
    tokens
}

async fn count(store: &dyn Store, table: &str, user: UserId) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table} WHERE f_user_id = ?");
    let rows = store.select(&sql, vec![user.into()]).await.unwrap();
    rows[0].int(0).unwrap()
}

pub async fn a_bot_is_an_account_of_its_owner(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = made(store, new_bot(ann, "clock", 20)).await;
    let account = store.account(clock).await.unwrap().unwrap();
    assert!(account.profile.is_bot);
    assert_eq!(account.profile.nickname, "clock's nick");
    // Nothing that a password could fit.
    assert_eq!(
        (&*account.password_hash, &*account.password_plain),
        ("", "")
    );
    assert!(!store.account(ann).await.unwrap().unwrap().profile.is_bot);
    let contacts = store.contacts(ann).await.unwrap().contacts;
    assert!(contacts[0].profile.is_bot, "{contacts:?}");
    assert_eq!(peers(store, ann).await, [Peer::User(clock)]);
    assert_eq!(peers(store, clock).await, [Peer::User(ann)]);
    for (user, peer) in [(ann, clock), (clock, ann)] {
        let peer = Peer::User(peer);
        let told = notices(store, ConvId::inbox(user)).await;
        assert_eq!(told, [(ann, Notice::ContactsChanged { peer })]);
    }
    done(store, say(clock, ConvId::direct(ann, clock), "tick")).await;
    let [first] = &tokens(store, clock).await[..] else {
        panic!("one token");
    };
    assert_eq!(
        (first.kind.as_str(), first.name.as_str()),
        ("bot", "default")
    );
    assert_eq!((first.user, first.expires), (clock, Millis::NEVER));
    assert_eq!(bot::of_owner(store, ann).await.unwrap(), [clock]);
    assert!(bot::of_owner(store, bob).await.unwrap().is_empty());
    assert_eq!(bot::owner(store, clock).await.unwrap(), Some(ann));
    assert_eq!(bot::owner(store, ann).await.unwrap(), None);
}

pub async fn a_bot_is_locked_with_its_owner(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = made(store, new_bot(ann, "clock", 20)).await;
    let bell = made(store, new_bot(bob, "bell", 20)).await;
    let everybody = [ann, bob, clock, bell];
    let locked = || async {
        let mut locked = admin::disabled_among(store, &everybody).await.unwrap();
        locked.sort_unstable();
        locked
    };
    assert!(locked().await.is_empty());
    let disable = |user| Change::Admin(AdminChange::Disable { user, at: NOW });
    done(store, disable(ann)).await;
    assert_eq!(locked().await, [ann, clock]);
    assert!(admin::is_disabled(store, clock).await.unwrap());
    assert!(!admin::is_disabled(store, bell).await.unwrap());
    let owners = SessionId(500 + u64::from(ann.0));
    let others = SessionId(500 + u64::from(bob.0));
    let going_on = session::going_on(store, &[owners, others]).await.unwrap();
    assert_eq!(going_on, [others]);
    // Only the account that was locked is to be let in again.
    let only_locked = Sought {
        only: Only::Disabled,
        ..Sought::default()
    };
    let listed = admin::list(store, &only_locked).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [ann]);
    done(store, Change::Admin(AdminChange::Enable { user: ann })).await;
    assert!(locked().await.is_empty());
    done(store, disable(bell)).await;
    assert_eq!(locked().await, [bell]);
}

pub async fn making_a_bot_is_refused_where_it_must(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    refused(store, new_bot(ann, "clock", 0), Refusal::TooMany).await;
    refused(store, new_bot(ann, "bob", 1), Refusal::UsernameTaken).await;
    refused(store, new_bot(ann, "B0b", 1), Refusal::UsernameTaken).await;
    refused(store, new_bot(UserId(99), "clock", 1), Refusal::NoSuchUser).await;
    let clock = made(store, new_bot(ann, "clock", 1)).await;
    refused(store, new_bot(ann, "bell", 1), Refusal::TooMany).await;
    made(store, new_bot(bob, "bell", 1)).await;
    // The same again is the same bot; another name under the same client id is none.
    let again = commit(store, new_bot(ann, "clock", 1)).await;
    assert!(matches!(again, Outcome::AlreadyThere { .. }), "{again:?}");
    let Change::Bot(BotChange::Create { token, .. }) = new_bot(ann, "other", 9) else {
        unreachable!("it makes a bot");
    };
    let other = Change::Bot(BotChange::Create {
        origin: origin(ann, "bot clock"),
        username: "other".to_owned(),
        nickname: "other".to_owned(),
        token,
        bots_max: 9,
        contacts_max: MANY,
    });
    refused(store, other, Refusal::ClientIdConflict).await;
    assert_eq!(bot::of_owner(store, ann).await.unwrap(), [clock]);
    assert_eq!(contiguous(store, ConvId::inbox(ann)).await, 1);
}

pub async fn a_token_is_replaced_on_its_device(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = made(store, new_bot(ann, "clock", 20)).await;
    let device = tokens(store, clock).await[0].device;
    let conv = ConvId::direct(ann, clock);
    done(store, say(ann, conv, "1")).await;
    done(store, say(ann, conv, "2")).await;
    done(store, move_cursor(clock, device, conv, 1)).await;
    let rotate = |owner, session, at| {
        Change::Bot(BotChange::RotateToken {
            owner,
            bot: clock,
            device,
            session: SessionId(session),
            at: Millis(at),
        })
    };
    let change = rotate(ann, 700, NOW.0 + 5);
    done(store, change.clone()).await;
    done(store, change).await;
    let [token] = &tokens(store, clock).await[..] else {
        panic!("one token");
    };
    assert_eq!((token.session, token.device), (SessionId(700), device));
    assert_eq!(
        (token.name.as_str(), token.expires),
        ("default", Millis::NEVER)
    );
    assert_eq!(cursor(store, clock, device, conv).await, 1);
    refused(store, rotate(bob, 701, NOW.0), Refusal::NoSuchBot).await;
    let over = Millis::NEVER.0;
    refused(store, rotate(ann, 701, over), Refusal::NoSuchToken).await;
    let end = |owner, device| {
        Change::Bot(BotChange::EndToken {
            owner,
            bot: clock,
            device,
        })
    };
    refused(store, end(bob, device), Refusal::NoSuchBot).await;
    refused(store, end(ann, DeviceId(1)), Refusal::NoSuchToken).await;
    done(store, end(ann, device)).await;
    refused(store, end(ann, device), Refusal::NoSuchToken).await;
    refused(store, rotate(ann, 702, NOW.0), Refusal::NoSuchToken).await;
    for table in ["t_session", "t_device", "t_cursor"] {
        assert_eq!(count(store, table, clock).await, 0, "{table}");
    }
}

pub async fn a_bot_has_so_many_tokens(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = made(store, new_bot(ann, "clock", 20)).await;
    let add = |owner, bot, token| Change::Bot(BotChange::AddToken { owner, bot, token });
    let short = NewToken {
        expires: Millis(NOW.0 + 10),
        ..token(600, 2_000, "short")
    };
    done(store, add(ann, clock, short)).await;
    for number in 2..u64::from(SESSIONS_MAX) {
        let token = token(600 + number, 2_000 + number, "more");
        assert_eq!(commit(store, add(ann, clock, token)).await, Outcome::done());
    }
    let one_more = |at| NewToken {
        at: Millis(at),
        ..token(900, 3_000, "one more")
    };
    let refusal = Refusal::TooMany;
    refused(store, add(ann, clock, one_more(NOW.0)), refusal).await;
    // One that is over makes room, and nothing is left of it.
    let later = add(ann, clock, one_more(NOW.0 + 10));
    done(store, later.clone()).await;
    done(store, later).await;
    let all = tokens(store, clock).await;
    assert_eq!(u32::try_from(all.len()), Ok(SESSIONS_MAX));
    assert!(all.iter().all(|token| token.name != "short"));
    assert_eq!(
        count(store, "t_device", clock).await,
        i64::from(SESSIONS_MAX)
    );
    refused(store, add(bob, clock, one_more(NOW.0)), Refusal::NoSuchBot).await;
    refused(store, add(ann, bob, one_more(NOW.0)), Refusal::NoSuchBot).await;
}

pub async fn a_bot_ends_and_its_name_stays(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let clock = made(store, new_bot(ann, "clock", 1)).await;
    let bell = made(store, new_bot(bob, "bell", 1)).await;
    let conv = ConvId::direct(ann, clock);
    done(store, say(clock, conv, "tick")).await;
    let device = tokens(store, clock).await[0].device;
    done(store, move_cursor(clock, device, conv, 1)).await;
    let hook = |hook, author, creator| super::incoming_hooks::new_hook(hook, author, creator, conv);
    done(store, hook(HookId(1), clock, ann)).await;
    done(store, hook(HookId(2), clock, clock)).await;
    done(store, hook(HookId(3), ann, ann)).await;
    let end = |owner| Change::Bot(BotChange::End { owner, bot: clock });
    refused(store, end(bob), Refusal::NoSuchBot).await;
    done(store, end(ann)).await;
    refused(store, end(ann), Refusal::NoSuchBot).await;
    // Nobody is its owner, also not nobody.
    refused(store, end(UserId(0)), Refusal::NoSuchBot).await;
    assert_eq!(bot::owner(store, clock).await.unwrap(), None);
    for table in ["t_session", "t_device", "t_cursor", "t_incoming_hook"] {
        assert_eq!(count(store, table, clock).await, 0, "{table}");
    }
    assert_eq!(count(store, "t_incoming_hook", ann).await, 1);
    assert_eq!(tokens(store, bell).await.len(), 1);
    assert!(store.account(clock).await.unwrap().unwrap().profile.is_bot);
    assert_eq!(super::setup::texts(store, conv).await, ["tick"]);
    // It makes room for another one, which cannot have its name.
    let again = |name: &str| {
        Change::Bot(BotChange::Create {
            origin: origin(ann, &format!("again {name}")),
            username: name.to_owned(),
            nickname: name.to_owned(),
            token: token(900, 3_000, "default"),
            bots_max: 1,
            contacts_max: MANY,
        })
    };
    refused(store, again("clock"), Refusal::UsernameTaken).await;
    refused(store, new_bot(ann, "clock", 1), Refusal::ClientIdConflict).await;
    made(store, again("watch")).await;
}
