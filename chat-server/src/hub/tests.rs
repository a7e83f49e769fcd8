//! Tests of the hub: who is rung, who is replaced, who hears of whom.

use std::net::IpAddr;

use bytes::Bytes;
use common::api::Origin;
use common::id::{ClientId, Millis};

use super::mailbox::{EVENTS_MAX, FRAME_BYTES_MAX};
use super::*;
use crate::actor::Actor;

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);
const GROUP: GroupId = GroupId(300_000_000);
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const LAPTOP: DeviceId = DeviceId(1000);

fn entrant(user: UserId, kind: ClientKind) -> Entrant {
    Entrant {
        actor: Actor {
            user,
            username: "name".into(),
            device: kind.device(),
            address: HERE,
        },
        kind,
        manner: Manner::Flamingo,
        sign_in: None,
        status: ONLINE,
        tag: 7,
    }
}

fn enter(hub: &Hub, user: UserId, kind: ClientKind) -> Arc<Session> {
    hub.enter(entrant(user, kind)).0
}

fn enter_api(hub: &Hub, user: UserId, manner: Manner) -> Arc<Session> {
    let mut entrant = entrant(user, ClientKind::Pc);
    entrant.actor.device = LAPTOP;
    entrant.manner = manner;
    entrant.sign_in = Some(SessionId(u64::from(user.0)));
    hub.enter(entrant).0
}

fn notice(conv: ConvId, author: UserId, notice: Notice) -> Entry {
    Entry {
        conv,
        seq: Seq(1),
        origin: Origin {
            user: author,
            device: DeviceId(1),
            client_id: ClientId::new("x").unwrap(),
            tag: 0,
            at: Millis(0),
        },
        body: Body::Notice(notice),
    }
}

fn joined(user: UserId) -> Entry {
    notice(ConvId::group(GROUP), user, Notice::MemberJoined)
}

#[test]
fn a_bell_rings_for_everybody_in_the_conversation_but_the_writing_device() {
    let hub = Hub::default();
    let ann = enter(&hub, ANN, ClientKind::Pc);
    let ann_phone = enter(&hub, ANN, ClientKind::Android);
    let bob = enter(&hub, BOB, ClientKind::Pc);
    let conv = ConvId::direct(ANN, BOB);
    hub.ring(conv, Seq(1), Some((ANN, ann.device())));
    assert!(ann.collect().is_empty());
    assert!(ann_phone.collect().changed.contains(&conv));
    assert!(bob.collect().changed.contains(&conv));
    assert!(
        bob.collect().is_empty(),
        "a mailbox is emptied by looking into it"
    );
}

#[test]
fn a_second_login_of_the_same_kind_ends_the_first() {
    let hub = Hub::default();
    let old = enter(&hub, ANN, ClientKind::Pc);
    let phone = enter(&hub, ANN, ClientKind::Android);
    let new = enter(&hub, ANN, ClientKind::Pc);
    assert!(old.is_to_end() && !new.is_to_end());
    assert_eq!(old.collect().end, Some(End::Replaced { tag: 7 }));
    assert_eq!(phone.collect().end, None);
    assert!(!hub.exit(&old), "it was out already");
    assert!(hub.exit(&new));
    assert!(hub.is_online(ANN));
    assert!(hub.exit(&phone));
    assert!(!hub.is_online(ANN));
}

#[test]
fn a_device_of_the_api_replaces_only_itself_and_a_poll_no_socket() {
    let hub = Hub::default();
    let pc = enter(&hub, ANN, ClientKind::Pc);
    let socket = enter_api(&hub, ANN, Manner::WebSocket);
    let poll = enter_api(&hub, ANN, Manner::Poll);
    for session in [&pc, &socket, &poll] {
        assert_eq!(session.collect().end, None);
    }
    enter_api(&hub, ANN, Manner::WebSocket);
    assert!(socket.collect().end.is_some());
    assert_eq!(pc.collect().end, None);
}

#[test]
fn a_sign_in_that_is_over_ends_its_sessions() {
    let hub = Hub::default();
    let pc = enter(&hub, ANN, ClientKind::Pc);
    let socket = enter_api(&hub, ANN, Manner::WebSocket);
    hub.end_api_sessions(ANN, |sign_in| sign_in == SessionId(99));
    assert_eq!(socket.collect().end, None);
    hub.end_api_sessions(ANN, |sign_in| sign_in == SessionId(1));
    assert_eq!(socket.collect().end, Some(End::Revoked));
    assert_eq!(pc.collect().end, None);
}

#[test]
fn presence_is_that_of_the_first_session_and_a_pc_counts_most() {
    let shown = |status, client| Presence {
        status,
        client,
        is_away: false,
    };
    let hub = Hub::default();
    assert_eq!(hub.presence(ANN), Presence::default());
    let mut on_phone = entrant(ANN, ClientKind::Android);
    on_phone.status = 3;
    let (phone, _) = hub.enter(on_phone);
    assert_eq!(hub.presence(ANN), shown(3, 2));
    enter(&hub, ANN, ClientKind::Pc);
    assert_eq!(hub.presence(ANN), shown(3, 1));
    hub.exit(&phone);
    assert_eq!(hub.presence(ANN), shown(1, 1));
    enter_api(&hub, BOB, Manner::Poll);
    assert_eq!(hub.presence(BOB), Presence::default());
}

#[test]
fn members_come_and_go_with_the_committed_notices() {
    let hub = Hub::default();
    let ann = enter(&hub, ANN, ClientKind::Pc);
    let conv = ConvId::group(GROUP);
    let version = hub.membership_version(ANN);
    hub.note(&joined(ANN));
    assert!(
        !hub.set_groups(ANN, &[], version),
        "the list was read before the join"
    );
    hub.ring(conv, Seq(1), None);
    assert!(ann.collect().changed.contains(&conv));

    hub.ring(conv, Seq(2), None);
    hub.note(&notice(conv, ANN, Notice::MemberLeft));
    hub.ring(conv, Seq(3), None);
    let mailbox = ann.collect();
    assert!(
        mailbox.changed.is_empty(),
        "who left hears nothing of it any more"
    );
    assert_eq!(mailbox.lost, [conv]);

    for (author, taken_out) in [
        (BOB, notice(conv, BOB, Notice::MemberRemoved { user: ANN })),
        (
            BOB,
            notice(
                ConvId::inbox(ANN),
                BOB,
                Notice::GroupDissolved {
                    group: GROUP,
                    name: String::new(),
                },
            ),
        ),
    ] {
        hub.note(&notice(conv, author, Notice::MemberAdded { user: ANN }));
        hub.note(&taken_out);
        assert_eq!(ann.collect().lost, [conv]);
    }
}

#[test]
fn in_a_large_group_only_who_looks_gets_entries_and_in_a_huge_one_nobody() {
    let hub = Hub::new(Reaches {
        everybody_members_max: 2,
        nobody_members_min: 4,
    });
    let conv = ConvId::group(GROUP);
    let old = enter(&hub, ANN, ClientKind::Pc);
    let looking = enter_api(&hub, ANN, Manner::WebSocket);
    let other = enter_api(&hub, BOB, Manner::WebSocket);
    assert!(looking.open(conv));
    let heard = |session: &Session| {
        let mailbox = session.collect();
        (
            mailbox.changed.contains(&conv),
            mailbox.heads.get(&conv).copied(),
        )
    };
    hub.note(&joined(ANN));
    hub.note(&joined(BOB));
    hub.ring(conv, Seq(1), None);
    assert_eq!(heard(&other), (true, None));
    looking.collect();
    hub.note(&joined(UserId(3)));
    hub.ring(conv, Seq(2), None);
    hub.ring(conv, Seq(3), None);
    assert_eq!(heard(&looking), (true, None));
    assert_eq!(heard(&other), (false, Some(Seq(3))));
    hub.mark(conv, BOB, LAPTOP, PassingMark::Typing);
    assert!(looking.collect().typing.contains(&(conv, BOB)));
    hub.set_sizes(&[(GROUP, 5)]);
    hub.ring(conv, Seq(4), None);
    assert_eq!(heard(&looking), (false, Some(Seq(4))));
    hub.mark(conv, BOB, LAPTOP, PassingMark::Typing);
    assert!(looking.collect().is_empty());
    assert!(old.collect().changed.contains(&conv));
}

#[tokio::test]
async fn a_group_with_many_on_line_is_rung_beside_the_committer() {
    let hub = Arc::new(Hub::default());
    let conv = ConvId::group(GROUP);
    let sessions: Vec<_> = (1..=300)
        .map(|user| {
            let session = enter(&hub, UserId(user), ClientKind::Pc);
            hub.note(&joined(UserId(user)));
            session
        })
        .collect();
    hub.ring(conv, Seq(1), None);
    assert!(sessions[0].collect().is_empty());
    let ringing = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { hub.ring_aside().await }
    });
    for session in &sessions {
        session.bell().await;
        assert!(session.collect().changed.contains(&conv));
    }
    ringing.abort();
}

#[test]
fn a_session_of_the_api_hears_of_friends_until_it_chooses() {
    let hub = Hub::default();
    let ann = enter_api(&hub, ANN, Manner::WebSocket);
    let there = Presence {
        status: ONLINE,
        client: 1,
        is_away: false,
    };
    let event = Event::Presence {
        user: BOB,
        presence: there,
    };
    hub.tell(ANN, &event);
    assert_eq!(ann.collect().presences.get(&BOB), Some(&there));
    hub.watch(&ann, &[UserId(3)]);
    hub.tell(ANN, &event);
    hub.tell_watchers(BOB, there);
    assert!(ann.collect().is_empty());
    hub.tell_watchers(UserId(3), there);
    assert!(ann.collect().presences.contains_key(&UserId(3)));
    hub.exit(&ann);
    hub.tell_watchers(UserId(3), there);
    assert!(ann.collect().is_empty());
}

#[test]
fn reading_marks_reach_the_other_side_and_ones_own_other_devices() {
    let hub = Hub::default();
    let ann = enter_api(&hub, ANN, Manner::WebSocket);
    let bob = enter_api(&hub, BOB, Manner::WebSocket);
    let conv = ConvId::direct(ANN, BOB);
    hub.mark(conv, ANN, LAPTOP, PassingMark::Read(Seq(5)));
    hub.mark(conv, ANN, LAPTOP, PassingMark::Read(Seq(4)));
    assert!(ann.collect().is_empty());
    assert_eq!(bob.collect().reads.get(&(conv, ANN)), Some(&Seq(5)));
    hub.mark(conv, ANN, DeviceId(9), PassingMark::Read(Seq(6)));
    assert_eq!(ann.collect().reads.get(&(conv, ANN)), Some(&Seq(6)));
}

#[test]
fn events_are_bounded_and_the_oldest_go_first() {
    let hub = Hub::default();
    let ann = enter(&hub, ANN, ClientKind::Pc);
    for status in 0..1000 {
        let presence = Presence {
            status,
            client: 1,
            is_away: false,
        };
        hub.tell(
            ANN,
            &Event::Presence {
                user: BOB,
                presence,
            },
        );
    }
    let events = ann.collect().events;
    assert_eq!(events.len(), EVENTS_MAX);
    assert!(matches!(
        events.back(),
        Some(Event::Presence {
            presence: Presence { status: 999, .. },
            ..
        })
    ));
}

#[test]
fn frames_of_a_screen_are_dropped_when_they_pile_up() {
    let hub = Hub::default();
    let ann = enter(&hub, ANN, ClientKind::Pc);
    let frame = Bytes::from(vec![0; FRAME_BYTES_MAX / 2]);
    for tag in 0..5 {
        let (header, frame) = (Bytes::new(), frame.clone());
        hub.tell(
            ANN,
            &Event::RemoteDesktop {
                tag,
                header,
                frame,
                to: ANN,
            },
        );
    }
    assert_eq!(ann.collect().events.len(), 2);
}

#[tokio::test]
async fn a_group_that_is_rung_aside_keeps_its_furthest_end() {
    let aside = Aside::default();
    let conv = ConvId::group(GROUP);
    aside.note(conv, Seq(900));
    aside.note(conv, Seq(880));
    assert_eq!(aside.take().await.get(&conv), Some(&Seq(900)));
}
