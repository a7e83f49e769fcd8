//! Members of groups: adding, taking out, roles, handing over.

use super::group_setup::{
    Crew, add, crew, mute, name_member, set_role, set_rules, take_out, transfer,
};
use super::setup::{
    LAPTOP, NOW, behind, commit, contiguous, cursor, done, entries, group, has_no_cursor, join,
    leave, move_cursor, notices, origin, peers, refused, say, user,
};
use crate::api::{GroupSettings, InvitePolicy, Member, Notice, Refusal, Role};
use crate::id::{ConvId, GroupId, Millis, Peer, Seq, UserId};
use crate::store::block::BlockChange;
use crate::store::group::{self as groups, GroupChange};
use crate::store::{Change, Outcome, Store};

async fn role(store: &dyn Store, group: GroupId, user: UserId) -> Option<Role> {
    let member = groups::member(store, group, user).await.unwrap();
    member.map(|member| member.role)
}

pub async fn roles_decide_who_may_change_whom(store: &dyn Store) {
    let Crew {
        group,
        conv,
        owner,
        admin,
        member,
        outsider,
    } = crew(store).await;
    let (no, none) = (Refusal::NotAllowed, Refusal::NotAMember);
    let there = contiguous(store, conv).await;
    let wrong = [
        (set_role(admin, group, member, Role::Admin, "1"), no),
        (set_role(admin, group, admin, Role::Member, "2"), no),
        (set_role(member, group, member, Role::Admin, "3"), no),
        (set_role(owner, group, owner, Role::Admin, "4"), no),
        (set_role(owner, group, admin, Role::Owner, "5"), no),
        (set_role(outsider, group, member, Role::Admin, "6"), none),
        (mute(member, group, admin, 9, "7"), no),
        (mute(member, group, member, 9, "8"), no),
        (mute(admin, group, owner, 9, "9"), no),
        (mute(admin, group, admin, 9, "10"), no),
        (mute(outsider, group, member, 9, "11"), none),
        (name_member(member, group, admin, "x", "12"), no),
        (name_member(admin, group, owner, "x", "13"), no),
        (name_member(outsider, group, member, "x", "14"), none),
        (take_out(member, group, admin, "15"), no),
        (take_out(admin, group, owner, "16"), no),
        (take_out(admin, group, admin, "17"), no),
        (take_out(owner, group, owner, "18"), no),
        (take_out(outsider, group, member, "19"), none),
        (transfer(admin, group, member, "20"), no),
        (transfer(member, group, member, "21"), no),
        (transfer(outsider, group, member, "22"), none),
        (transfer(owner, group, owner, "23"), Refusal::Oneself),
        (transfer(owner, group, outsider, "24"), Refusal::NoSuchUser),
        (take_out(admin, group, outsider, "25"), Refusal::NoSuchUser),
        (mute(admin, group, outsider, 9, "26"), Refusal::NoSuchUser),
    ];
    for (change, refusal) in wrong {
        refused(store, change, refusal).await;
    }
    assert_eq!(contiguous(store, conv).await, there);
    let right = [
        name_member(member, group, member, "mem", "30"),
        name_member(admin, group, member, "Mem", "31"),
        name_member(owner, group, owner, "boss", "32"),
        mute(admin, group, member, 9, "33"),
        mute(owner, group, admin, 8, "34"),
        set_role(owner, group, member, Role::Admin, "35"),
        set_role(owner, group, admin, Role::Member, "36"),
        take_out(member, group, admin, "37"),
        take_out(owner, group, member, "38"),
    ];
    for change in right {
        done(store, change).await;
    }
    assert_eq!(contiguous(store, conv).await, there + 9);
    assert_eq!(store.members(group).await.unwrap(), [owner]);
}

pub async fn a_member_is_what_was_set(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, member) = (crew.group, crew.member);
    let before = groups::member(store, group, member).await.unwrap();
    let fresh = Member {
        user: member,
        role: Role::Member,
        nickname: String::new(),
        muted_until: Millis(0),
    };
    assert_eq!(before, Some(fresh.clone()));
    let until = NOW.0 + 1;
    let told = done(store, mute(crew.admin, group, member, until, "m")).await;
    assert_eq!(told.len(), 1);
    let notice = Notice::MemberChanged {
        user: member,
        role: None,
        muted_until: Some(Millis(until)),
        nickname: None,
    };
    let last = notices(store, crew.conv).await.pop();
    assert_eq!(last, Some((crew.admin, notice)));
    refused(store, say(member, crew.conv, "psst"), Refusal::Muted).await;
    done(store, name_member(member, group, member, "Émile 😀", "n")).await;
    let after = groups::member(store, group, member).await.unwrap();
    let changed = Member {
        nickname: "Émile 😀".to_owned(),
        muted_until: Millis(until),
        ..fresh.clone()
    };
    assert_eq!(after, Some(changed));
    // Who comes back comes back as anybody.
    done(store, leave(member, group, "l")).await;
    assert_eq!(groups::member(store, group, member).await.unwrap(), None);
    done(store, join(member, group, "j")).await;
    let again = groups::member(store, group, member).await.unwrap();
    assert_eq!(again, Some(fresh));
}

pub async fn an_added_member_sees_the_log_from_there(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv, new) = (crew.group, crew.conv, crew.outsider);
    let told = done(store, add(crew.member, group, new, "a")).await;
    let places: Vec<(ConvId, Seq)> = told.iter().map(|entry| (entry.conv, entry.seq)).collect();
    assert_eq!(places, [(conv, Seq(5)), (ConvId::inbox(new), Seq(1))]);
    let last = notices(store, conv).await.pop();
    assert_eq!(last, Some((crew.member, Notice::MemberAdded { user: new })));
    let peer = Peer::Group(group);
    let own = notices(store, ConvId::inbox(new)).await;
    assert_eq!(own, [(crew.member, Notice::ContactsChanged { peer })]);
    assert_eq!(cursor(store, new, LAPTOP, conv).await, 4);
    let expected = [(conv, 4, 5), (ConvId::inbox(new), 0, 1)];
    assert_eq!(behind(store, new, LAPTOP).await, expected);
    assert_eq!(peers(store, new).await, [peer]);
    assert_eq!(role(store, group, new).await, Some(Role::Member));
    done(store, say(new, conv, "hello")).await;
}

pub async fn adding_is_refused_where_it_must(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, member, new) = (crew.group, crew.member, crew.outsider);
    let nobody = UserId(new.0 + 1);
    let none = GroupId(group.0 + 1);
    refused(store, add(new, group, new, "1"), Refusal::NotAMember).await;
    refused(store, add(member, group, nobody, "2"), Refusal::NoSuchUser).await;
    let a_group = UserId(group.0);
    refused(store, add(member, group, a_group, "3"), Refusal::NoSuchUser).await;
    refused(store, add(member, none, new, "4"), Refusal::NoSuchGroup).await;
    let friend = GroupId(member.0);
    refused(store, add(member, friend, new, "5"), Refusal::NoSuchGroup).await;
    let owner = crew.owner;
    refused(
        store,
        add(member, group, owner, "6"),
        Refusal::AlreadyMember,
    )
    .await;
    let limited = |contacts_max, members_max, client_id| {
        Change::Group(GroupChange::Add {
            origin: origin(member, client_id),
            group,
            user: new,
            contacts_max,
            members_max,
        })
    };
    refused(store, limited(9, 3, "7"), Refusal::TooMany).await;
    refused(store, limited(0, 9, "8"), Refusal::TooMany).await;
    let block = BlockChange::Add {
        user: new,
        blocked: member,
        at: NOW,
    };
    done(store, Change::Block(block)).await;
    refused(store, add(member, group, new, "9"), Refusal::Blocked).await;
    let settings = GroupSettings {
        invite: Some(InvitePolicy::Admins),
        ..GroupSettings::default()
    };
    done(store, set_rules(crew.owner, group, settings, "s")).await;
    refused(store, add(member, group, new, "10"), Refusal::NotAllowed).await;
    done(store, add(crew.admin, group, new, "11")).await;
    assert_eq!(contiguous(store, crew.conv).await, 6);
}

pub async fn who_is_taken_out_is_forgotten(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv, member) = (crew.group, crew.conv, crew.member);
    done(store, move_cursor(member, LAPTOP, conv, 4)).await;
    done(store, take_out(crew.admin, group, member, "r")).await;
    let last = notices(store, conv).await.pop();
    assert_eq!(
        last,
        Some((crew.admin, Notice::MemberRemoved { user: member }))
    );
    let peer = Peer::Group(group);
    let own = notices(store, ConvId::inbox(member)).await;
    assert_eq!(own, [(crew.admin, Notice::ContactsChanged { peer })]);
    assert!(has_no_cursor(store, member, LAPTOP, conv).await);
    assert!(peers(store, member).await.is_empty());
    refused(store, say(member, conv, "but"), Refusal::NotAMember).await;
    let again = take_out(crew.admin, group, member, "r2");
    refused(store, again, Refusal::NoSuchUser).await;
    done(store, join(member, group, "j")).await;
    assert_eq!(cursor(store, member, LAPTOP, conv).await, 5);
}

pub async fn members_come_in_pages(store: &dyn Store) {
    let crew = crew(store).await;
    let group = crew.group;
    let page = async |after, limit| -> Vec<UserId> {
        let members = groups::members(store, group, after, limit).await.unwrap();
        members.into_iter().map(|member| member.user).collect()
    };
    assert_eq!(page(None, 2).await, [crew.owner, crew.admin]);
    assert_eq!(page(Some(crew.admin), 2).await, [crew.member]);
    assert!(page(Some(crew.member), 2).await.is_empty());
    let roles = groups::members(store, group, None, 9).await.unwrap();
    let roles: Vec<Role> = roles.into_iter().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Owner, Role::Admin, Role::Member]);
    let none = GroupId(group.0 + 1);
    let sizes = groups::sizes(store, &[group, none, GroupId(1)]).await;
    assert_eq!(sizes.unwrap(), [(group, 3)]);
}

pub async fn a_group_is_handed_over(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, owner, member) = (crew.group, crew.owner, crew.member);
    done(store, mute(owner, group, member, NOW.0 + 1, "m")).await;
    done(store, transfer(owner, group, member, "t")).await;
    let last = notices(store, crew.conv).await.pop();
    assert_eq!(last, Some((owner, Notice::OwnerChanged { user: member })));
    assert_eq!(role(store, group, member).await, Some(Role::Owner));
    assert_eq!(role(store, group, owner).await, Some(Role::Admin));
    let policy = groups::policy(store, group).await.unwrap().unwrap();
    assert_eq!(policy.owner, Some(member));
    done(store, say(member, crew.conv, "thanks")).await;
    refused(
        store,
        transfer(owner, group, owner, "t2"),
        Refusal::NotAllowed,
    )
    .await;
    done(store, take_out(member, group, owner, "r")).await;
}

pub async fn a_group_follows_its_eldest(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, conv, owner) = (crew.group, crew.conv, crew.owner);
    // The member is older than the new one, the admin goes before both.
    done(store, join(crew.outsider, group, "j")).await;
    let told = done(store, leave(owner, group, "l")).await;
    let places: Vec<(ConvId, Seq)> = told.iter().map(|entry| (entry.conv, entry.seq)).collect();
    let expected = [
        (conv, Seq(6)),
        (conv, Seq(7)),
        (ConvId::inbox(owner), Seq(1)),
    ];
    assert_eq!(places, expected);
    let told = notices(store, conv).await.split_off(5);
    let (left, heir) = (
        Notice::MemberLeft,
        Notice::OwnerChanged { user: crew.admin },
    );
    assert_eq!(told, [(owner, left), (owner, heir)]);
    assert_eq!(role(store, group, crew.admin).await, Some(Role::Owner));
    done(store, leave(crew.admin, group, "l")).await;
    assert_eq!(role(store, group, crew.member).await, Some(Role::Owner));
    // Who had it comes back as anybody.
    done(store, join(owner, group, "back")).await;
    assert_eq!(role(store, group, owner).await, Some(Role::Member));
    // Nobody follows a mere member.
    assert_eq!(done(store, leave(crew.outsider, group, "l")).await.len(), 2);
    done(store, leave(owner, group, "l2")).await;
    assert_eq!(done(store, leave(crew.member, group, "l")).await.len(), 2);
    let policy = groups::policy(store, group).await.unwrap().unwrap();
    assert_eq!((policy.owner, policy.members), (None, 0));
    assert_eq!(contiguous(store, conv).await, 13);
}

pub async fn a_repeated_change_of_members_is_one(store: &dyn Store) {
    let crew = crew(store).await;
    let (group, owner, member, new) = (crew.group, crew.owner, crew.member, crew.outsider);
    let changes = [
        add(owner, group, new, "1"),
        name_member(owner, group, new, "x", "2"),
        take_out(owner, group, new, "3"),
        transfer(owner, group, member, "4"),
        leave(owner, group, "5"),
    ];
    for change in changes {
        let first = entries(commit(store, change.clone()).await).remove(0);
        let repeated = commit(store, change).await;
        let expected = Outcome::AlreadyThere {
            conv: first.conv,
            seq: first.seq,
            at: first.origin.at,
        };
        assert_eq!(repeated, expected);
    }
    let conflict = Refusal::ClientIdConflict;
    refused(store, add(owner, group, member, "1"), conflict).await;
    // A message that stands where others would look for a second notice is no obstacle.
    let dogs = super::setup::group(store, new, "dogs").await;
    for text in ["l+", "l+1", "l+2"] {
        done(store, say(new, ConvId::group(dogs), text)).await;
    }
    done(store, leave(new, dogs, "l")).await;
    assert_eq!(contiguous(store, crew.conv).await, 9);
}

pub async fn members_are_added_in_one_batch(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let cars = group(store, ann, "cars").await;
    let many: Vec<UserId> = {
        let mut many = Vec::new();
        for name in ["b", "c", "d", "e"] {
            many.push(user(store, name).await);
        }
        many
    };
    let batch: Vec<Change> = many
        .iter()
        .map(|one| add(ann, cars, *one, &format!("add {one}")))
        .collect();
    let outcomes = store.commit(&batch).await.unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Done { .. }))
    );
    done(store, leave(ann, cars, "l")).await;
    assert_eq!(role(store, cars, many[0]).await, Some(Role::Owner));
    assert_eq!(contiguous(store, ConvId::group(cars)).await, 7);
}
