//! People as the API shows them: profiles, contacts, requests, devices.

use common::api::BIRTHDAY_UNSET;
use common::api::{self, Profile};
use common::id::{Peer, RequestId, SessionId, UserId};
use common::store::session::SignIn;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;

use super::{AvatarText, Decimal, DeviceKindWord, DirectionWord, Id, Timestamp};
use crate::command::SeenRequest;

/// A user's profile. Birthday, phone, mail and address are shown to the owner only; what is empty
/// is left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<UserId>,
    pub(crate) username: String,
    pub(crate) nickname: String,
    /// True for a program; people have no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) bot: Option<bool>,
    /// `builtin:N`, or a picture's name on the image server.
    #[schema(examples("builtin:7"))]
    pub(crate) avatar: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) signature: Option<String>,
    /// 0 or 1, as the existing clients choose it.
    pub(crate) gender: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, examples("1990-01-31"))]
    pub(crate) birthday: Option<Birthday>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) mail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) address: Option<String>,
}

impl From<Profile> for User {
    /// Shows what is in the profile: commands take out what a viewer may not see.
    fn from(profile: Profile) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: Decimal(UserId(profile.id.number())),
            avatar: AvatarText::shown(&profile.avatar),
            username: profile.username,
            bot: profile.is_bot.then_some(true),
            nickname: profile.nickname,
            signature: some(profile.signature),
            gender: profile.gender,
            birthday: Birthday::of(profile.birthday),
            phone: some(profile.phone),
            mail: some(profile.mail),
            address: some(profile.address),
        }
    }
}

/// A day as `1990-01-31`; kept as the decimal number 19900131.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birthday(pub(crate) i32);

impl Birthday {
    /// `None` for a number that is no day: old clients may store anything.
    /// `None` for no day of the calendar, and for the one that every new account begins with.
    fn of(number: i32) -> Option<Self> {
        if number == BIRTHDAY_UNSET {
            return None;
        }
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => 0,
        };
        let is_day = (1..=9999).contains(&year) && (1..=days).contains(&day);
        is_day.then_some(Self(number))
    }

    fn text(self) -> String {
        let Self(number) = self;
        format!(
            "{:04}-{:02}-{:02}",
            number / 10_000,
            number / 100 % 100,
            number % 100
        )
    }
}

impl Serialize for Birthday {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Birthday {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let number = text.replace('-', "").parse().ok();
        number
            .and_then(Self::of)
            .filter(|day| day.text() == text)
            .ok_or_else(|| D::Error::custom("is not a day like 1990-01-31"))
    }
}

/// A contact as its owner keeps it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contact {
    pub(crate) user: User,
    /// The owner's own name for the contact; empty for none.
    pub(crate) remark: String,
    /// The list that the contact is kept in.
    pub(crate) list: String,
}

impl From<api::Contact> for Contact {
    fn from(contact: api::Contact) -> Self {
        Self {
            user: contact.profile.into(),
            remark: contact.remark,
            list: contact.team,
        }
    }
}

/// An open contact request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactRequest {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<RequestId>,
    /// Whether it was sent to you or by you.
    #[schema(value_type = DirectionWord)]
    pub(crate) direction: &'static str,
    #[schema(value_type = Id)]
    pub(crate) from: Decimal<UserId>,
    #[schema(value_type = Id)]
    pub(crate) to: Decimal<UserId>,
    /// The other one.
    pub(crate) user: User,
    pub(crate) note: String,
    pub(crate) time: Timestamp,
}

impl From<SeenRequest> for ContactRequest {
    fn from(SeenRequest { request, other }: SeenRequest) -> Self {
        let (from, to) = (request.from, request.to);
        let is_incoming = other.id == Peer::User(from);
        Self {
            id: Decimal(RequestId { from, to }),
            direction: if is_incoming { "incoming" } else { "outgoing" },
            from: Decimal(from),
            to: Decimal(to),
            user: other.into(),
            note: request.note,
            time: Timestamp(request.at),
        }
    }
}

/// A device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    #[schema(value_type = Id)]
    pub(crate) session_id: Decimal<SessionId>,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
    #[schema(value_type = DeviceKindWord)]
    pub(crate) kind: String,
    /// What the owner calls the device; empty for nothing.
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    /// When it was last used, to the minute.
    pub(crate) seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Session {
    pub(crate) fn of(sign_in: SignIn, asking: SessionId) -> Self {
        Self {
            session_id: Decimal(sign_in.session),
            current: sign_in.session == asking,
            kind: sign_in.kind,
            name: sign_in.name,
            created_at: Timestamp(sign_in.created),
            seen_at: Timestamp(sign_in.seen),
            expires_at: Timestamp(sign_in.expires),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthday_is_a_day_of_the_calendar() {
        let read = |text: &str| serde_json::from_value::<Birthday>(text.into()).ok();
        assert_eq!(read("1990-01-31"), Some(Birthday(19_900_131)));
        assert_eq!(read("2000-02-29"), Some(Birthday(20_000_229)));
        for wrong in [
            "",
            "1990-02-29",
            "19900131",
            "1990-1-31",
            "1990-13-01",
            "-990-01-31",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(Birthday::of(0), None);
        assert_eq!(Birthday::of(i32::MIN), None);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let profile = Profile {
            birthday: 0,
            ..Profile::fresh(Peer::User(UserId(7)), "ann", "Ann")
        };
        let shown = serde_json::to_value(User::from(profile)).unwrap();
        let expected = serde_json::json!({
            "id": "7", "username": "ann", "nickname": "Ann", "avatar": "builtin:0", "gender": 0
        });
        assert_eq!(shown, expected);
        let mut bot = Profile::fresh(Peer::User(UserId(8)), "clock", "Clock");
        bot.is_bot = true;
        let shown = serde_json::to_value(User::from(bot)).unwrap();
        assert_eq!(shown["bot"], true);
    }
}
