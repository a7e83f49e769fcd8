//! Who may write to a group: members that are not silenced. One rule for both databases.

use crate::api::Refusal;
use crate::id::{Millis, UserId};

/// What decides whether a member may write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    /// The member may not write before this.
    pub(super) muted_until: Millis,
    pub(super) is_admin: bool,
    /// The group's owner; 0 in adopted groups without one.
    pub(super) owner: u32,
    /// Nobody but owner and admins may write.
    pub(super) group_muted: bool,
}

impl Voice {
    /// What stands against an entry of this member at this time. An owner is never silenced, also
    /// if he was before the group became his.
    pub(super) fn refusal(self, member: UserId, at: Millis) -> Option<Refusal> {
        let silenced = self.muted_until > at || (self.group_muted && !self.is_admin);
        (silenced && member.0 != self.owner).then_some(Refusal::Muted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u32 = 1;
    const MEMBER: UserId = UserId(2);
    const FREE: Voice = Voice {
        muted_until: Millis(0),
        is_admin: false,
        owner: OWNER,
        group_muted: false,
    };

    #[test]
    fn a_member_is_silenced_for_a_time() {
        let silenced = Voice {
            muted_until: Millis(10),
            ..FREE
        };
        assert_eq!(FREE.refusal(MEMBER, Millis(9)), None);
        assert_eq!(silenced.refusal(MEMBER, Millis(9)), Some(Refusal::Muted));
        assert_eq!(silenced.refusal(MEMBER, Millis(10)), None);
        assert_eq!(silenced.refusal(UserId(OWNER), Millis(9)), None);
    }

    #[test]
    fn in_a_silenced_group_owner_and_admins_speak() {
        let group_muted = Voice {
            group_muted: true,
            ..FREE
        };
        let admin = Voice {
            is_admin: true,
            ..group_muted
        };
        assert_eq!(group_muted.refusal(MEMBER, Millis(9)), Some(Refusal::Muted));
        assert_eq!(admin.refusal(MEMBER, Millis(9)), None);
        assert_eq!(group_muted.refusal(UserId(OWNER), Millis(9)), None);
    }
}
