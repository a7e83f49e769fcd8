//! Groups: rules, requests to join, the end.

use super::group_setup::{answer_join, ask_to_join, crew, dissolve, set_role, set_rules, take_out};
use super::setup::{
    LAPTOP, NOW, behind, commit, contiguous, done, entries, group, has_no_cursor, join, leave,
    move_cursor, notices, origin, peers, refused, say, user,
};
use crate::api::{GroupPolicy, GroupSettings, InvitePolicy, JoinPolicy, Notice, Refusal, Role};
use crate::id::{ConvId, GroupId, Peer, Seq, UserId};
use crate::store::group::{self as groups, GroupChange, JoinRequest};
use crate::store::{Change, Outcome, Store};

fn joining(policy: JoinPolicy) -> GroupSettings {
    GroupSettings {
        join: Some(policy),
        ..GroupSettings::default()
    }
}

pub async fn rules_stay_as_they_were_set(store: &dyn Store) {
    let crew = crew(store).await;
    let group = crew.group;
    let mut expected = GroupPolicy {
        group,
        owner: Some(crew.owner),
        announcement: String::new(),
        join: JoinPolicy::Open,
        invite: InvitePolicy::Members,
        muted: false,
        members: 3,
    };
    let policy = async || groups::policy(store, group).await.unwrap().unwrap();
    assert_eq!(policy().await, expected);
    let settings = GroupSettings {
        name: Some("the crew".to_owned()),
        announcement: Some("Ahoy 😀".to_owned()),
        muted: Some(true),
        ..GroupSettings::default()
    };
    done(store, set_rules(crew.admin, group, settings.clone(), "1")).await;
    let last = notices(store, crew.conv).await.pop();
    assert_eq!(last, Some((crew.admin, Notice::GroupChanged { settings })));
    expected.announcement = "Ahoy 😀".to_owned();
    expected.muted = true;
    assert_eq!(policy().await, expected);
    refused(store, say(crew.member, crew.conv, "1"), Refusal::Muted).await;
    let settings = GroupSettings {
        avatar: Some("face".to_owned()),
        muted: Some(false),
        invite: Some(InvitePolicy::Admins),
        join: Some(JoinPolicy::Closed),
        ..GroupSettings::default()
    };
    done(store, set_rules(crew.owner, group, settings, "2")).await;
    expected.muted = false;
    expected.invite = InvitePolicy::Admins;
    expected.join = JoinPolicy::Closed;
    assert_eq!(policy().await, expected);
    let profile = store
        .profiles(&[Peer::Group(group)])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(profile.nickname, "the crew");
    assert_eq!(profile.avatar.custom, "face");
    assert_eq!(profile.username, group.to_string());
    done(store, say(crew.member, crew.conv, "1")).await;
    assert_eq!(contiguous(store, crew.conv).await, 7);
}

pub async fn rules_are_the_admins(store: &dyn Store) {
    let crew = crew(store).await;
    let set = |user, client_id| set_rules(user, crew.group, joining(JoinPolicy::Closed), client_id);
    refused(store, set(crew.member, "1"), Refusal::NotAllowed).await;
    refused(store, set(crew.outsider, "1"), Refusal::NotAMember).await;
    let none = GroupId(crew.group.0 + 1);
    let change = set_rules(crew.owner, none, joining(JoinPolicy::Closed), "1");
    refused(store, change, Refusal::NoSuchGroup).await;
    assert_eq!(groups::policy(store, none).await.unwrap(), None);
    assert_eq!(groups::policy(store, GroupId(1)).await.unwrap(), None);
    done(store, join(crew.outsider, crew.group, "j")).await;
}

pub async fn an_admin_lets_one_in(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, asker) = (crew.group, crew.outsider);
    let rules = set_rules(crew.owner, group, joining(JoinPolicy::Approval), "s");
    done(store, rules).await;
    refused(store, join(asker, group, "j"), Refusal::ApprovalNeeded).await;
    let told = done(store, ask_to_join(asker, group, "q")).await;
    let told: Vec<ConvId> = told.iter().map(|entry| entry.conv).collect();
    assert_eq!(told, [ConvId::inbox(crew.owner), ConvId::inbox(crew.admin)]);
    let note = "note of q".to_owned();
    let heard = notices(store, ConvId::inbox(crew.admin)).await;
    let asked = Notice::JoinRequested {
        group,
        note: note.clone(),
    };
    assert_eq!(heard, [(asker, asked)]);
    let open = JoinRequest {
        user: asker,
        note,
        at: NOW,
    };
    assert_eq!(groups::join_requests(store, group).await.unwrap(), [open]);
    let answer = |by, client_id| answer_join(by, group, asker, true, client_id);
    refused(store, answer(crew.member, "y"), Refusal::NotAllowed).await;
    refused(store, answer(asker, "y"), Refusal::NotAMember).await;
    let told = done(store, answer(crew.admin, "y")).await;
    let told: Vec<(ConvId, Seq)> = told.iter().map(|entry| (entry.conv, entry.seq)).collect();
    let inbox = ConvId::inbox(asker);
    assert_eq!(
        told,
        [(inbox, Seq(1)), (crew.conv, Seq(6)), (inbox, Seq(2))]
    );
    let accepted = true;
    let heard = notices(store, inbox).await;
    let peer = Peer::Group(group);
    let expected = [
        (crew.admin, Notice::JoinAnswered { group, accepted }),
        (crew.admin, Notice::ContactsChanged { peer }),
    ];
    assert_eq!(heard, expected);
    assert_eq!(
        behind(store, asker, LAPTOP).await,
        [(crew.conv, 5, 6), (inbox, 0, 2)]
    );
    assert!(
        groups::join_requests(store, group)
            .await
            .unwrap()
            .is_empty()
    );
    refused(store, answer(crew.admin, "y2"), Refusal::NotRequested).await;
    let again = ask_to_join(asker, group, "q2");
    refused(store, again, Refusal::AlreadyMember).await;
}

pub async fn an_admin_says_no(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, asker) = (crew.group, crew.outsider);
    let rules = set_rules(crew.owner, group, joining(JoinPolicy::Approval), "s");
    done(store, rules).await;
    done(store, ask_to_join(asker, group, "q1")).await;
    // Asking again is told again, and is one request.
    done(store, ask_to_join(asker, group, "q2")).await;
    let open = groups::join_requests(store, group).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].note, "note of q2");
    done(store, answer_join(crew.owner, group, asker, false, "n")).await;
    let accepted = false;
    let heard = notices(store, ConvId::inbox(asker)).await;
    assert_eq!(
        heard,
        [(crew.owner, Notice::JoinAnswered { group, accepted })]
    );
    assert!(
        groups::join_requests(store, group)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(peers(store, asker).await.is_empty());
    let late = answer_join(crew.admin, group, asker, true, "y");
    refused(store, late, Refusal::NotRequested).await;
}

pub async fn requests_to_join_are_refused_where_they_must(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, asker) = (crew.group, crew.outsider);
    let other = user(store, "other").await;
    let none = GroupId(group.0 + 1);
    refused(store, ask_to_join(asker, none, "1"), Refusal::NoSuchGroup).await;
    let limited = |user, requests_max, client_id| {
        Change::Group(GroupChange::RequestJoin {
            origin: origin(user, client_id),
            group,
            note: String::new(),
            requests_max,
        })
    };
    done(store, limited(asker, 1, "2")).await;
    done(store, limited(asker, 1, "3")).await;
    refused(store, limited(other, 1, "4"), Refusal::TooMany).await;
    let full = |contacts_max, members_max, client_id| {
        Change::Group(GroupChange::AnswerJoin {
            origin: origin(crew.admin, client_id),
            group,
            user: asker,
            accepted: true,
            contacts_max,
            members_max,
        })
    };
    refused(store, full(0, 9, "5"), Refusal::TooMany).await;
    refused(store, full(9, 3, "6"), Refusal::TooMany).await;
    done(
        store,
        set_rules(crew.owner, group, joining(JoinPolicy::Closed), "s"),
    )
    .await;
    refused(store, join(other, group, "7"), Refusal::JoinClosed).await;
    refused(store, ask_to_join(other, group, "8"), Refusal::JoinClosed).await;
    // What was asked before can still be answered.
    done(store, full(9, 9, "9")).await;
    assert_eq!(peers(store, asker).await, [Peer::Group(group)]);
}

pub async fn a_dissolved_group_is_gone(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv) = (crew.group, crew.conv);
    refused(store, dissolve(crew.admin, group, "d"), Refusal::NotAllowed).await;
    refused(
        store,
        dissolve(crew.outsider, group, "d"),
        Refusal::NotAMember,
    )
    .await;
    done(store, say(crew.member, conv, "bye")).await;
    done(store, move_cursor(crew.member, LAPTOP, conv, 5)).await;
    done(store, ask_to_join(crew.outsider, group, "q")).await;
    let told = done(store, dissolve(crew.owner, group, "d")).await;
    let told: Vec<ConvId> = told.iter().map(|entry| entry.conv).collect();
    let members = [crew.owner, crew.admin, crew.member];
    assert_eq!(told, members.map(ConvId::inbox));
    let name = "crew".to_owned();
    let ended = (crew.owner, Notice::GroupDissolved { group, name });
    for user in members {
        let heard = notices(store, ConvId::inbox(user)).await;
        assert_eq!(heard.last(), Some(&ended));
        assert!(peers(store, user).await.is_empty());
        assert!(has_no_cursor(store, user, LAPTOP, conv).await);
    }
    assert!(store.members(group).await.unwrap().is_empty());
    assert_eq!(groups::policy(store, group).await.unwrap(), None);
    assert!(
        groups::join_requests(store, group)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .profiles(&[Peer::Group(group)])
            .await
            .unwrap()
            .is_empty()
    );
    let named = store.profile_named(&group.to_string()).await.unwrap();
    assert_eq!(named, None);
    let gone = Refusal::NoSuchGroup;
    refused(store, join(crew.owner, group, "j"), gone).await;
    refused(store, ask_to_join(crew.owner, group, "j"), gone).await;
    refused(store, dissolve(crew.owner, group, "d2"), gone).await;
    refused(store, leave(crew.owner, group, "l"), Refusal::NotAMember).await;
    refused(store, say(crew.owner, conv, "hm"), Refusal::NotAMember).await;
    assert_eq!(contiguous(store, conv).await, 5);
    // Nobody inherits its number.
    let next = super::setup::group(store, crew.owner, "next").await;
    assert_eq!(next, GroupId(group.0 + 1));
}

pub async fn a_repeated_change_of_a_group_is_one(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, owner, asker) = (crew.group, crew.owner, crew.outsider);
    let changes = [
        set_rules(owner, group, joining(JoinPolicy::Approval), "1"),
        ask_to_join(asker, group, "1"),
        answer_join(owner, group, asker, true, "2"),
        dissolve(owner, group, "3"),
    ];
    let mut firsts = Vec::new();
    for change in &changes {
        let first = entries(commit(store, change.clone()).await).remove(0);
        firsts.push(Outcome::AlreadyThere {
            conv: first.conv,
            seq: first.seq,
            at: first.origin.at,
        });
        assert_eq!(
            commit(store, change.clone()).await,
            firsts[firsts.len() - 1]
        );
    }
    for (change, first) in changes.into_iter().zip(firsts) {
        assert_eq!(commit(store, change).await, first);
    }
    let other = super::setup::group(store, owner, "other").await;
    let conflict = Refusal::ClientIdConflict;
    refused(store, dissolve(owner, other, "3"), conflict).await;
    for user in [owner, crew.admin, asker] {
        contiguous(store, ConvId::inbox(user)).await;
    }
    assert_eq!(contiguous(store, crew.conv).await, 6);
}

pub async fn a_large_group_is_dissolved(store: &dyn Store) {
    const MEMBERS: u32 = 300;
    let ann = user(store, "ann").await;
    let cars = group(store, ann, "cars").await;
    let mut batch: Vec<Change> = Vec::new();
    for nth in 0..MEMBERS {
        batch.push(super::setup::new_account(&format!("user {nth}")));
        batch.push(join(UserId(ann.0 + 1 + nth), cars, "j"));
    }
    // A slow disk must have time for each of them.
    for some in batch.chunks(40) {
        store.commit(some).await.unwrap();
    }
    let policy = groups::policy(store, cars).await.unwrap().unwrap();
    assert_eq!(policy.members, MEMBERS + 1);
    let told = done(store, dissolve(ann, cars, "d")).await;
    assert_eq!(told.len(), usize::try_from(MEMBERS).unwrap() + 1);
    let last = UserId(ann.0 + MEMBERS);
    assert_eq!(contiguous(store, ConvId::inbox(last)).await, 1);
    assert!(peers(store, last).await.is_empty());
}

pub async fn a_request_outlives_who_heard_of_it(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, asker) = (crew.group, crew.outsider);
    done(store, ask_to_join(asker, group, "q")).await;
    done(store, leave(crew.owner, group, "l")).await;
    let change = set_role(crew.admin, group, crew.member, Role::Admin, "r");
    done(store, change).await;
    let repeated = commit(store, ask_to_join(asker, group, "q")).await;
    assert!(matches!(repeated, Outcome::AlreadyThere { .. }));
    done(store, answer_join(crew.member, group, asker, true, "y")).await;
    done(store, take_out(crew.member, group, asker, "o")).await;
}
