//! Whether people may write into conversations, asked for many entries at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use mysql_async::{Conn, Params, Value};

use super::connections::rows;
use super::fault::Fault;
use crate::api::Refusal;
use crate::id::{ConvId, ConvKind, GROUP_ID_FIRST, Millis, UserId};
use crate::store::bulk::{groups, lookups, marks};
use crate::store::voice::Voice;
use crate::store::{Append, Guard};

/// A question: may the sender write into the conversation at this time?
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) sender: UserId,
    pub(super) conv: ConvId,
    pub(super) guard: Guard,
    pub(super) at: Millis,
}

impl From<&Append> for Ask {
    fn from(append: &Append) -> Self {
        Self {
            sender: append.origin.user,
            conv: append.conv,
            guard: append.guard,
            at: append.origin.at,
        }
    }
}

/// What must be found for a guard to hold.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// A row that connects the two numbers, the smaller first: friends, or a member and a group.
    Relation(u32, u32),
    User(UserId),
}

/// What the guard needs; `Err` where it can never hold.
fn need(ask: &Ask) -> Result<Need, Refusal> {
    let sender = ask.sender;
    let pair = |a: UserId, b: UserId| Need::Relation(a.0.min(b.0), a.0.max(b.0));
    match (ask.conv.kind(), ask.guard) {
        // A smaller number is a user: his friends are not members of anything.
        (Some(ConvKind::Group(group)), _) if group.0 < GROUP_ID_FIRST => Err(Refusal::NotAMember),
        (Some(ConvKind::Group(group)), _) => Ok(Need::Relation(sender.0, group.0)),
        (Some(ConvKind::Direct(a, b)), guard) => match (guard, a == sender || b == sender) {
            (Guard::Contact, true) if a != b => Ok(pair(a, b)),
            (Guard::Contact, _) => Err(Refusal::NotFriends),
            (Guard::Exists, true) => Ok(Need::User(if a == sender { b } else { a })),
            (Guard::Exists, false) => Err(Refusal::NoSuchUser),
        },
        (Some(ConvKind::Inbox(owner)), Guard::Contact) if owner != sender => {
            Ok(pair(owner, sender))
        }
        (Some(ConvKind::Inbox(owner)), _) => Ok(Need::User(owner)),
        (None, _) => Err(Refusal::NoSuchUser),
    }
}

/// Who could have blocked the sender, and the sender.
fn block(ask: &Ask) -> Option<(UserId, UserId)> {
    let sender = ask.sender;
    let other = match (ask.conv.kind()?, ask.guard) {
        (ConvKind::Direct(a, b), _) if a == sender => b,
        (ConvKind::Direct(a, b), _) if b == sender => a,
        (ConvKind::Inbox(owner), Guard::Contact) => owner,
        (ConvKind::Direct(..) | ConvKind::Inbox(_) | ConvKind::Group(_), _) => return None,
    };
    (other != sender).then_some((other, sender))
}

/// What was found in the database.
#[derive(Debug, Default)]
pub(super) struct Held {
    relations: HashMap<(u32, u32), Voice>,
    users: HashSet<UserId>,
    /// Who blocked whom.
    blocks: HashSet<(UserId, UserId)>,
}

impl Held {
    /// Looks up what the questions need. Relations are locked against removal until the commit.
    pub(super) async fn find(
        conn: &mut Conn,
        asks: impl Iterator<Item = Ask> + Send,
    ) -> Result<Self, Fault> {
        let (mut relations, mut users) = (BTreeSet::new(), BTreeSet::new());
        let mut blocks = BTreeSet::new();
        for ask in asks {
            match need(&ask) {
                Ok(Need::Relation(small, large)) => {
                    relations.insert((small, large));
                }
                Ok(Need::User(user)) => {
                    users.insert(user);
                }
                Err(_) => continue,
            }
            blocks.extend(block(&ask));
        }
        let mut held = Self::default();
        held.find_relations(conn, &Vec::from_iter(relations))
            .await?;
        held.find_users(conn, &Vec::from_iter(users)).await?;
        held.find_blocks(conn, &Vec::from_iter(blocks)).await?;
        Ok(held)
    }

    /// What stands against an entry; nothing if the sender may write it.
    pub(super) fn refusal(&self, ask: &Ask) -> Option<Refusal> {
        let need = match need(ask) {
            Ok(need) => need,
            Err(refusal) => return Some(refusal),
        };
        if let Need::User(user) = need
            && !self.users.contains(&user)
        {
            return Some(Refusal::NoSuchUser);
        }
        if block(ask).is_some_and(|block| self.blocks.contains(&block)) {
            return Some(Refusal::Blocked);
        }
        let Need::Relation(small, large) = need else {
            return None;
        };
        let in_group = matches!(ask.conv.kind(), Some(ConvKind::Group(_)));
        match self.relations.get(&(small, large)) {
            Some(voice) if in_group => voice.refusal(ask.sender, ask.at),
            Some(_) => None,
            None if in_group => Some(Refusal::NotAMember),
            None => Some(Refusal::NotFriends),
        }
    }

    /// The rules of a group are looked up in subqueries, which lock nothing: they change only
    /// together with an entry in the group, and its conversation is locked.
    async fn find_relations(
        &mut self,
        conn: &mut Conn,
        relations: &[(u32, u32)],
    ) -> Result<(), Fault> {
        for keys in lookups(relations) {
            let sql = format!(
                "SELECT r.f_user_id1, r.f_user_id2, r.f_muted_until, r.f_role, \
                 COALESCE((SELECT u.f_owner_id FROM t_user u \
                     WHERE u.f_user_id = r.f_user_id2), 0), \
                 COALESCE((SELECT g.f_muted FROM t_group g \
                     WHERE g.f_group_id = r.f_user_id2), 0) \
                 FROM t_user_relationship r FORCE INDEX (u_pair) \
                 WHERE (r.f_user_id1, r.f_user_id2) IN ({}) LOCK IN SHARE MODE",
                groups(keys.len(), 2)
            );
            let found: Vec<(u32, u32, i64, i64, u32, bool)> = rows(conn, &sql, pairs(keys)).await?;
            let relation = |(small, large, muted_until, role, owner, group_muted)| {
                let voice = Voice {
                    muted_until: Millis(muted_until),
                    is_admin: role != 0,
                    owner,
                    group_muted,
                };
                ((small, large), voice)
            };
            self.relations.extend(found.into_iter().map(relation));
        }
        Ok(())
    }

    async fn find_users(&mut self, conn: &mut Conn, users: &[UserId]) -> Result<(), Fault> {
        for keys in lookups(users) {
            let sql = format!(
                "SELECT f_user_id FROM t_user FORCE INDEX (PRIMARY) WHERE f_user_id IN ({})",
                marks(keys.len())
            );
            let values = keys.into_iter().map(|user| user.0.into()).collect();
            let found: Vec<u32> = rows(conn, &sql, Params::Positional(values)).await?;
            self.users.extend(found.into_iter().map(UserId));
        }
        Ok(())
    }

    async fn find_blocks(
        &mut self,
        conn: &mut Conn,
        blocks: &[(UserId, UserId)],
    ) -> Result<(), Fault> {
        let blocks: Vec<(u32, u32)> = blocks.iter().map(|(by, whom)| (by.0, whom.0)).collect();
        for keys in lookups(&blocks) {
            let sql = format!(
                "SELECT f_user_id, f_blocked_id FROM t_block FORCE INDEX (PRIMARY) \
                 WHERE (f_user_id, f_blocked_id) IN ({})",
                groups(keys.len(), 2)
            );
            let found: Vec<(u32, u32)> = rows(conn, &sql, pairs(keys)).await?;
            let block = |(by, whom)| (UserId(by), UserId(whom));
            self.blocks.extend(found.into_iter().map(block));
        }
        Ok(())
    }
}

fn pairs(keys: Vec<(u32, u32)>) -> Params {
    let pair = |key: (u32, u32)| -> [Value; 2] { [key.0.into(), key.1.into()] };
    Params::Positional(keys.into_iter().flat_map(pair).collect())
}
