//! From a logged-in client's packets to commands, and their replies to packets.

use std::collections::HashSet;
use std::sync::Arc;

use common::api::{Profile, Refusal, TeamEdit};
use common::id::{ConvId, Millis, Peer};
use common::wire::chat::Packet;
use common::wire::command::{self as opcode, operate};
use common::wire::stream::{Malformed, Reader};

use super::greeting::answer_register;
use super::json::Request;
use super::link::{Ended, Link};
use super::packets::{self, FriendStep};
use super::translate::rewrite;
use crate::app::App;
use crate::command::{self, Failure, Joined, Letter, PasswordChange, Sending};
use crate::hub::Session;

/// A request that cannot be read ends the connection.
impl From<Malformed> for Ended {
    fn from(_: Malformed) -> Self {
        Self::BadRequest("a field is missing or runs past the end")
    }
}

/// Carries out everything but login and messages; pushes the replies.
pub(super) async fn carry_out(
    app: &Arc<App>,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Ended> {
    let seq = packet.seq;
    let result = match packet.command {
        opcode::HEARTBEAT => {
            link.push(&packets::empty(opcode::HEARTBEAT, seq));
            Ok(())
        }
        opcode::REGISTER => {
            if let Some(answer) = answer_register(app, link, packet).await {
                link.push(&answer);
            }
            Ok(())
        }
        opcode::FRIEND_LIST => push_friend_list(app, session, link, seq).await,
        opcode::FIND_USER => find(app, link, packet).await,
        opcode::OPERATE_FRIEND => operate_friend(app, session, link, packet).await,
        opcode::USER_STATUS => set_status(app, session, packet).await,
        opcode::UPDATE_INFO => set_profile(app, session, link, packet).await,
        opcode::CHANGE_PASSWORD => set_password(app, session, link, packet).await,
        opcode::CREATE_GROUP => create_group(app, session, link, packet).await,
        opcode::GROUP_MEMBERS => members(app, session, link, packet).await,
        opcode::REMOTE_DESKTOP => return relay_frame(app, session, packet).await,
        opcode::UPDATE_TEAMS => return edit_teams(app, session, link, packet).await,
        opcode::SET_MARK => return set_remark(app, session, link, packet).await,
        opcode::MOVE_FRIEND => return move_contact(app, session, link, packet).await,
        _ => return Err(Ended::BadRequest("unknown command")),
    };
    if let Err(failure) = result {
        say_nothing(packet.command, &failure);
    }
    Ok(())
}

/// The existing clients have no words for most failures; the log has.
fn say_nothing(command: i32, failure: &Failure) {
    match failure {
        Failure::Store(error) => tracing::warn!(command, %error, "a request failed"),
        _ => tracing::debug!(command, %failure, "a request was refused"),
    }
}

/// A chat packet that was read.
pub(super) struct Outgoing {
    pub(super) letter: Letter,
    pub(super) convs: Vec<ConvId>,
}

/// Reads a chat packet; `None` for what is answered with silence.
pub(super) async fn outgoing(
    app: &App,
    session: &Session,
    packet: &Packet,
) -> Result<Option<Outgoing>, Ended> {
    let mut fields = Reader::new(&packet.trailing);
    let targets = if packet.command == opcode::MULTI_CHAT {
        let targets = fields.bytes()?;
        Request::read(targets)
            .and_then(|request| request.integers("targets"))
            .unwrap_or_default()
    } else {
        vec![fields.i32()?]
    };
    // What was written anew is what the receivers get, so its length is what counts.
    let length = match rewrite(&packet.data, Millis(0)) {
        Some(written) => written.len(),
        None => return Ok(None),
    };
    if u64::try_from(length).unwrap_or(u64::MAX) > app.config.message_bytes_max.0 {
        tracing::info!(length, "a message is too long and was not sent");
        return Ok(None);
    }
    let user = session.actor.user;
    let mut known = HashSet::new();
    let convs: Vec<ConvId> = targets
        .into_iter()
        .filter_map(peer)
        .map(|peer| ConvId::between(user, peer))
        .filter(|conv| known.insert(*conv))
        .collect();
    // As many as one may have contacts: to more nobody has anything to say.
    if convs.len() > usize::try_from(app.config.friends_max).unwrap_or(usize::MAX) {
        let targets = convs.len();
        tracing::info!(targets, "a message goes to too many and was not sent");
        return Ok(None);
    }
    if convs.is_empty() {
        return Ok(None);
    }
    let letter = Letter::new(app, packet.data.clone()).await;
    let letter = letter.map_err(Ended::NotSaved)?;
    Ok(Some(Outgoing { letter, convs }))
}

/// Hands a message to the log. Waits for nothing but a place in its queue.
pub(super) async fn send(
    app: &App,
    session: &Session,
    packet: &Packet,
    conv: ConvId,
    letter: Letter,
) -> Result<Option<Sending>, Ended> {
    match command::send(app, &session.actor, conv, letter, packet.seq.into()).await {
        Ok(sending) => Ok(Some(sending)),
        Err(Failure::Store(error)) => Err(Ended::NotSaved(error)),
        Err(failure) => {
            say_nothing(packet.command, &failure);
            Ok(None)
        }
    }
}

fn peer(number: i32) -> Option<Peer> {
    Peer::from_number(u32::try_from(number).ok()?)
}

async fn push_friend_list(
    app: &App,
    session: &Session,
    link: &mut Link,
    seq: i32,
) -> Result<(), Failure> {
    let list = command::contacts(app, &session.actor).await?;
    link.push(&packets::friend_list(seq, &list, &app.hub, session.kind));
    Ok(())
}

async fn find(app: &App, link: &mut Link, packet: &Packet) -> Result<(), Failure> {
    let Some(request) = Request::read(&packet.data) else {
        return Ok(());
    };
    let (Some(_), Some(username)) = (request.integer("type"), request.text("username")) else {
        return Ok(());
    };
    match command::find(app, &username).await {
        Ok(profile) => link.push(&packets::found(packet.seq, 0, profile.as_ref())),
        Err(failure) => {
            link.push(&packets::found(packet.seq, opcode::code::UNKNOWN, None));
            return Err(failure);
        }
    }
    Ok(())
}

async fn operate_friend(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Failure> {
    let seq = packet.seq;
    let Some(request) = Request::read(&packet.data) else {
        return Ok(());
    };
    let (Some(id), Some(kind)) = (request.integer("userid"), request.integer("type")) else {
        return Ok(());
    };
    match (peer(id), kind) {
        (Some(Peer::Group(group)), operate::REMOVE) => {
            command::leave_group(app, &session.actor, group, seq.into()).await?;
            let peer = Peer::Group(group);
            link.push(&packets::friend_step(
                seq,
                peer,
                &id.to_string(),
                FriendStep::Removed,
            ));
        }
        (Some(Peer::Group(group)), _) => {
            let (actor, note) = (&session.actor, String::new());
            match command::join_or_ask(app, actor, group, note, seq.into()).await? {
                Joined::Now => {}
                // If an admin has to agree, the client hears of it when he has.
                Joined::Asked | Joined::Before => return Ok(()),
            }
            let peer = Peer::Group(group);
            let step = FriendStep::Answered(3);
            link.push(&packets::friend_step(seq, peer, &id.to_string(), step));
            link.push(&packets::changed(seq, peer));
        }
        (Some(Peer::User(user)), operate::APPLY) => {
            command::request_friend(app, &session.actor, user, String::new(), seq.into()).await?;
        }
        (Some(Peer::User(user)), operate::ANSWER) => {
            let Some(accept) = request.integer("accept") else {
                return Ok(());
            };
            let profile =
                command::answer_friend(app, &session.actor, user, accept == 1, seq.into()).await?;
            let step = FriendStep::Answered(i32::from(accept == 1));
            link.push(&packets::friend_step(
                seq,
                profile.id,
                &profile.username,
                step,
            ));
        }
        (Some(Peer::User(user)), operate::REMOVE) => {
            let profile = command::remove_friend(app, &session.actor, user, seq.into()).await?;
            let step = FriendStep::Removed;
            link.push(&packets::friend_step(
                seq,
                profile.id,
                &profile.username,
                step,
            ));
        }
        (Some(Peer::User(_)), _) | (None, _) => {}
    }
    Ok(())
}

async fn set_status(app: &App, session: &Session, packet: &Packet) -> Result<(), Failure> {
    let Some(request) = Request::read(&packet.data) else {
        return Ok(());
    };
    match (request.integer("type"), request.integer("onlinestatus")) {
        (Some(_), Some(status)) => command::set_status(app, session, status).await,
        _ => Ok(()),
    }
}

async fn set_profile(
    app: &Arc<App>,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Failure> {
    let Some(profile) =
        Request::read(&packet.data).and_then(|request| read_profile(&request, session))
    else {
        return Ok(());
    };
    match command::set_profile(app, &session.actor, profile.clone()).await {
        Ok(()) => link.push(&packets::profile_changed(packet.seq, &profile)),
        Err(failure) => {
            let code = opcode::code::UPDATE_INFO_FAILED;
            let msg = format!("update user info failed: {failure}");
            link.push(&packets::code(opcode::UPDATE_INFO, packet.seq, code, &msg));
            return Err(failure);
        }
    }
    Ok(())
}

fn read_profile(request: &Request, session: &Session) -> Option<Profile> {
    let user = Peer::User(session.actor.user);
    let mut profile = Profile::fresh(user, &*session.actor.username, request.text("nickname")?);
    profile.avatar.builtin = request.integer("facetype")?;
    profile.avatar.custom = request.text("customface")?;
    profile.gender = request.integer("gender")?;
    profile.birthday = request.integer("birthday")?;
    profile.signature = request.text("signature")?;
    profile.address = request.text("address")?;
    profile.phone = request.text("phonenumber")?;
    profile.mail = request.text("mail")?;
    Some(profile)
}

async fn set_password(
    app: &Arc<App>,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Failure> {
    let Some(request) = Request::read(&packet.data) else {
        return Ok(());
    };
    let (Some(old), Some(new)) = (request.text("oldpassword"), request.text("newpassword")) else {
        return Ok(());
    };
    let change = PasswordChange { old, new };
    let result = command::set_password(app, &session.actor, &change, None).await;
    let (code, msg) = match &result {
        Ok(()) => (0, packets::OK.to_owned()),
        Err(Failure::WrongPassword) => (
            opcode::code::WRONG_PASSWORD,
            "incorrect old password".to_owned(),
        ),
        Err(failure) => (
            opcode::code::CHANGE_PASSWORD_FAILED,
            format!("modify password error: {failure}"),
        ),
    };
    link.push(&packets::code(
        opcode::CHANGE_PASSWORD,
        packet.seq,
        code,
        &msg,
    ));
    result
}

async fn create_group(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Failure> {
    let seq = packet.seq;
    let Some(name) = Request::read(&packet.data).and_then(|request| request.text("groupname"))
    else {
        return Ok(());
    };
    match command::create_group(app, &session.actor, name.clone(), seq.into()).await {
        Ok(group) => {
            link.push(&packets::group_created(seq, group, &name));
            let step = FriendStep::Answered(1);
            link.push(&packets::friend_step(seq, Peer::Group(group), &name, step));
            Ok(())
        }
        Err(failure) => {
            let code = opcode::code::CREATE_GROUP_FAILED;
            let msg = format!("create group error: {failure}");
            link.push(&packets::code(opcode::CREATE_GROUP, seq, code, &msg));
            Err(failure)
        }
    }
}

async fn members(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Failure> {
    let Some(id) = Request::read(&packet.data).and_then(|request| request.integer("groupid"))
    else {
        return Ok(());
    };
    // To whoever is no member, a group looks like one that does not exist: empty.
    let result = match peer(id) {
        Some(Peer::Group(group)) => command::members(app, &session.actor, group).await,
        Some(Peer::User(_)) | None => Err(Refusal::NoSuchGroup.into()),
    };
    let shown = result.as_deref().unwrap_or_default();
    link.push(&packets::members(
        packet.seq,
        id,
        shown,
        &app.hub,
        session.kind,
    ));
    result.map(drop)
}

async fn relay_frame(app: &App, session: &Session, packet: &Packet) -> Result<(), Ended> {
    let mut fields = Reader::new(&packet.trailing);
    let header = packet.trailing.slice_ref(fields.bytes()?);
    let frame = packet.trailing.slice_ref(fields.bytes()?);
    let to = fields.i32()?;
    if let Some(Peer::User(user)) = peer(to)
        && let Err(failure) =
            command::relay_frame(app, session, user, header, frame, packet.seq).await
    {
        say_nothing(packet.command, &failure);
    }
    Ok(())
}

async fn edit_teams(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Ended> {
    let mut fields = Reader::new(&packet.trailing);
    let (operation, new, old) = (fields.i32()?, text(fields.bytes()?), text(fields.bytes()?));
    let edit = match (operation, new, old) {
        (0, Some(name), _) => TeamEdit::Add { name },
        (1, _, Some(name)) => TeamEdit::Remove { name },
        (2, Some(to), Some(from)) => TeamEdit::Rename { from, to },
        _ => return Ok(()),
    };
    let result = command::edit_teams(app, &session.actor, edit).await;
    list_after(app, session, link, packet, result).await
}

async fn set_remark(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Ended> {
    let mut fields = Reader::new(&packet.trailing);
    let (id, remark) = (fields.i32()?, text(fields.bytes()?));
    let (Some(peer), Some(remark)) = (peer(id), remark) else {
        return Ok(());
    };
    let result = command::set_remark(app, &session.actor, peer, remark).await;
    list_after(app, session, link, packet, result).await
}

async fn move_contact(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
) -> Result<(), Ended> {
    let mut fields = Reader::new(&packet.trailing);
    let (id, to, from) = (fields.i32()?, text(fields.bytes()?), text(fields.bytes()?));
    let (Some(peer), Some(to), Some(from)) = (peer(id), to, from) else {
        return Ok(());
    };
    let result = command::move_contact(app, &session.actor, peer, from, to).await;
    list_after(app, session, link, packet, result).await
}

/// The reply to a changed list is the whole new list. Where nothing was changed the original is
/// silent, and so are we.
async fn list_after(
    app: &App,
    session: &Session,
    link: &mut Link,
    packet: &Packet,
    changed: Result<(), Failure>,
) -> Result<(), Ended> {
    let result = match changed {
        Ok(()) => push_friend_list(app, session, link, packet.seq).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = result {
        say_nothing(packet.command, &failure);
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
