//! The names and numbers that everything points at.
//!
//! Knows nothing of storage or protocols. Users and groups share one number space, because the
//! existing clients tell a group from a user by its size alone.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first group id. A smaller number is a user, this and above are groups.
pub const GROUP_ID_FIRST: u32 = 268_435_456;

/// The largest id any client can hold: ids travel as signed 32-bit numbers.
pub const ID_MAX: u32 = 2_147_483_647;

/// A user's number, from 1 up to but not including `GROUP_ID_FIRST - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u32);

/// A group's number, from [`GROUP_ID_FIRST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub u32);

/// Whom one can write to: a user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    User(UserId),
    Group(GroupId),
}

impl Peer {
    /// Reads a number of the shared space; `None` for 0, for the unused boundary number
    /// 268435455 and for what no client can hold.
    pub fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => None,
            n if n < GROUP_ID_FIRST - 1 => Some(Self::User(UserId(n))),
            n @ GROUP_ID_FIRST..=ID_MAX => Some(Self::Group(GroupId(n))),
            _ => None,
        }
    }

    /// The number in the shared space.
    pub fn number(self) -> u32 {
        match self {
            Self::User(user) => user.0,
            Self::Group(group) => group.0,
        }
    }
}

impl UserId {
    /// Reads a decimal number as it is printed: no sign, no leading zeros, a number of a user.
    pub fn from_decimal(text: &str) -> Option<Self> {
        match Peer::from_number(canonical(text)?) {
            Some(Peer::User(user)) => Some(user),
            Some(Peer::Group(_)) | None => None,
        }
    }
}

impl GroupId {
    /// Reads a decimal number as it is printed: no sign, no leading zeros, a number of a group.
    pub fn from_decimal(text: &str) -> Option<Self> {
        match Peer::from_number(canonical(text)?) {
            Some(Peer::Group(group)) => Some(group),
            Some(Peer::User(_)) | None => None,
        }
    }
}

/// A number in the one way in which it is printed, so that two texts are never the same id.
fn canonical<N: std::str::FromStr + fmt::Display>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A conversation's number. It is computed from who takes part, so that finding a conversation
/// needs no look-up and two servers cannot make two of the same:
///
/// | bits | direct | group | inbox |
/// |---|---|---|---|
/// | 60–62 | 1 | 2 | 3 |
/// | 30–59 | the smaller user id | 0 | 0 |
/// | 0–31 | the larger user id (30 bits) | the group id | the user id |
///
/// Bit 63 is always clear: the number is the same as a signed 64-bit integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConvId(pub u64);

/// Who takes part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvKind {
    /// Two users; the smaller id first. A user may talk to himself.
    Direct(UserId, UserId),
    /// The members of a group.
    Group(GroupId),
    /// What belongs to no chat, for one user: friend requests and answers.
    Inbox(UserId),
}

const KIND_SHIFT: u32 = 60;
const SMALLER_SHIFT: u32 = 30;
const THIRTY_BITS: u64 = (1 << 30) - 1;

impl ConvId {
    pub fn direct(a: UserId, b: UserId) -> Self {
        let (small, large) = (a.0.min(b.0), a.0.max(b.0));
        Self(1 << KIND_SHIFT | u64::from(small) << SMALLER_SHIFT | u64::from(large))
    }

    pub fn group(group: GroupId) -> Self {
        Self(2 << KIND_SHIFT | u64::from(group.0))
    }

    pub fn inbox(user: UserId) -> Self {
        Self(3 << KIND_SHIFT | u64::from(user.0))
    }

    /// The conversation in which `from` writes to `to`.
    pub fn between(from: UserId, to: Peer) -> Self {
        match to {
            Peer::User(user) => Self::direct(from, user),
            Peer::Group(group) => Self::group(group),
        }
    }

    /// Reads a decimal number as it is printed; `None` for what is no conversation's number.
    pub fn from_decimal(text: &str) -> Option<Self> {
        let conv = Self(canonical(text)?);
        conv.kind().is_some().then_some(conv)
    }

    /// Whether the user belongs to this conversation as far as its number tells: a group's
    /// members are in the database.
    pub fn may_concern(self, user: UserId) -> bool {
        match self.kind() {
            Some(ConvKind::Direct(a, b)) => a == user || b == user,
            Some(ConvKind::Inbox(owner)) => owner == user,
            Some(ConvKind::Group(_)) => true,
            None => false,
        }
    }

    /// Who takes part; `None` for a number that [`ConvId`]'s constructors never make.
    pub fn kind(self) -> Option<ConvKind> {
        let low = u32::try_from(self.0 & u64::from(u32::MAX)).ok()?;
        let small = u32::try_from(self.0 >> SMALLER_SHIFT & THIRTY_BITS).ok()?;
        let large = u32::try_from(self.0 & THIRTY_BITS).ok()?;
        let (kind, made) = match self.0 >> KIND_SHIFT {
            1 => {
                let (a, b) = (UserId(small), UserId(large));
                (ConvKind::Direct(a, b), Self::direct(a, b))
            }
            2 => (ConvKind::Group(GroupId(low)), Self::group(GroupId(low))),
            3 => (ConvKind::Inbox(UserId(low)), Self::inbox(UserId(low))),
            _ => return None,
        };
        // Two numbers must not name one conversation: stray bits, the larger user first.
        (made == self).then_some(kind)
    }
}

impl fmt::Display for ConvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The place of an entry in its conversation: 1, 2, 3, … without a gap. 0 is "before the first".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The next place.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Wall-clock time: milliseconds since 1970-01-01 00:00 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// The last moment that every format of ours can write, the end of the year 9999: "never" where
    /// a moment is asked for. Not the largest number, so that a little may still be added.
    pub const NEVER: Self = Self(253_402_300_799_999);

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole days since 1970, for daily quotas.
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }
}

/// One of a user's devices. The existing clients have one device for each client type, numbered
/// like the type (1 to 4); numbers up to 255 are kept for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub u64);

/// The devices of the HTTP and WebSocket API have numbers from here on.
pub const API_DEVICE_FIRST: u64 = 256;

/// Devices of the API that nobody gave a name have numbers from here on: they last as long as their
/// sign-in.
pub const NAMELESS_DEVICE_FIRST: u64 = 1 << 62;

impl DeviceId {
    /// Reads a decimal number as it is printed.
    pub fn from_decimal(text: &str) -> Option<Self> {
        canonical(text).map(Self)
    }

    /// Whether the device acknowledges what it received, as those of the API do.
    pub fn acknowledges(self) -> bool {
        self.0 >= API_DEVICE_FIRST
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A sign-in of the HTTP and WebSocket API. Random, so that nobody can count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u64);

impl SessionId {
    /// Reads a decimal number as it is printed.
    pub fn from_decimal(text: &str) -> Option<Self> {
        canonical(text).map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A webhook. Random, so that nobody can count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookId(pub u64);

impl HookId {
    /// Reads a decimal number as it is printed.
    pub fn from_decimal(text: &str) -> Option<Self> {
        canonical(text).map(Self)
    }
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A contact request: who asks whom. Computed, like [`ConvId`], because there is at most one open
/// request from one user to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    pub from: UserId,
    pub to: UserId,
}

impl RequestId {
    /// Reads a decimal number as it is printed.
    pub fn from_decimal(text: &str) -> Option<Self> {
        let number: u64 = canonical(text)?;
        let user = |number: u64| match Peer::from_number(u32::try_from(number).ok()?) {
            Some(Peer::User(user)) => Some(user),
            Some(Peer::Group(_)) | None => None,
        };
        Some(Self {
            from: user(number >> SMALLER_SHIFT)?,
            to: user(number & THIRTY_BITS)?,
        })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u64::from(self.from.0) << SMALLER_SHIFT | u64::from(self.to.0);
        write!(f, "{number}")
    }
}

/// The sender's own name for a send, 1 to 64 bytes. The same (sender, client id) is one entry,
/// however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientId(String);

/// The longest [`ClientId`], in bytes.
pub const CLIENT_ID_BYTES_MAX: usize = 64;

impl ClientId {
    /// `None` if the text is empty or longer than [`CLIENT_ID_BYTES_MAX`].
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (1..=CLIENT_ID_BYTES_MAX)
            .contains(&text.len())
            .then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stored file's number: the SHA-256 of its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64
            || !text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Written in one piece: every download writes it several times.
        let mut digits = String::with_capacity(64);
        for byte in self.0 {
            digits.push(char::from(DIGITS[usize::from(byte >> 4)]));
            digits.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        f.write_str(&digits)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_says_who_takes_part() {
        let direct = ConvId::direct(UserId(9), UserId(2));
        assert_eq!(direct, ConvId::direct(UserId(2), UserId(9)));
        assert_eq!(direct.kind(), Some(ConvKind::Direct(UserId(2), UserId(9))));
        let group = GroupId(ID_MAX);
        assert_eq!(ConvId::group(group).kind(), Some(ConvKind::Group(group)));
        let inbox = ConvId::inbox(UserId(7));
        assert_eq!(inbox.kind(), Some(ConvKind::Inbox(UserId(7))));
        assert_eq!(ConvId(5).kind(), None);
        assert_eq!(ConvId(1 << 60 | 9 << 30 | 2).kind(), None);
        assert_eq!(ConvId(ConvId::group(group).0 | 1 << 40).kind(), None);
        assert_eq!(ConvId(inbox.0 | 1 << 40).kind(), None);
    }

    #[test]
    fn the_boundary_between_users_and_groups() {
        assert_eq!(Peer::from_number(0), None);
        assert_eq!(
            Peer::from_number(268_435_454),
            Some(Peer::User(UserId(268_435_454)))
        );
        assert_eq!(Peer::from_number(268_435_455), None);
        assert_eq!(
            Peer::from_number(268_435_456),
            Some(Peer::Group(GroupId(268_435_456)))
        );
        assert_eq!(Peer::from_number(u32::MAX), None);
    }

    #[test]
    fn an_id_is_written_in_one_way() {
        assert_eq!(UserId::from_decimal("7"), Some(UserId(7)));
        for wrong in [
            "",
            "07",
            "+7",
            "-7",
            " 7",
            "7.0",
            "268435456",
            "99999999999",
        ] {
            assert_eq!(UserId::from_decimal(wrong), None, "{wrong:?}");
        }
        let group = GroupId(GROUP_ID_FIRST);
        assert_eq!(GroupId::from_decimal("268435456"), Some(group));
        let conv = ConvId::direct(UserId(3), UserId(9));
        assert_eq!(ConvId::from_decimal(&conv.to_string()), Some(conv));
        assert_eq!(ConvId::from_decimal("5"), None);
        let request = RequestId {
            from: UserId(12),
            to: UserId(3),
        };
        assert_eq!(RequestId::from_decimal(&request.to_string()), Some(request));
        assert_eq!(RequestId::from_decimal("12"), None);
    }

    #[test]
    fn a_blob_id_is_lower_case_hex() {
        let text = "00ff".repeat(16);
        assert_eq!(BlobId::from_hex(&text).unwrap().to_string(), text);
        assert_eq!(BlobId::from_hex(&text.to_uppercase()), None);
        assert_eq!(BlobId::from_hex("00"), None);
    }
}
