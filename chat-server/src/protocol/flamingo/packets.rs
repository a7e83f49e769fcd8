//! From values to the packets that the existing clients understand.
//!
//! The Windows client copies texts into fixed buffers and ends when one is too long: every text
//! that might be is cut here, at a character's boundary.

use bytes::Bytes;
use common::api::{Account, ContactList, Profile};
use common::id::{GroupId, Peer, UserId};
use common::wire::chat::Packet;
use common::wire::command;
use common::wire::stream::Writer;
use serde::Serialize;

use crate::hub::{ClientKind, Hub, Presence};

/// Bodies for Android stay below this many bytes: it refuses 65,535 and more.
const ANDROID_BODY_BYTES_MAX: usize = 64_000;

/// What a client is told when the store does not answer; the store's own words are for the log.
pub(super) const NOT_NOW: &str = "the server cannot do this just now; try again in a moment";
pub(super) const OK: &str = "ok";

/// An answer to the request with this command and number.
pub(super) fn answer(command: i32, seq: i32, json: &impl Serialize) -> Packet {
    push(command, seq, json, Bytes::new())
}

/// A packet with fields behind its text.
pub(super) fn push(command: i32, seq: i32, json: &impl Serialize, trailing: Bytes) -> Packet {
    let data = serde_json::to_vec(json).expect("these values always are JSON");
    Packet {
        command,
        seq,
        data: data.into(),
        trailing,
    }
}

/// A packet whose text is empty.
pub(super) fn empty(command: i32, seq: i32) -> Packet {
    Packet {
        command,
        seq,
        data: Bytes::new(),
        trailing: Bytes::new(),
    }
}

/// `{"code", "msg"}`.
pub(super) fn code(command: i32, seq: i32, code: i32, msg: &str) -> Packet {
    answer(command, seq, &Code { code, msg })
}

#[derive(Serialize)]
struct Code<'a> {
    code: i32,
    msg: &'a str,
}

pub(super) fn not_logged_in(command: i32, seq: i32) -> Packet {
    code(
        command,
        seq,
        command::code::NOT_LOGGED_IN,
        "not login, please login first!",
    )
}

/// The fields of a profile as the answers to login, profile change and member list have them.
#[derive(Serialize)]
struct Person<'a> {
    userid: u32,
    username: &'a str,
    nickname: &'a str,
    facetype: i32,
    customface: &'a str,
    gender: i32,
    birthday: i32,
    signature: &'a str,
    address: &'a str,
    phonenumber: &'a str,
    mail: &'a str,
}

impl<'a> Person<'a> {
    /// With texts of at most so many bytes for user name and nickname.
    fn new(profile: &'a Profile, username_max: usize, nickname_max: usize) -> Self {
        Self {
            userid: profile.id.number(),
            username: cut(&profile.username, username_max),
            nickname: cut(&profile.nickname, nickname_max),
            facetype: profile.avatar.builtin,
            customface: cut(&profile.avatar.custom, 63),
            gender: profile.gender,
            birthday: profile.birthday,
            signature: cut(&profile.signature, 255),
            address: cut(&profile.address, 63),
            phonenumber: cut(&profile.phone, 31),
            mail: cut(&profile.mail, 47),
        }
    }
}

#[derive(Serialize)]
struct PersonAnswer<'a> {
    code: i32,
    msg: &'a str,
    #[serde(flatten)]
    person: Person<'a>,
}

/// The answer to a successful login. The Windows client's buffers for both names hold 31 bytes
/// here.
pub(super) fn logged_in(seq: i32, account: &Account, kind: ClientKind) -> Packet {
    let nickname_max = if kind == ClientKind::Pc { 31 } else { 63 };
    let person = Person::new(&account.profile, 31, nickname_max);
    answer(
        command::LOGIN,
        seq,
        &PersonAnswer {
            code: 0,
            msg: OK,
            person,
        },
    )
}

/// The answer to a successful change of one's own profile.
pub(super) fn profile_changed(seq: i32, profile: &Profile) -> Packet {
    let person = Person::new(profile, 63, 63);
    answer(
        command::UPDATE_INFO,
        seq,
        &PersonAnswer {
            code: 0,
            msg: OK,
            person,
        },
    )
}

#[derive(Serialize)]
struct Found<'a> {
    code: i32,
    msg: &'a str,
    userinfo: Vec<FoundOne<'a>>,
}

#[derive(Serialize)]
struct FoundOne<'a> {
    userid: u32,
    username: &'a str,
    nickname: &'a str,
    facetype: i32,
}

/// The answer to a search. A failed one has a code other than 0, and no one found.
pub(super) fn found(seq: i32, code: i32, profile: Option<&Profile>) -> Packet {
    let userinfo = profile
        .into_iter()
        .map(|profile| FoundOne {
            userid: profile.id.number(),
            username: cut(&profile.username, 63),
            nickname: cut(&profile.nickname, 63),
            facetype: profile.avatar.builtin,
        })
        .collect();
    let msg = if code == 0 { OK } else { "find failed" };
    answer(
        command::FIND_USER,
        seq,
        &Found {
            code,
            msg,
            userinfo,
        },
    )
}

#[derive(Serialize)]
struct FriendList<'a> {
    code: i32,
    msg: &'a str,
    userinfo: Vec<Team<'a>>,
}

#[derive(Serialize)]
struct Team<'a> {
    members: Vec<ListMember<'a>>,
    teamname: &'a str,
}

/// Keys in alphabetical order, as the original sends them. What is `None` is left out: Android
/// skips those members, and its buffers are small.
#[derive(Serialize)]
struct ListMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<i32>,
    clienttype: i32,
    customface: &'a str,
    facetype: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markname: Option<&'a str>,
    nickname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phonenumber: Option<&'a str>,
    signature: &'a str,
    status: i32,
    userid: u32,
    username: &'a str,
}

/// How much of each contact a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Full,
    /// Only what Android reads.
    Lean,
    /// The same without signatures.
    Bare,
}

/// The whole contact list. For Android it is cut down, step by step, until it fits.
pub(super) fn friend_list(seq: i32, list: &ContactList, hub: &Hub, kind: ClientKind) -> Packet {
    let packet = friend_list_in(seq, list, hub, Detail::Full, usize::MAX);
    if kind == ClientKind::Pc || packet.data.len() <= ANDROID_BODY_BYTES_MAX {
        return packet;
    }
    let mut contacts_max = usize::MAX;
    let mut detail = Detail::Lean;
    loop {
        let packet = friend_list_in(seq, list, hub, detail, contacts_max);
        if packet.data.len() <= ANDROID_BODY_BYTES_MAX || contacts_max == 0 {
            return packet;
        }
        match detail {
            Detail::Full | Detail::Lean => detail = Detail::Bare,
            Detail::Bare => {
                contacts_max = contacts_max.min(list.contacts.len()) * 9 / 10;
                tracing::warn!(
                    shown = contacts_max,
                    "a contact list is too long for Android"
                );
            }
        }
    }
}

fn friend_list_in(
    seq: i32,
    list: &ContactList,
    hub: &Hub,
    detail: Detail,
    contacts_max: usize,
) -> Packet {
    let mut userinfo: Vec<Team<'_>> = list
        .teams
        .iter()
        .map(|name| Team {
            members: Vec::new(),
            teamname: name,
        })
        .collect();
    for contact in list.contacts.iter().take(contacts_max) {
        let place = list
            .teams
            .iter()
            .position(|name| *name == contact.team)
            .unwrap_or_default();
        let Some(team) = userinfo.get_mut(place) else {
            continue;
        };
        let profile = &contact.profile;
        let presence = match profile.id {
            Peer::User(user) => hub.presence(user),
            Peer::Group(_) => Presence::default(),
        };
        let person = Person::new(profile, 31, 63);
        let full = detail == Detail::Full;
        team.members.push(ListMember {
            address: full.then_some(person.address),
            birthday: full.then_some(person.birthday),
            clienttype: presence.client,
            customface: person.customface,
            facetype: person.facetype,
            gender: full.then_some(person.gender),
            mail: full.then_some(person.mail),
            markname: full.then(|| cut(&contact.remark, 63)),
            nickname: person.nickname,
            phonenumber: full.then_some(person.phonenumber),
            signature: if detail == Detail::Bare {
                ""
            } else {
                person.signature
            },
            status: presence.status,
            userid: person.userid,
            username: person.username,
        });
    }
    answer(
        command::FRIEND_LIST,
        seq,
        &FriendList {
            code: 0,
            msg: OK,
            userinfo,
        },
    )
}

#[derive(Serialize)]
struct MemberList<'a> {
    code: i32,
    msg: &'a str,
    /// Before the members: Android reads in order and needs it first.
    groupid: i32,
    members: Vec<GroupMember<'a>>,
}

#[derive(Serialize)]
struct GroupMember<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    clienttype: i32,
    status: i32,
}

/// The members of a group.
pub(super) fn members(
    seq: i32,
    group: i32,
    members: &[Profile],
    hub: &Hub,
    kind: ClientKind,
) -> Packet {
    let mut shown = members.len();
    loop {
        let list = MemberList {
            code: 0,
            msg: OK,
            groupid: group,
            members: members
                .iter()
                .take(shown)
                .map(|profile| member(profile, hub))
                .collect(),
        };
        let packet = answer(command::GROUP_MEMBERS, seq, &list);
        if kind == ClientKind::Pc || packet.data.len() <= ANDROID_BODY_BYTES_MAX {
            return packet;
        }
        shown = shown * 9 / 10;
    }
}

fn member<'a>(profile: &'a Profile, hub: &Hub) -> GroupMember<'a> {
    // The Windows client writes "<user name> - <id>" into 32 bytes with the closing zero.
    let digits = profile.id.number().to_string().len();
    let presence = match profile.id {
        Peer::User(user) => hub.presence(user),
        Peer::Group(_) => Presence::default(),
    };
    GroupMember {
        person: Person::new(profile, 31 - 3 - digits, 63),
        clienttype: presence.client,
        status: presence.status,
    }
}

#[derive(Serialize)]
struct GroupCreated<'a> {
    code: i32,
    msg: &'a str,
    groupid: u32,
    groupname: &'a str,
}

pub(super) fn group_created(seq: i32, group: GroupId, name: &str) -> Packet {
    let groupname = cut(name, 63);
    answer(
        command::CREATE_GROUP,
        seq,
        &GroupCreated {
            code: 0,
            msg: OK,
            groupid: group.0,
            groupname,
        },
    )
}

/// What a friendship packet says, from the receiver's point of view.
#[derive(Clone, Copy)]
pub(super) enum FriendStep {
    Requested,
    /// 0 refused, 1 accepted or group created, 3 group joined.
    Answered(i32),
    Removed,
}

#[derive(Serialize)]
struct FriendOperation<'a> {
    userid: u32,
    #[serde(rename = "type")]
    kind: i32,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accept: Option<i32>,
}

pub(super) fn friend_step(seq: i32, peer: Peer, username: &str, step: FriendStep) -> Packet {
    let (kind, accept) = match step {
        FriendStep::Requested => (2, None),
        FriendStep::Answered(accept) => (3, Some(accept)),
        FriendStep::Removed => (5, None),
    };
    let username = cut(username, 63);
    let operation = FriendOperation {
        userid: peer.number(),
        kind,
        username,
        accept,
    };
    answer(command::OPERATE_FRIEND, seq, &operation)
}

/// Where a user is now.
pub(super) fn presence(seq: i32, user: UserId, presence: Presence) -> Packet {
    // Exactly the original's texts: clients parse them, people compare captures.
    let data = if presence.status == 0 {
        r#"{"type": 2, "onlinestatus": 0}"#.to_owned()
    } else {
        format!(
            r#"{{ "type": 1, "onlinestatus": {}, "clienttype": {}}}"#,
            presence.status, presence.client
        )
    };
    let trailing = number(user.0);
    Packet {
        command: command::USER_STATUS,
        seq,
        data: data.into(),
        trailing,
    }
}

/// The profile of a user, or the members of a group, changed.
pub(super) fn changed(seq: i32, peer: Peer) -> Packet {
    Packet {
        command: command::USER_STATUS,
        seq,
        data: Bytes::from_static(br#"{"type": 3}"#),
        trailing: number(peer.number()),
    }
}

/// A frame of somebody's screen; the number is the receiver's own.
pub(super) fn remote_desktop(seq: i32, header: &[u8], frame: &[u8], to: UserId) -> Packet {
    let trailing = Writer::new()
        .bytes(header)
        .bytes(frame)
        .i32(signed(to.0))
        .fields()
        .into();
    Packet {
        command: command::REMOTE_DESKTOP,
        seq,
        data: Bytes::new(),
        trailing,
    }
}

fn number(id: u32) -> Bytes {
    Bytes::copy_from_slice(&signed(id).to_be_bytes())
}

pub(super) fn signed(id: u32) -> i32 {
    i32::try_from(id).unwrap_or(i32::MAX)
}

/// At most so many bytes of a text, whole characters only.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_keeps_whole_characters() {
        let name = "昵".repeat(15);
        assert_eq!(cut(&name, 31).len(), 30);
        assert_eq!(cut("abc", 31), "abc");
    }

    #[test]
    fn presence_has_the_originals_texts() {
        let here = Presence {
            status: 1,
            client: 1,
            is_away: false,
        };
        let packet = presence(5, UserId(1), here);
        assert_eq!(
            packet.data,
            r#"{ "type": 1, "onlinestatus": 1, "clienttype": 1}"#
        );
        assert_eq!(&packet.trailing[..], [0, 0, 0, 1]);
        let gone = presence(5, UserId(1), Presence::default());
        assert_eq!(gone.data, r#"{"type": 2, "onlinestatus": 0}"#);
    }

    #[test]
    fn quotes_in_names_stay_json() {
        let packet = friend_step(1, Peer::User(UserId(2)), r#"a"b\c"#, FriendStep::Removed);
        let json: serde_json::Value = serde_json::from_slice(&packet.data).unwrap();
        assert_eq!(json["username"], r#"a"b\c"#);
        assert!(json.get("accept").is_none());
    }
}
